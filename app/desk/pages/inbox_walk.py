"""The way from ticket to ticket in the order of the inbox that the reader saw last."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qsl

from flask import request, session, url_for
from werkzeug.datastructures import MultiDict

from app.desk.flows import show_inbox
from app.desk.pages import inbox_address
from app.web import query_string
from app.web.access import services, viewer

LONGEST = 600


def remember() -> None:
    """Keep the filter of the inbox for the tickets that are opened from it."""
    query = request.query_string.decode("ascii", "ignore")
    if len(query) <= LONGEST and session.get("inbox", "") != query:
        session["inbox"] = query


def _kept() -> MultiDict[str, str]:
    found = MultiDict(parse_qsl(session.get("inbox", "")))
    found.pop("after", None)
    return found


def inbox() -> str:
    """The address of the inbox as it was seen last."""
    return url_for("pages_inbox.index", **query_string.kept(_kept()))


def following(ticket_id: int) -> int | None:
    """The ticket that follows in the inbox, None at its end; raises NotFound."""
    return _neighbour(show_inbox.following, ticket_id)


def preceding(ticket_id: int) -> int | None:
    """The ticket that precedes in the inbox, None for the first one and far down the list; raises NotFound."""
    return _neighbour(show_inbox.preceding, ticket_id)


def _neighbour(find: Callable[..., int | None], ticket_id: int) -> int | None:
    kept, me = _kept(), viewer()
    chosen, sort = inbox_address.ticket_filter(kept, me=me.user_id), inbox_address.sort(kept)
    return find(services(), ticket_id, chosen, viewer=me, sort=sort)
