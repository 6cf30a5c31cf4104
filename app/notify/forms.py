"""The form of a receiver with its route."""

from __future__ import annotations

import re

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import BooleanField, IntegerField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, NumberRange, Optional, ValidationError

from app.web.form_fields import NAME, REQUIRED, zone_known

TIME = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")


def _time(_form: FlaskForm, field: StringField) -> None:
    if field.data and not TIME.fullmatch(field.data):
        raise ValidationError(_l("Write a time of the day like 22:30."))


def minutes(text: str | None) -> int | None:
    """Return a time of the day in minutes; None for an empty field."""
    found = TIME.fullmatch(text or "")
    return int(found[1]) * 60 + int(found[2]) if found else None


def clock_text(minute: int | None) -> str:
    """Return minutes of the day as a form shows them."""
    return "" if minute is None else f"{minute // 60:02}:{minute % 60:02}"


class EditReceiver(FlaskForm):
    """The form of a receiver and its route."""

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
