"""The forms about alerts: rules, silences, receivers with their routes, notes, and bad news that nobody was told of."""

from __future__ import annotations

import re

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import BooleanField, DecimalField, IntegerField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, NumberRange, Optional, ValidationError

from app.web.form_fields import NAME, REQUIRED, zone_known

NOTE = Length(max=1000, message=_l("At most %(max)d characters."))
TIME = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")


def _time(_form: FlaskForm, field: StringField) -> None:
    if field.data and not TIME.fullmatch(field.data):
        raise ValidationError(_l("Write a time of the day like 22:30."))


def minutes(text: str | None) -> int | None:
    """A time of the day in minutes; None for an empty field."""
    found = TIME.fullmatch(text or "")
    return int(found[1]) * 60 + int(found[2]) if found else None


def clock_text(minute: int | None) -> str:
    """Minutes of the day as a form shows them."""
    return "" if minute is None else f"{minute // 60:02}:{minute % 60:02}"


class EditReceiver(FlaskForm):
    """Where notifications go, and by which route."""

    name = StringField(_l("Name"), [REQUIRED, NAME])
    kind = SelectField(
        _l("Kind"),
        choices=[
            ("apprise", _l("Mail or chat (Apprise)")),
            ("webhook", _l("Webhook (Standard Webhooks)")),
            ("alertmanager", _l("Webhook in Alertmanager's shape")),
            ("alertmanager_api", _l("Prometheus Alertmanager")),
        ],
    )
    url = StringField(_l("Address"), [Optional(), Length(max=2000)], render_kw={"autocomplete": "off"})
    verbs = StringField(_l("Only of"), [Optional(), Length(max=500)])
    matchers = TextAreaField(_l("Only alerts that match"), [Optional(), Length(max=2000)])
    group_by = SelectField(
        _l("Put together"),
        choices=[
            ("alert", _l("each alert alone")),
            ("sector", _l("by sector")),
            ("all", _l("all in one message")),
        ],
    )
    group_wait_seconds = IntegerField(_l("Wait for others, seconds"), [InputRequired(), NumberRange(0, 86_400)])
    repeat_hours = IntegerField(_l("Tell again every, hours"), [InputRequired(), NumberRange(0, 720)])
    escalate_minutes = IntegerField(
        _l("Only when nobody acknowledged for, minutes"), [InputRequired(), NumberRange(0, 10_080)]
    )
    quiet_from = StringField(_l("Quiet from"), [Optional(), _time], render_kw={"type": "time"})
    quiet_until = StringField(_l("Quiet until"), [Optional(), _time], render_kw={"type": "time"})
    digest_at = StringField(_l("One digest a day at"), [Optional(), _time], render_kw={"type": "time"})
    zone = StringField(_l("Time zone"), [REQUIRED, zone_known], default="UTC", render_kw={"list": "zones"})
    locale = SelectField(
        _l("Language"), choices=[("", _l("that of the installation")), ("en", "English"), ("zh", "简体中文")]
    )
    is_active = BooleanField(_l("In use"), default=True)


class BudgetForm(FlaskForm):
    """The false alarms that the whole dashboard may raise."""

    a_week = DecimalField(_l("At most so many false alarms a week"), [REQUIRED, NumberRange(0.01, 1000)], places=2)


class Note(FlaskForm):
    """What is being done about an alert."""

    note = StringField(_l("Note"), [Optional(), NOTE])


class Missed(FlaskForm):
    """Bad news of which no rule told."""

    hours = SelectField(
        _l("When it began"),
        choices=[
            ("1", _l("an hour ago")),
            ("6", _l("6 hours ago")),
            ("24", _l("a day ago")),
            ("72", _l("3 days ago")),
            ("168", _l("a week ago")),
        ],
    )
    comment = StringField(_l("What happened"), [REQUIRED, NOTE])


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
