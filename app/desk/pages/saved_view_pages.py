"""Saved views at the side of the inbox: addresses with names."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

from flask import Blueprint, flash, redirect, request, url_for
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from app.core import changes
from app.core.errors import BellwetherError
from app.core.permissions import Viewer
from app.core.views import keep_saved_views, saved_view_rows
from app.core.views.keep_saved_views import INBOX_VIEW
from app.desk.flows import show_inbox
from app.desk.pages import inbox_address
from app.web.access import requires, services, viewer
from app.web.display.translation import gettext as _
from app.web.template_context import tell

blueprint = Blueprint("pages_views", __name__)

MOST_COUNTED = 8
"""Views that are counted on every page; those further down are not."""

_KEPT = frozenset((
    "queue", "status", "intent", "sentiment", "priority", "band", "assignee", "needs_person", "language", "sla", "sort",
    "q",
))  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Pinned:
    """A view as the side shows it; `n` is None where counting would take long."""

    id: int
    name: str
    url: str
    is_here: bool
    is_shared: bool
    may_remove: bool
    n: int | None


def query_of(arguments: MultiDict[str, str]) -> str:
    """The filter in an address as a text; equal filters are equal texts."""
    return urlencode(sorted((name, value) for name, value in arguments.items() if name in _KEPT and value))


def pinned(*, me: Viewer, arguments: MultiDict[str, str]) -> list[Pinned]:
    """The views in sight with their counts."""
    here = query_of(arguments)
    return [
        Pinned(
            id=view.id,
            name=view.name,
            url=url_for("pages_inbox.index") + "?" + view.query,
            is_here=view.query == here,
            is_shared=view.is_shared,
            may_remove=view.is_changeable(me),
            n=_count(view.query, me=me) if place < MOST_COUNTED else None,
        )
        for place, view in enumerate(saved_view_rows.every(services().db, viewer=me))
    ]


def _count(query: str, *, me: Viewer) -> int | None:
    chosen = inbox_address.ticket_filter(MultiDict(parse_qsl(query)), me=me.user_id)
    return show_inbox.quick_count(services(), chosen, viewer=me)


@blueprint.post("/views")
@requires("tickets:read")
def add() -> Response:
    """Save the filter of the page that it was sent from."""
    query = query_of(MultiDict(parse_qsl(request.form.get("query", ""))))
    is_shared = bool(request.form.get("is_shared")) and viewer().may("tickets:write")
    try:
        made = keep_saved_views.add(
            services(), viewer=viewer(), name=request.form.get("name", ""), query=query, is_shared=is_shared
        )
    except BellwetherError as error:
        tell(error)
    else:
        flash(_("The view “%(name)s” is saved.", name=made.row.name), "good")
    return redirect(url_for("pages_inbox.index") + "?" + query)


@blueprint.post("/views/<number:view_id>/remove")
@requires("tickets:read")
def remove(view_id: int) -> Response:
    """Remove a view; its tickets stay."""
    changes.remove(services().db, INBOX_VIEW, view_id, viewer=viewer())
    flash(_("The view is removed."), "good")
    return redirect(url_for("pages_inbox.index"))
