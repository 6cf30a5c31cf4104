"""The forms about the market: the analysts' own topics."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import StringField, TextAreaField
from wtforms.validators import Length, Optional

from app.web.forms import REQUIRED

LONG = Length(max=9000, message=_l("At most %(max)d characters."))


class EditTopic(FlaskForm):
    """What a topic is called, and the words that make it."""

    title = StringField(_l("Name"), [REQUIRED, Length(max=60, message=_l("At most %(max)d characters."))])
    words = TextAreaField(_l("One of these words or phrases"), [REQUIRED, LONG])
    without = TextAreaField(_l("And none of these"), [Optional(), LONG])
