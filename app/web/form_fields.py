"""Validators of form fields that several areas use."""

from __future__ import annotations

from zoneinfo import available_timezones

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import StringField
from wtforms.validators import InputRequired, Length, Regexp, ValidationError

REQUIRED = InputRequired(_l("Please fill this in."))
NAME = Length(max=120, message=_l("At most %(max)d characters."))
WORDS = Length(max=2000, message=_l("At most %(max)d characters."))
ADDRESS = Regexp(r"^[^@\s]+@[^@\s]+$", message=_l("This is not an e-mail address."))
SLUG = Regexp(r"^[a-z0-9][a-z0-9-]{0,60}$", message=_l("Use small letters, digits and hyphens."))
EVERYBODY = 0
"""The choice of no team; select fields hold numbers."""


def zone_known(_form: FlaskForm, field: StringField) -> None:
    """Raise ValidationError for a field that names no time zone."""
    if field.data not in available_timezones():
        raise ValidationError(_l("There is no such time zone; write one like Europe/Dublin."))
