"""Rows of saved views and dashboards."""

from __future__ import annotations

import sqlite3

from app.core.db import Reads
from app.core.errors import NotFound
from app.core.permissions import Viewer
from app.core.storage.row_mapping import built
from app.core.views.saved_view import Place, SavedView


def as_view(row: sqlite3.Row) -> SavedView:
    """A view out of its row."""
    return built(SavedView, row, flags=("is_shared",))


def every(db: Reads, *, viewer: Viewer, place: Place = "inbox") -> tuple[SavedView, ...]:
    """A viewer's own views of a place and the shared ones, by name."""
    rows = db.rows(
        "SELECT * FROM saved_view WHERE place = ? AND (user_id = ? OR is_shared = 1) ORDER BY name, id",
        (place, viewer.user_id),
    )
    return tuple(as_view(row) for row in rows)


def get(db: Reads, view_id: int, *, viewer: Viewer, place: Place = "inbox") -> SavedView:
    """The view of a place with this id; raises NotFound, also for somebody else's that is not shared."""
    view = as_view(db.got("saved_view", view_id))
    check_sight(view, viewer=viewer, place=place)
    return view


def check_sight(view: SavedView, *, viewer: Viewer, place: Place | None) -> None:
    """Raise NotFound for a view of another place (None: any) and for somebody else's that is not shared."""
    if place not in (None, view.place) or not view.is_in_sight(viewer):
        raise NotFound(noun="saved_view", id=view.id)
