"""The forms of the desk: new tickets, and its queues, SLA policies and mailboxes."""

from __future__ import annotations

from typing import get_args

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from flask_wtf.file import FileField, FileRequired
from wtforms import BooleanField, DecimalField, IntegerField, PasswordField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from app.notify.domain.letter import Security
from app.web.form_fields import ADDRESS, NAME, REQUIRED, SLUG, WORDS, zone_known

PORT = NumberRange(1, 65535)
SECURITY = [(one, {"tls": "TLS", "starttls": "STARTTLS", "none": _l("none")}[one]) for one in get_args(Security)]


class NewTicket(FlaskForm):
    """A ticket typed in by an agent, say from a telephone call."""

    customer_name = StringField(_l("Customer"), [Optional(), NAME])
    customer_email = StringField(_l("Customer's e-mail"), [Optional(), ADDRESS])
    customer_tier = SelectField(
        _l("Tier"), choices=[("standard", _l("Standard")), ("plus", _l("Plus")), ("business", _l("Business"))]
    )
    queue = SelectField(_l("Queue"))
    subject = StringField(_l("Subject"), [Optional(), Length(max=500, message=_l("At most %(max)d characters."))])
    body = TextAreaField(_l("Message"), [REQUIRED])


class MailFile(FlaskForm):
    """A saved mail message."""

    file = FileField(
        _l("Mail file (.eml)"), [FileRequired(_l("Choose a file."))], render_kw={"accept": ".eml,message/rfc822"}
    )


class EditQueue(FlaskForm):
    """A queue, in which tickets wait for one team."""

    title = StringField(_l("Title"), [REQUIRED, NAME])
    slug = StringField(_l("Short name"), [REQUIRED, SLUG])
    team_id = SelectField(_l("Team"), coerce=int)
    sla_policy_id = SelectField(_l("SLA policy"), coerce=int)
    intent_task = StringField(_l("Intent task of the model"), [REQUIRED, NAME])
    is_redacting = BooleanField(_l("Mask card numbers, addresses and the like before anything is kept"), default=True)


class EditPolicy(FlaskForm):
    """An SLA policy: the times that are promised, and the hours in which the clock runs."""

    name = StringField(_l("Name"), [REQUIRED, NAME])
    first_hours = DecimalField(_l("First response, hours"), [REQUIRED, NumberRange(0.02, 9600)], places=2)
    resolution_hours = DecimalField(_l("Resolution, hours"), [REQUIRED, NumberRange(0.02, 9600)], places=2)
    zone = StringField(_l("Time zone"), [REQUIRED, zone_known], default="UTC")
    hours = TextAreaField(_l("Opening hours; empty: around the clock"), [Optional(), WORDS])
    holidays = TextAreaField(_l("Holidays"), [Optional(), Length(max=10_000)])


class EditMailbox(FlaskForm):
    """A mailbox: its address, the server its mail is read from, and the one its replies go out by."""

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
