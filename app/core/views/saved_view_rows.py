"""Saved views and dashboards: one's own, and those that are shared."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any

from app.core.db import Reads, Transaction
from app.core.errors import Conflict, NotFound
from app.core.permissions import Viewer
from app.core.storage.row_mapping import built
from app.core.views.saved_view import Place, SavedView


def _view(row: sqlite3.Row) -> SavedView:
    return built(SavedView, row, flags=("is_shared",))


def every(db: Reads, *, viewer: Viewer, place: Place = "inbox") -> tuple[SavedView, ...]:
    """The views of a place in sight, by name; a view shows each reader what is in their own sight."""
    rows = db.rows(
        "SELECT * FROM saved_view WHERE place = ? AND (user_id = ? OR is_shared = 1) ORDER BY name, id",
        (place, viewer.user_id),
    )
    return tuple(_view(row) for row in rows)


def get(db: Reads, view_id: int, *, viewer: Viewer, place: Place = "inbox") -> SavedView:
    """The view of a place with this id; raises NotFound, for somebody else's own one too."""
    view = _view(db.got("saved_view", view_id))
    if view.place != place or (view.user_id != viewer.user_id and not view.is_shared):
        raise NotFound(noun="saved_view", id=view_id)
    return view


def insert(tx: Transaction, *, name: str, query: str, user_id: int, is_shared: bool, place: Place = "inbox") -> int:
    """Add a view; raises Conflict when the person has one of this name."""
    values = {"name": name, "query": query, "user_id": user_id, "is_shared": is_shared, "place": place}
    try:
        return tx.insert("saved_view", values)
    except sqlite3.IntegrityError as error:
        raise Conflict("name_taken", noun="view", name=name) from error


def update(tx: Transaction, view_id: int, *, changes: Mapping[str, Any], version: int | None = None) -> SavedView:
    """Change a view; raises NotFound, Stale, or Conflict when its owner has another one of this name."""
    try:
        tx.change("saved_view", view_id, changes=changes, version=version)
    except sqlite3.IntegrityError as error:
        raise Conflict("name_taken", noun="view", name=str(changes.get("name", ""))) from error
    return _view(tx.got("saved_view", view_id))


def delete(tx: Transaction, view_id: int) -> None:
    """Remove a view."""
    tx.execute("DELETE FROM saved_view WHERE id = ?", (view_id,))
