"""Saving a filter of the inbox, or a dashboard of the market, under a name, for oneself or for all."""

from __future__ import annotations

import sqlite3

from app.core import changes
from app.core.db import Reads, Transaction
from app.core.errors import InputError, NotAllowed
from app.core.nouns import Changed, Fields, Noun
from app.core.permissions import Viewer
from app.core.services import Services
from app.core.views import saved_view_rows
from app.core.views.saved_view import Place, SavedView

LONGEST = {"name": 60, "query": 1000}


class ViewNoun(Noun[SavedView]):
    """Saved views of one `place`, or of all; a shared one is changed by its owner and by administrators."""

    name = "view"
    table = "saved_view"
    permission = "account:write"
    fields = frozenset({"name", "query", "is_shared"})
    needed = ("name",)
    titles = ("name", "query", "is_shared")

    def __init__(self, place: Place | None = None) -> None:
        super().__init__()
        self._place = place

    def make(self, row: sqlite3.Row) -> SavedView:
        """A view out of its row."""
        return saved_view_rows.as_view(row)

    def see(self, db: Reads, row: SavedView, viewer: Viewer) -> None:
        """Raise NotFound for a view that is out of sight, NotAllowed for a shared one of somebody else."""
        saved_view_rows.check_sight(row, viewer=viewer, place=self._place)
        if not row.is_changeable(viewer):
            raise NotAllowed(permission="*:*")

    def check(self, tx: Transaction, given: Fields, was: SavedView | None) -> Fields:
        """Return the fields with single spaces in the name; raises InputError `too_long`."""
        found = dict(given)
        if "name" in found:
            found["name"] = " ".join(str(found["name"]).split())
        for name, limit in LONGEST.items():
            if len(found.get(name, "")) > limit:
                raise InputError("too_long", limit=limit)
        return found


_READS: dict[Place, str] = {"inbox": "tickets:read", "market": "market:read"}
VIEW, INBOX_VIEW, DASHBOARD = ViewNoun(), ViewNoun("inbox"), ViewNoun("market")


def add(
    services: Services, *, viewer: Viewer, name: str, query: str, is_shared: bool = False, place: Place = "inbox"
) -> Changed[SavedView]:
    """Save a view of the viewer; raises InputError for a name that is missing or too long, Conflict `name_taken`."""
    user_id = viewer.person_id(permission=_READS[place])
    given = {"name": name, "query": query, "is_shared": is_shared}
    return changes.add(services.db, VIEW, given, viewer=viewer, columns={"user_id": user_id, "place": place})
