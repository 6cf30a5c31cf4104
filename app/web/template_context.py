"""Functions for every template (words, formats, icons, navigation), and messages with an Undo button."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Flask, flash, g, request, session, url_for
from werkzeug.routing import BaseConverter

from app.core import changes, clock
from app.core.db import Reads
from app.core.errors import BellwetherError
from app.core.events.event import Event
from app.core.permissions import Viewer
from app.core.registry import Registry
from app.web import access, error_rendering
from app.web.display import formats
from app.web.display.enum_words import word
from app.web.display.icons import icon
from app.web.display.label_titles import label_title, task_title
from app.web.display.translation import gettext as _

LISTING = frozenset({"invalid_input", "invalid_rule"})
"""Codes whose sentence refers to a list of faults."""

COUNTS: Registry[Callable[[Reads, Viewer], int]] = Registry()
"""Counts of things that need attention, by the endpoint of an entry of the navigation."""

MOST_OFFERS = 5
LANGUAGES = (("en", "English"), ("zh", "简体中文"))


class NumberConverter(BaseConverter):
    """An id in an address, with or without its prefix (`tkt_81`, `81`)."""

    regex = r"(?:[a-z]{3}_)?[0-9]{1,15}"

    def to_python(self, value: str) -> int:
        """Return the number."""
        return int(value.rpartition("_")[2])

    def to_url(self, value: object) -> str:
        """Return the number without a prefix."""
        return str(value)


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One entry of the main navigation; `count` is the number of things that need attention."""

    title: str
    url: str
    icon: str
    is_here: bool
    count: int = 0


def reader() -> Viewer | None:
    """Return the reader of the page; None without one or where the database cannot be read."""
    if "page_reader" not in g:
        try:
            g.page_reader = access.visitor()
        except BellwetherError:
            g.page_reader = None
    found: Viewer | None = g.page_reader
    return found


def _count(endpoint: str, viewer: Viewer) -> int:
    try:
        return COUNTS[endpoint](access.services().db, viewer) if endpoint in COUNTS else 0
    except BellwetherError:
        return 0


def navigation() -> list[Entry]:
    """Return the entries of the navigation that the reader may open."""
    me = reader()
    if me is None:
        return []
    path = request.path
    sections = (
        ("tickets:read", _("Tickets"), "pages_inbox.index", "inbox", ("/tickets", "/macros", "/routing", "/teach")),
        ("market:read", _("Market"), "pages_market.index", "graph-up", ("/market", "/feeds", "/wall")),
        ("alerts:read", _("Alerts"), "pages_alerts.index", "bell", ("/alerts", "/rules", "/receivers")),
        ("reports:read", _("Reports"), "pages_reports.index", "bar-chart", ("/reports",)),
        ("models:read", _("Model"), "pages_models.index", "cpu", ("/model",)),
    )
    return [
        Entry(
            title=title,
            url=url_for(endpoint),
            icon=symbol,
            is_here=path.startswith(prefixes),
            count=_count(endpoint, me),
        )
        for permission, title, endpoint, symbol, prefixes in sections
        if me.may(permission)
    ]


def here() -> str:
    """Return the address of this page, to come back to after a form; for an answer to a form that of the home page."""
    if request.method == "GET":
        return request.full_path.rstrip("?")
    return url_for("pages_home.index")


def offer_undo(message: str, *, event_id: int, back: str, until: int | None = None, endpoint: str) -> None:
    """Show a message on the next page with an Undo button for an event; `until` (ms UTC) ends the offer."""
    offer = {"message": message, "event_id": event_id, "back": back, "until": until, "endpoint": endpoint}
    # A message of another tab may not be shown yet: each keeps its own button.
    session["undo"] = [*session.get("undo", ()), offer][-MOST_OFFERS:]


def tell_changed(message: str, *, event: Event | None, back: str, endpoint: str = "pages_admin.undo") -> None:
    """Show a message on the next page, with a button that undoes exactly this event where that is possible."""
    if event is not None and changes.is_undoable(event):
        offer_undo(message, event_id=event.id, back=back, until=event.after.get("not_before_at"), endpoint=endpoint)
    else:
        flash(message, "good")


def tell(error: BellwetherError) -> int:
    """Show an error above the form, field by field where its fields are known; returns the status of the answer."""
    problem = error_rendering.of(error)
    faults = [fault["detail"] for fault in problem.errors] if error.code in LISTING else []
    for sentence in faults or [problem.detail]:
        flash(sentence, "error")
    return problem.status


def refused(error: BellwetherError, page: Callable[[], str]) -> tuple[str, int]:
    """Return the page of a refused form with its error, and the status; the message must exist before the page."""
    status = tell(error)
    return page(), status


def undo_offers() -> list[dict[str, Any]]:
    """Return the messages with an Undo button and the ms left for each (None: no limit); each is shown once."""
    now = clock.now_ms()
    return [{**one, "left_ms": max(one["until"] - now, 0) if one["until"] else None} for one in session.pop("undo", ())]


def asset(filename: str) -> str:
    """Return the address of a static file."""
    return url_for("static", filename=filename)


def install(app: Flask) -> None:
    """Give the templates their functions and filters."""
    shown = (
        formats.ago, formats.count_range, formats.day, formats.number, formats.page_locale, formats.percent,
        formats.percent1, formats.percent_range, formats.points, formats.signed, formats.signed_range, formats.size,
        formats.span, formats.stamp, formats.when,
        asset, here, icon, label_title, navigation, reader, task_title, undo_offers, word,
    )  # fmt: skip
    app.url_map.converters["number"] = NumberConverter
    app.jinja_env.globals.update({function.__name__: function for function in shown})
    app.jinja_env.filters |= {"signed": formats.signed, "label_title": label_title}
    app.jinja_env.globals["languages"] = lambda: LANGUAGES
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
