"""The forms about alerts: rules, silences, the budget of false alarms, notes, and missed bad news."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import BooleanField, DecimalField, IntegerField, SelectField, StringField
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from app.web.form_fields import NAME, REQUIRED

NOTE = Length(max=1000, message=_l("At most %(max)d characters."))


class BudgetForm(FlaskForm):
    """The false alarms that the whole dashboard may raise."""

    a_week = DecimalField(_l("At most so many false alarms a week"), [REQUIRED, NumberRange(0.01, 1000)], places=2)


class Note(FlaskForm):
    """A note on what is done about an alert."""

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
    """The condition under which bad news is an alert."""

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
    """A silence: how long, and why."""

    hours = SelectField(
        _l("For"),
        choices=[("4", _l("4 hours")), ("24", _l("a day")), ("72", _l("3 days")), ("168", _l("a week"))],
        default="24",
    )
    comment = StringField(_l("Why"), [REQUIRED, Length(max=500)])
