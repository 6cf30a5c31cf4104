"""The reader's own account: language and time zone, password, API tokens, signed-in browsers."""

from __future__ import annotations

from zoneinfo import available_timezones

from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from app.core import changes, clock
from app.core.durations import DAY_MS
from app.core.errors import NotAllowed, NotFound, Overloaded
from app.core.permissions import User
from app.people.flows import keep_accounts, keep_sessions, keep_tokens, sign_in
from app.people.flows.keep_accounts import USER
from app.people.forms import NewPassword, NewToken, Profile
from app.people.pages import devices, identity
from app.web import access
from app.web.access import requires, services, viewer
from app.web.display.translation import gettext as _
from app.web.display.translation import ngettext
from app.web.template_context import refused

blueprint = Blueprint("pages_account", __name__)

Shown = str | Response | tuple[str, int]


def _me() -> User:
    user = access.signed_in_user()
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
    tokens = keep_tokens.of_viewer(services().db, viewer=viewer())
    return render_template(
        "account/index.html",
        user=user,
        tokens=sorted(tokens, key=lambda entry: (entry.revoked_at is not None, -entry.created_at)),
        profile=profile or Profile(formdata=None, obj=user),
        password=password or NewPassword(formdata=None),
        maker=token or NewToken(formdata=None),
        sessions=keep_sessions.of_user(services().db, user.id),
        this_session=identity.session_id(),
        end_url=lambda session_id: url_for("pages_account.end_session", session_id=session_id),
        secret=secret,
        zones=sorted(available_timezones()),
        now=clock.now_ms(),
    )


@blueprint.get("/account")
@requires("account:write")
def index() -> Shown:
    """Show the account with its forms."""
    return _page()


@blueprint.post("/account/profile")
@requires("account:write")
def profile() -> Shown:
    """Change name, language and time zone."""
    form = Profile()
    if not form.validate_on_submit():
        return _page(profile=form), 422
    given = {"name": form.name.data, "locale": form.locale.data, "zone": form.zone.data}
    changes.change(services().db, USER, _me().id, given, viewer=viewer())
    session["locale"] = form.locale.data
    flash(_("Saved."), "good")
    return redirect(url_for("pages_account.index"))


@blueprint.post("/account/password")
@requires("account:write")
def password() -> Shown:
    """Change the password, which ends the other sessions."""
    form, user = NewPassword(), _me()
    if not form.validate_on_submit():
        return _page(password=form), 422
    try:
        is_theirs = user.password_hash is None or _is_right(user, form.current.data or "")
    except Overloaded as error:
        return refused(error, lambda: _page(password=form))
    if not is_theirs:
        flash(_("The present password is not right; nothing was changed."), "error")
        return _page(password=form), 422
    changed = keep_accounts.set_password(services(), user.id, password=form.password.data or "", viewer=viewer())
    identity.sign_in(changed, way="new_password")
    flash(_("The password is changed; other sessions have ended."), "good")
    return redirect(url_for("pages_account.index"))


def _is_right(user: User, password: str) -> bool:
    # Counted like a sign-in: nobody may try passwords here in a browser that was left open.
    origin = devices.origin()
    return sign_in.with_password(services(), email=user.email, password=password, origin=origin) is not None


@blueprint.post("/account/sessions/<int:session_id>/end")
@requires("account:write")
def end_session(session_id: int) -> Response:
    """Sign one of the reader's own browsers out."""
    if session_id == identity.session_id():
        identity.sign_out()
        return redirect(url_for("pages_session.sign_in"))
    try:
        keep_sessions.end(services(), session_id, user_id=_me().id, viewer=viewer())
        flash(_("That browser is signed out."), "good")
    except NotFound:
        flash(_("That session has ended already."), "good")
    return redirect(url_for("pages_account.index") + "#sessions")


@blueprint.post("/account/sessions/end-others")
@requires("account:write")
def end_others() -> Response:
    """Sign every other browser out."""
    n_ended = keep_sessions.end_all(services(), _me().id, viewer=viewer(), but=identity.session_id())
    flash(ngettext("%(num)s other browser is signed out.", "%(num)s other browsers are signed out.", n_ended), "good")
    return redirect(url_for("pages_account.index") + "#sessions")


@blueprint.post("/account/tokens")
@requires("account:write")
def add_token() -> Shown:
    """Make an API token and show its secret, this once."""
    form = NewToken()
    if not form.validate_on_submit():
        return _page(token=form), 422
    expires_at = clock.now_ms() + int(form.days.data) * DAY_MS if form.days.data else None
    _token, secret = keep_tokens.make_token(
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
    """Revoke a token at once."""
    keep_tokens.revoke_token(services(), token_id, viewer=viewer())
    flash(_("The token is revoked; programs that use it are refused from now on."), "good")
    return redirect(url_for("pages_account.index") + f"#{request.form.get('at', 'tokens')}")
