"""The forms about answers: macros and articles."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import SelectField, SelectMultipleField, StringField, TextAreaField
from wtforms.validators import Length, Optional

from app.web.form_fields import NAME, REQUIRED, SLUG, WORDS

LONG = Length(max=20_000, message=_l("At most %(max)d characters."))


class EditMacro(FlaskForm):
    """A reply template: its text, the intents it answers, and what it does besides."""

    name = StringField(_l("Name"), [REQUIRED, NAME])
    body = TextAreaField(_l("Text"), [REQUIRED, LONG])
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


class TypedMacro(FlaskForm):
    """A reply template with its intents and actions typed as text."""

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
