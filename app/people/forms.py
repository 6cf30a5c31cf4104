"""Forms about people: sign-in, the reader's own account, and the administrator's forms of people and teams."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import BooleanField, PasswordField, SelectField, SelectMultipleField, StringField
from wtforms.validators import EqualTo, Length, Optional, ValidationError

from app.core.permissions import TOKEN_SCOPES
from app.web.form_fields import ADDRESS, NAME, REQUIRED, zone_known

PASSWORD = Length(min=12, max=200, message=_l("Choose at least 12 characters."))


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
    """A person's name, language and time zone."""

    name = StringField(_l("Name"), [REQUIRED, NAME], render_kw={"autocomplete": "name"})
    locale = SelectField(_l("Language"), choices=[("en", "English"), ("zh", "简体中文")])
    zone = StringField(_l("Time zone"), [REQUIRED, zone_known], render_kw={"list": "zones"})


class NewPassword(FlaskForm):
    """A new password, with the present one where there is one."""

    current = PasswordField(_l("Present password"), [Optional()], render_kw={"autocomplete": "current-password"})
    password = PasswordField(_l("New password"), [REQUIRED, PASSWORD], render_kw={"autocomplete": "new-password"})


class NewToken(FlaskForm):
    """A new API token: purpose, scopes and end."""

    name = StringField(_l("What it is for"), [REQUIRED, NAME])
    scopes = SelectMultipleField(_l("What it may do"), choices=[(scope, scope) for scope in TOKEN_SCOPES])
    days = SelectField(
        _l("Ends after"),
        choices=[("30", _l("30 days")), ("90", _l("90 days")), ("365", _l("a year")), ("", _l("never"))],
        default="90",
    )

    def validate_scopes(self, field: SelectMultipleField) -> None:
        """Raise ValidationError without a scope."""
        if not field.data:
            raise ValidationError(_l("Choose at least one."))


class EditUser(FlaskForm):
    """A person and their role."""

    name = StringField(_l("Name"), [REQUIRED, NAME])
    email = StringField(_l("E-mail"), [REQUIRED, ADDRESS], render_kw={"type": "email"})
    role = SelectField(
        _l("Role"), choices=[("agent", _l("Agent")), ("analyst", _l("Analyst")), ("admin", _l("Administrator"))]
    )
    locale = SelectField(_l("Language"), choices=[("en", "English"), ("zh", "简体中文")])
    zone = StringField(_l("Time zone"), [REQUIRED, zone_known], default="UTC")
    is_active = BooleanField(_l("May sign in"), default=True)


class EditTeam(FlaskForm):
    """A team and its members."""

    name = StringField(_l("Name"), [REQUIRED, NAME])
    members = SelectMultipleField(_l("Members"), coerce=int)
