"""The start page, which leads each role to its work."""

from __future__ import annotations

from flask import Blueprint, redirect, url_for
from werkzeug.wrappers import Response

from app.people.flows import keep_accounts
from app.web.access import public, services, visitor

blueprint = Blueprint("pages_home", __name__)


@blueprint.get("/")
@public
def index() -> Response:
    """Lead agents to the inbox, analysts to the market, a new installation to its set-up."""
    me = visitor()
    if me is None:
        is_new = keep_accounts.needs_first_admin(services())
        return redirect(url_for("pages_session.setup" if is_new else "pages_session.sign_in"))
    return redirect(url_for("pages_inbox.index" if me.may("tickets:read") else "pages_market.index"))
