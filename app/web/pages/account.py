"""One's own account: language and zone, password, API tokens."""

from __future__ import annotations

from zoneinfo import available_timezones

from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from app import clock
from app.domain.people import User
from app.domain.series import DAY_MS
from app.errors import NotAllowed
from app.pipeline import accounts
from app.store import tokens
from app.web import auth
from app.web.auth import requires, services, viewer
from app.web.forms import NewPassword, NewToken, Profile
from app.web.pages.translate import gettext as _

blueprint = Blueprint("pages_account", __name__)

Shown = str | Response | tuple[str, int]


def _me() -> User:
    user = auth.signed_in_user()
    if user is None:
        raise NotAllowed(permission="account:write")
    return user


def _page(
    *,
    profile: Profile | None = None,
    password: NewPassword | None = None,
    token: NewToken | None = None,
    secret: str = "",
) -> str:
    user = _me()
    mine = tokens.every(services().db, user_id=user.id)
    return render_template(
        "account/index.html",
        user=user,
        tokens=sorted(mine, key=lambda entry: (entry.revoked_at is not None, -entry.created_at)),
        profile=profile or Profile(formdata=None, obj=user),
        password=password or NewPassword(formdata=None),
        maker=token or NewToken(formdata=None),
        secret=secret,
        zones=sorted(available_timezones()),
        now=clock.now_ms(),
    )


@blueprint.get("/account")
@requires("account:write")
def index() -> Shown:
    """Everything that is one's own."""
    return _page()


@blueprint.post("/account/profile")
@requires("account:write")
def profile() -> Shown:
    """Name, language and zone."""
    form = Profile()
    if not form.validate_on_submit():
        return _page(profile=form), 422
    changes = {"name": form.name.data, "locale": form.locale.data, "zone": form.zone.data}
    accounts.change_user(services(), _me().id, changes=changes, viewer=viewer())
    session["locale"] = form.locale.data
    flash(_("Saved."), "good")
    return redirect(url_for("pages_account.index"))


@blueprint.post("/account/password")
@requires("account:write")
def password() -> Shown:
    """A new password; other sessions end."""
    form, user = NewPassword(), _me()
    if not form.validate_on_submit():
        return _page(password=form), 422
    has_one = user.password_hash is not None
    if has_one and accounts.authenticate(services(), email=user.email, password=form.current.data or "") is None:
        flash(_("The present password is not right; nothing was changed."), "error")
        return _page(password=form), 422
    accounts.set_password(services(), user.id, password=form.password.data or "", viewer=viewer())
    fresh = accounts.authenticate(services(), email=user.email, password=form.password.data or "")
    if fresh is not None:
        auth.sign_in(fresh)
    flash(_("The password is changed; other sessions have ended."), "good")
    return redirect(url_for("pages_account.index"))


@blueprint.post("/account/tokens")
@requires("account:write")
def add_token() -> Shown:
    """A new API token, shown this once."""
    form = NewToken()
    if not form.validate_on_submit():
        return _page(token=form), 422
    expires_at = clock.now_ms() + int(form.days.data) * DAY_MS if form.days.data else None
    _token, secret = accounts.make_token(
        services(),
        user_id=_me().id,
        name=form.name.data or "",
        scopes=tuple(form.scopes.data or ()),
        expires_at=expires_at,
        viewer=viewer(),
    )
    return _page(secret=secret)


@blueprint.post("/account/tokens/<int:token_id>/revoke")
@requires("account:write")
def revoke_token(token_id: int) -> Response:
    """End a token at once."""
    if tokens.get(services().db, token_id).user_id != _me().id:
        raise NotAllowed(permission="tokens:write")
    accounts.revoke_token(services(), token_id, viewer=viewer())
    flash(_("The token is revoked; programs that use it are refused from now on."), "good")
    return redirect(url_for("pages_account.index") + f"#{request.form.get('at', 'tokens')}")
