"""Quarantine: what came in and could not be filed, to be looked at, tried again or discarded."""

from __future__ import annotations

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from app.domain.quarantine import Quarantined
from app.errors import BellwetherError
from app.pipeline import quarantine as flow
from app.pipeline import quarantine_retry
from app.store import quarantine
from app.web import problems
from app.web.auth import requires, services, viewer
from app.web.pages import filters
from app.web.pages.admin_sections import SECTIONS
from app.web.pages.context import tell
from app.web.pages.translate import gettext as _

blueprint = Blueprint("pages_quarantine", __name__)

PAGE = 50
SUFFIXES = {"eml": "eml", "csv": "csv", "jsonl": "jsonl", "rss": "xml", "draft": "json"}


def _why(item: Quarantined) -> str:
    return problems.sentence(item.code, item.params)[1]


@blueprint.get("/admin/quarantine")
@requires("settings:write")
def index() -> str:
    """What waits for a decision, newest first."""
    page = quarantine.page(services().db, limit=PAGE, after=request.args.get("after"))
    return render_template(
        "admin/quarantine.html",
        sections=SECTIONS,
        page=page,
        why=_why,
        next_url=url_for("pages_quarantine.index", **{**filters.kept(request.args), "after": page.after or ""}),
    )


@blueprint.get("/admin/quarantine/<number:item_id>")
@requires("settings:write")
def show(item_id: int) -> str:
    """One item with its raw form as text."""
    item = quarantine.get(services().db, item_id)
    text = flow.text_of(services(), item)
    return render_template(
        "admin/quarantined.html", sections=SECTIONS, item=item, why=_why(item), text=text, shown=flow.HEAD
    )


@blueprint.get("/admin/quarantine/<number:item_id>/raw")
@requires("settings:write")
def raw(item_id: int) -> Response:
    """The raw form, always as a download: it is never shown as a page of this site."""
    item = quarantine.get(services().db, item_id)
    answer = Response(quarantine.raw(services().db, item_id), mimetype="application/octet-stream")
    answer.headers.set("Content-Disposition", "attachment", filename=f"quarantine-{item.id}.{SUFFIXES[item.form]}")
    return answer


@blueprint.post("/admin/quarantine/<number:item_id>/retry")
@requires("settings:write")
def retry(item_id: int) -> BaseResponse:
    """File it after all; where that fails again it stays, and the reason is told."""
    try:
        filed = quarantine_retry.try_again(services(), item_id, viewer=viewer())
    except BellwetherError as error:
        tell(error)
        return redirect(url_for("pages_quarantine.show", item_id=item_id))
    flash(_("It was filed and is in quarantine no longer."), "good")
    if filed.noun == "post":
        return redirect(url_for("pages_posts.show", post_id=filed.id))
    return redirect(url_for("pages_tickets.show", ticket_id=filed.id))


@blueprint.post("/admin/quarantine/<number:item_id>/discard")
@requires("settings:write")
def discard(item_id: int) -> BaseResponse:
    """Let it go for good."""
    flow.discard(services(), item_id, viewer=viewer())
    flash(_("It was discarded."), "good")
    return redirect(url_for("pages_quarantine.index"))
