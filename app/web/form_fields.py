"""The forms of the pages: fields, checks and the sentences about them."""

from __future__ import annotations

from zoneinfo import available_timezones

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from flask_wtf.file import FileField, FileRequired
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
from wtforms.validators import EqualTo, InputRequired, Length, NumberRange, Optional, Regexp, ValidationError

from app.core.permissions import TOKEN_SCOPES

REQUIRED = InputRequired(_l("Please fill this in."))
NAME = Length(max=120, message=_l("At most %(max)d characters."))
ADDRESS = Regexp(r"^[^@\s]+@[^@\s]+$", message=_l("This is not an e-mail address."))
EVERYBODY = 0
"""The choice of no team: select fields hold numbers."""
PASSWORD = Length(min=12, max=200, message=_l("Choose at least 12 characters."))


def zone_known(_form: FlaskForm, field: StringField) -> None:
    """A validator: the field names a time zone."""
    if field.data not in available_timezones():
        raise ValidationError(_l("There is no such time zone; write one like Europe/Dublin."))


class SignIn(FlaskForm):
    """E-mail and password."""

    email = StringField(_l("E-mail"), [REQUIRED], render_kw={"autocomplete": "username", "type": "email"})
    password = PasswordField(_l("Password"), [REQUIRED], render_kw={"autocomplete": "current-password"})


class Setup(FlaskForm):
    """The first administrator of a new installation."""

    name = StringField(_l("Name"), [REQUIRED, NAME], render_kw={"autocomplete": "name"})
    email = StringField(_l("E-mail"), [REQUIRED, ADDRESS], render_kw={"autocomplete": "username", "type": "email"})
    password = PasswordField(_l("Password"), [REQUIRED, PASSWORD], render_kw={"autocomplete": "new-password"})
    again = PasswordField(
        _l("Password again"),
        [REQUIRED, EqualTo("password", _l("The two passwords differ."))],
        render_kw={"autocomplete": "new-password"},
    )


class Profile(FlaskForm):
    """How a person reads: language and zone."""

    name = StringField(_l("Name"), [REQUIRED, NAME], render_kw={"autocomplete": "name"})
    locale = SelectField(_l("Language"), choices=[("en", "English"), ("zh", "简体中文")])
    zone = StringField(_l("Time zone"), [REQUIRED, zone_known], render_kw={"list": "zones"})


class NewPassword(FlaskForm):
    """A new password; the present one is asked where there is one."""

    current = PasswordField(_l("Present password"), [Optional()], render_kw={"autocomplete": "current-password"})
    password = PasswordField(_l("New password"), [REQUIRED, PASSWORD], render_kw={"autocomplete": "new-password"})


class NewToken(FlaskForm):
    """An API token: what it is for, what it may do, and until when."""

    name = StringField(_l("What it is for"), [REQUIRED, NAME])
    scopes = SelectMultipleField(_l("What it may do"), choices=[(scope, scope) for scope in TOKEN_SCOPES])
    days = SelectField(
        _l("Ends after"),
        choices=[("30", _l("30 days")), ("90", _l("90 days")), ("365", _l("a year")), ("", _l("never"))],
        default="90",
    )

    def validate_scopes(self, field: SelectMultipleField) -> None:
        """At least one scope."""
        if not field.data:
            raise ValidationError(_l("Choose at least one."))


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


class EditMacro(FlaskForm):
    """A reply template: its text, the intents it answers, and what it does besides."""

    name = StringField(_l("Name"), [REQUIRED, NAME])
    body = TextAreaField(_l("Text"), [REQUIRED, Length(max=20_000, message=_l("At most %(max)d characters."))])
    intents = SelectMultipleField(_l("Answers the intents"))
    status = SelectField(
        _l("Sets the status"),
        choices=[
            ("", _l("leave it as it is")),
            ("open", _l("Open")),
            ("pending", _l("Pending")),
            ("solved", _l("Solved")),
        ],
    )
    route = SelectField(_l("Moves to the queue"))
    tags = StringField(_l("Adds the tags"), [Optional(), Length(max=500)])


class NewFeed(FlaskForm):
    """A source of posts."""

    name = StringField(_l("Name"), [REQUIRED, NAME])
    kind = SelectField(
        _l("Kind"), choices=[("rss", _l("RSS or Atom")), ("push", _l("Push (API)")), ("file", _l("File"))]
    )
    url = StringField(_l("Address of the feed"), [Length(max=2000)], render_kw={"type": "url", "inputmode": "url"})
    zone = StringField(_l("Time zone"), [REQUIRED, zone_known], default="UTC", render_kw={"list": "zones"})
    licence_note = StringField(_l("Licence note"), [Optional(), Length(max=500)])
    team_id = SelectField(_l("Team"), coerce=int, default=EVERYBODY)
    language = StringField(
        _l("Language of its posts"),
        [Optional(), Regexp(r"^[a-z]{2}$", message=_l("Write a code of two letters, such as en or zh."))],
    )
    weight = DecimalField(_l("Weight"), [Optional(), NumberRange(0.1, 100)], default=1, places=1)
    silent_hours = IntegerField(_l("Silent when nothing came for, hours"), [Optional(), NumberRange(0, 24 * 90)])

    def validate_url(self, field: StringField) -> None:
        """An address where one is needed; whether it is one is checked where it is kept."""
        if self.kind.data == "rss" and not (field.data or "").strip():
            raise ValidationError(_l("An RSS or Atom feed needs an address that begins with http:// or https://."))


class PostFile(FlaskForm):
    """A file of posts."""

    file = FileField(
        _l("CSV, JSONL or RSS file"),
        [FileRequired(_l("Choose a file."))],
        render_kw={"accept": ".csv,.jsonl,.ndjson,.json,.xml,.rss"},
    )


class EditRule(FlaskForm):
    """When bad news is an alert."""

    name = StringField(_l("Name"), [REQUIRED, NAME])
    kind = SelectField(
        _l("Fires on"),
        choices=[
            ("surge", _l("A surge of bad news")),
            ("volume", _l("A surge of any news")),
            ("threshold", _l("A fixed threshold")),
            ("absence", _l("No news for the window")),
            ("mention", _l("Every mention")),
        ],
    )
    budget = DecimalField(_l("At most so many false alarms a week"), [REQUIRED, NumberRange(0.01, 1000)], places=2)
    subject_kind = SelectField(
        _l("Watches each"),
        choices=[
            ("entity", _l("Company")),
            ("topic", _l("Topic")),
            ("feed", _l("Feed")),
            ("market", _l("Whole market")),
        ],
    )
    subject_id = StringField(_l("Only this one"), [Optional(), Length(max=120)])
    window_hours = IntegerField(_l("Window, hours"), [REQUIRED, NumberRange(1, 24 * 28)])
    baseline_days = IntegerField(_l("Compared with the days before"), [REQUIRED, NumberRange(1, 365)])
    min_stories = IntegerField(_l("At least so many stories"), [REQUIRED, NumberRange(1, 100_000)])
    min_negative = IntegerField(_l("At least so many negative ones"), [InputRequired(), NumberRange(0, 100_000)])
    share = IntegerField(_l("Negative share at least, percent"), [REQUIRED, NumberRange(0, 100)])
    lift = DecimalField(_l("Times the usual share"), [REQUIRED, NumberRange(0, 100)], places=1)
    pending_minutes = IntegerField(_l("Must hold, minutes"), [InputRequired(), NumberRange(0, 7 * 1440)])
    recovering_hours = IntegerField(_l("Resolved after quiet hours"), [InputRequired(), NumberRange(0, 24 * 14)])
    cooldown_hours = IntegerField(_l("Silent after its end, hours"), [InputRequired(), NumberRange(0, 24 * 14)])
    severity = SelectField(
        _l("Severity"), choices=[("info", _l("Info")), ("warning", _l("Warning")), ("critical", _l("Critical"))]
    )
    is_active = BooleanField(_l("In force"), default=True)


class NewSilence(FlaskForm):
    """Tell nobody for a while, and why."""

    hours = SelectField(
        _l("For"),
        choices=[("4", _l("4 hours")), ("24", _l("a day")), ("72", _l("3 days")), ("168", _l("a week"))],
        default="24",
    )
    comment = StringField(_l("Why"), [REQUIRED, Length(max=500)])


class EntityFile(FlaskForm):
    """A list of companies."""

    file = FileField(_l("CSV file"), [FileRequired(_l("Choose a file."))], render_kw={"accept": ".csv,text/csv"})


class NewEntity(FlaskForm):
    """A company to watch."""

    ticker = StringField(
        _l("Ticker"), [REQUIRED, Regexp(r"^[A-Za-z0-9.\-]{1,12}$", message=_l("Letters and digits, at most 12."))]
    )
    name = StringField(_l("Name"), [REQUIRED, NAME])
    sector = StringField(_l("Sector"), [Optional(), NAME])
    aliases = StringField(_l("Other names, with commas between"), [Optional(), Length(max=1000)])
    ambiguous = StringField(_l("Names that need another sign beside them"), [Optional(), Length(max=1000)])
