"""The forms about the market: topics, feeds, files of posts, and companies."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from flask_wtf.file import FileField, FileRequired
from wtforms import DecimalField, IntegerField, SelectField, StringField, TextAreaField
from wtforms.validators import Length, NumberRange, Optional, Regexp, ValidationError

from app.market.domain.topic import OwnTopic
from app.web.form_fields import EVERYBODY, NAME, REQUIRED, zone_known

MANY = Length(max=100_000, message=_l("At most %(max)d characters."))
LONG = Length(max=9000, message=_l("At most %(max)d characters."))


class EditTopic(FlaskForm):
    """A topic's name, and the words or examples that make it."""

    title = StringField(_l("Name"), [REQUIRED, Length(max=60, message=_l("At most %(max)d characters."))])
    words = TextAreaField(_l("One of these words or phrases"), [Optional(), LONG])
    examples = TextAreaField(_l("Or posts that mean the same as these"), [Optional(), MANY])
    unlike = TextAreaField(_l("Not meant are posts such as"), [Optional(), MANY])
    reach = DecimalField(
        _l("By examples at most, % of posts"), [Optional(), NumberRange(0.01, 20)], places=1, default=OwnTopic.reach
    )
    without = TextAreaField(_l("And none of these words"), [Optional(), LONG])


class FeedFields(FlaskForm):
    """The fields of a source of posts, new or as it is changed."""

    name = StringField(_l("Name"), [REQUIRED, NAME])
    url = StringField(_l("Address of the feed"), [Length(max=2000)], render_kw={"type": "url", "inputmode": "url"})
    zone = StringField(_l("Time zone"), [REQUIRED, zone_known], default="UTC", render_kw={"list": "zones"})
    licence_note = StringField(_l("Licence note"), [Optional(), Length(max=500)])
    team_id = SelectField(_l("Team"), coerce=int, default=EVERYBODY)
    language = StringField(
        _l("Language of its posts"),
        [Optional(), Regexp(r"^[a-z]{2}$", message=_l("Write a code of two letters, such as en or zh."))],
    )
    silent_hours = IntegerField(_l("Silent when nothing came for, hours"), [Optional(), NumberRange(0, 24 * 90)])


class EditFeed(FeedFields):
    """A source of posts as it is changed; its kind stays."""

    weight = DecimalField(_l("Weight"), [REQUIRED, NumberRange(0.1, 100)], places=1)
    interval_minutes = IntegerField(_l("Fetched every, minutes"), [Optional(), NumberRange(5, 7 * 1440)])


class NewFeed(FeedFields):
    """A source of posts."""

    kind = SelectField(
        _l("Kind"), choices=[("rss", _l("RSS or Atom")), ("push", _l("Push (API)")), ("file", _l("File"))]
    )
    weight = DecimalField(_l("Weight"), [Optional(), NumberRange(0.1, 100)], default=1, places=1)

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
