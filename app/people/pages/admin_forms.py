"""The forms of the administrator's pages."""

from __future__ import annotations

from typing import get_args

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    DecimalField,
    IntegerField,
    PasswordField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.validators import InputRequired, Length, NumberRange, Optional, Regexp

from app.notify.domain.mail import Security
from app.web.form_fields import ADDRESS, NAME, REQUIRED, zone_known

SLUG = Regexp(r"^[a-z0-9][a-z0-9-]{0,60}$", message=_l("Use small letters, digits and hyphens."))
LONG = Length(max=20_000, message=_l("At most %(max)d characters."))
PORT = NumberRange(1, 65535)
SECURITY = [(one, {"tls": "TLS", "starttls": "STARTTLS", "none": _l("none")}[one]) for one in get_args(Security)]
WORDS = Length(max=2000, message=_l("At most %(max)d characters."))


class EditUser(FlaskForm):
    """A person and what they may do."""

    name = StringField(_l("Name"), [REQUIRED, NAME])
    email = StringField(_l("E-mail"), [REQUIRED, ADDRESS], render_kw={"type": "email"})
    role = SelectField(
        _l("Role"), choices=[("agent", _l("Agent")), ("analyst", _l("Analyst")), ("admin", _l("Administrator"))]
    )
    locale = SelectField(_l("Language"), choices=[("en", "English"), ("zh", "简体中文")])
    zone = StringField(_l("Time zone"), [REQUIRED, zone_known], default="UTC")
    is_active = BooleanField(_l("May sign in"), default=True)


class EditTeam(FlaskForm):
    """A team and who is in it."""

    name = StringField(_l("Name"), [REQUIRED, NAME])
    members = SelectMultipleField(_l("Members"), coerce=int)


class EditQueue(FlaskForm):
    """Where tickets wait for one team."""

    title = StringField(_l("Title"), [REQUIRED, NAME])
    slug = StringField(_l("Short name"), [REQUIRED, SLUG])
    team_id = SelectField(_l("Team"), coerce=int)
    sla_policy_id = SelectField(_l("SLA policy"), coerce=int)
    intent_task = StringField(_l("Intent task of the model"), [REQUIRED, NAME])
    is_redacting = BooleanField(_l("Mask card numbers, addresses and the like before anything is kept"), default=True)


class EditPolicy(FlaskForm):
    """What is promised, and in which hours the clock runs."""

    name = StringField(_l("Name"), [REQUIRED, NAME])
    first_hours = DecimalField(_l("First response, hours"), [REQUIRED, NumberRange(0.02, 9600)], places=2)
    resolution_hours = DecimalField(_l("Resolution, hours"), [REQUIRED, NumberRange(0.02, 9600)], places=2)
    zone = StringField(_l("Time zone"), [REQUIRED, zone_known], default="UTC")
    hours = TextAreaField(_l("Opening hours; empty: around the clock"), [Optional(), WORDS])
    holidays = TextAreaField(_l("Holidays"), [Optional(), Length(max=10_000)])


class EditMacro(FlaskForm):
    """A reply template with actions."""

    name = StringField(_l("Name"), [REQUIRED, NAME])
    body = TextAreaField(_l("Text"), [REQUIRED, LONG])
    intents = StringField(_l("Intents it answers, with commas between"), [Optional(), WORDS])
    actions = TextAreaField(_l("Actions, one a line"), [Optional(), WORDS])


class EditArticle(FlaskForm):
    """A page of the knowledge base."""

    title = StringField(_l("Title"), [REQUIRED, NAME])
    slug = StringField(_l("Short name"), [REQUIRED, SLUG])
    body = TextAreaField(_l("Text, in Markdown"), [REQUIRED, Length(max=200_000)])
    intents = StringField(_l("Intents it answers, with commas between"), [Optional(), WORDS])
    tags = StringField(_l("Tags, with commas between"), [Optional(), WORDS])


class EditMailbox(FlaskForm):
    """An address of the desk, where its mail is read, and where its replies are handed over."""

    address = StringField(_l("Address"), [REQUIRED, ADDRESS], render_kw={"type": "email", "autocomplete": "off"})
    name = StringField(_l("Name of the sender"), [Optional(), NAME])
    queue_id = SelectField(_l("Mail arrives in"), coerce=int)
    username = StringField(_l("User name"), [Optional(), NAME], render_kw={"autocomplete": "off"})
    password = PasswordField(_l("Password"), [Optional(), Length(max=500)], render_kw={"autocomplete": "new-password"})
    imap_host = StringField(_l("IMAP server"), [Optional(), NAME])
    imap_port = IntegerField(_l("IMAP port"), [InputRequired(), PORT], default=993)
    imap_security = SelectField(_l("IMAP encryption"), choices=SECURITY, default="tls")
    imap_folder = StringField(_l("Folder"), [REQUIRED, NAME], default="INBOX")
    smtp_host = StringField(_l("SMTP server"), [Optional(), NAME])
    smtp_port = IntegerField(_l("SMTP port"), [InputRequired(), PORT], default=465)
    smtp_security = SelectField(_l("SMTP encryption"), choices=SECURITY, default="tls")
    is_reading_old = BooleanField(_l("Read the mail that lies there already"), default=False)
    is_active = BooleanField(_l("In use"), default=True)
