"""The entries of the command palette besides the page's own actions: pages, queues, views and macros."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, url_for

from app.answers.flows import find_macros
from app.desk.flows import show_queues
from app.web.access import requires, services, viewer
from app.web.display.translation import gettext as _
from app.web.template_context import navigation

blueprint = Blueprint("pages_palette", __name__)

Item = dict[str, str]


@blueprint.get("/palette")
@requires("tickets:read")
def entries() -> Response:
    """Return every entry with its `kind`, `title` and `url`."""
    return jsonify({"entries": [*_pages(), *_desk(), *_views(), *_queues(), *_macros()]})


def _pages() -> list[Item]:
    return [{"kind": _("Page"), "title": entry.title, "url": entry.url} for entry in navigation()]


def _desk() -> list[Item]:
    pages = (
        ("macros:read", _("Macros"), "pages_macros.index"),
        ("routing:read", _("Routing"), "pages_routing.index"),
        ("routing:read", _("What the model may route"), "pages_routing.trust"),
        ("tickets:write", _("Teach"), "pages_teach.index"),
    )
    me = viewer()
    return [
        {"kind": _("Page"), "title": title, "url": url_for(endpoint)}
        for permission, title, endpoint in pages
        if me.may(permission)
    ]


def _views() -> list[Item]:
    views = (
        (_("Assigned to me"), url_for("pages_inbox.index", assignee="me")),
        (_("Not assigned"), url_for("pages_inbox.index", assignee="none")),
        (_("Needs a person"), url_for("pages_inbox.index", needs_person="1")),
        (_("Everything"), url_for("pages_inbox.index", status="all", sort="newest")),
    )
    return [{"kind": _("View"), "title": title, "url": url} for title, url in views]


def _queues() -> list[Item]:
    return [
        {"kind": _("Queue"), "title": queue.title, "url": url_for("pages_inbox.index", queue=queue.id)}
        for queue in show_queues.every(services(), viewer=viewer())
    ]


def _macros() -> list[Item]:
    if not viewer().may("macros:read"):
        return []
    return [
        {
            "kind": _("Macro"),
            "title": macro.name,
            "macro": str(macro.id),
            "url": url_for("pages_macros.index", q=macro.name),
        }
        for macro in find_macros.with_words(services())
    ]
