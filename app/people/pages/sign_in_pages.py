"""Signing in and out: password, one-time links, the first administrator, the language."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from functools import partial

from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from app.core import changes
from app.core.errors import Conflict, NotAllowed, Overloaded
from app.people.flows import keep_accounts
from app.people.flows import sign_in as flow
from app.people.flows.keep_accounts import USER
from app.people.forms import Setup, SignIn
from app.people.pages import devices, identity
from app.web import access, error_rendering, security
from app.web.access import public, services
from app.web.display.formats import page_locale
from app.web.display.translation import gettext as _
from app.web.template_context import LANGUAGES, refused

blueprint = Blueprint("pages_session", __name__)

Shown = str | Response | tuple[str, int] | tuple[str, int, Mapping[str, str]]


@blueprint.route("/sign-in", methods=["GET", "POST"])
@public
def sign_in() -> Shown:
    """Sign in with e-mail and password; a new installation leads to its set-up."""
    if access.visitor() is not None and request.method == "GET":
        return redirect(access.safe_next(request.args.get("next")))
    if keep_accounts.needs_first_admin(services()):
        return redirect(url_for("pages_session.setup"))
    form = SignIn()
    if not form.validate_on_submit():
        return render_template("session/sign_in.html", form=form)
    shown = partial(render_template, "session/sign_in.html", form=form)
    email, password = form.email.data or "", form.password.data or ""
    try:
        user = flow.with_password(services(), email=email, password=password, origin=devices.origin())
    except Overloaded as error:
        return *refused(error, shown), error_rendering.of(error).headers
    if user is None:
        flash(_("E-mail and password do not match."), "error")
        return shown(), 401
    identity.sign_in(user, way="password")
    return redirect(access.safe_next(request.args.get("next")))


@blueprint.route("/sign-in/<secret>", methods=["GET", "POST"])
@public
def sign_in_link(secret: str) -> Shown:
    """Sign in with a one-time link; a button must be pressed, so that link scanners do not use it up."""
    if request.method == "GET":
        return render_template("session/link.html", secret=secret)
    user = flow.with_link(services(), secret)
    if user is None:
        flash(_("This link was used before or has expired. Ask for a new one."), "error")
        return redirect(url_for("pages_session.sign_in"))
    identity.sign_in(user, way="link")
    return redirect(url_for("pages_home.index"))


@blueprint.post("/sign-out")
@public
def sign_out() -> Response:
    """End the session."""
    identity.sign_out()
    return redirect(url_for("pages_session.sign_in"))


@blueprint.route("/setup", methods=["GET", "POST"])
@public
def setup() -> Shown:
    """Add the first administrator through the link that the start prints; closed for ever once there is one."""
    if not keep_accounts.needs_first_admin(services()):
        return redirect(url_for("pages_session.sign_in"))
    known = security.setup_secret(access.settings())
    if not hmac.compare_digest(request.args.get("secret", "").encode(), known.encode()):
        raise NotAllowed("setup_secret")
    form = Setup()
    if not form.validate_on_submit():
        return render_template("session/setup.html", form=form)
    try:
        user = keep_accounts.first_admin(
            services(),
            name=form.name.data or "",
            email=form.email.data or "",
            password=form.password.data or "",
            locale=page_locale(),
        )
    except Conflict:
        return redirect(url_for("pages_session.sign_in"))
    identity.sign_in(user, way="setup")
    return redirect(url_for("pages_home.index"))


@blueprint.post("/language")
@public
def language() -> Response:
    """Set the language of the interface for this session and for the person who is signed in."""
    chosen = request.form.get("locale", "")
    if chosen in dict(LANGUAGES):
        session["locale"] = chosen
        user, me = access.signed_in_user(), access.visitor()
        if user is not None and me is not None and user.locale != chosen:
            changes.change(services().db, USER, user.id, {"locale": chosen}, viewer=me)
    return redirect(access.safe_next(request.form.get("next")))
