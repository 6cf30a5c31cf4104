"""Quarantine: items that could not be filed, to look at, try again or discard."""

from __future__ import annotations

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from app.core.errors import BellwetherError
from app.core.quarantine import keep_in_quarantine as flow
from app.core.quarantine import quarantine_rows, try_again
from app.core.quarantine.arrival import Quarantined
from app.people.pages.admin_section import SECTIONS
from app.web import problem_sentences, query_string
from app.web.access import requires, services, viewer
from app.web.display.translation import gettext as _
from app.web.template_context import tell

blueprint = Blueprint("pages_quarantine", __name__)

PAGE = 50
SUFFIXES = {"eml": "eml", "csv": "csv", "jsonl": "jsonl", "rss": "xml", "draft": "json"}


def _why(item: Quarantined) -> str:
    return problem_sentences.sentence(item.code, item.params)[1]


@blueprint.get("/admin/quarantine")
@requires("settings:write")
def index() -> str:
    """List the items that wait for a decision, newest first."""
    page = quarantine_rows.page(services().db, limit=PAGE, after=request.args.get("after"))
    return render_template(
        "admin/quarantine.html",
        sections=SECTIONS,
        page=page,
        why=_why,
        next_url=url_for("pages_quarantine.index", **{**query_string.kept(request.args), "after": page.after or ""}),
    )


@blueprint.get("/admin/quarantine/<number:item_id>")
@requires("settings:write")
def show(item_id: int) -> str:
    """Show an item with its raw form as text."""
    item = quarantine_rows.get(services().db, item_id)
    text = flow.text_of(services(), item)
    return render_template(
        "admin/quarantined.html", sections=SECTIONS, item=item, why=_why(item), text=text, shown=flow.HEAD
    )


@blueprint.get("/admin/quarantine/<number:item_id>/raw")
@requires("settings:write")
def raw(item_id: int) -> Response:
    """Return the raw form as a download; it is never shown as a page of this site."""
    item = quarantine_rows.get(services().db, item_id)
    answer = Response(quarantine_rows.raw(services().db, item_id), mimetype="application/octet-stream")
    answer.headers.set("Content-Disposition", "attachment", filename=f"quarantine-{item.id}.{SUFFIXES[item.form]}")
    return answer


@blueprint.post("/admin/quarantine/<number:item_id>/retry")
@requires("settings:write")
def retry(item_id: int) -> BaseResponse:
    """File an item; where that fails again it stays, with the reason."""
    try:
        filed = try_again.try_again(services(), item_id, viewer=viewer())
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
    """Discard an item for good."""
    flow.discard(services(), item_id, viewer=viewer())
    flash(_("It was discarded."), "good")
    return redirect(url_for("pages_quarantine.index"))
