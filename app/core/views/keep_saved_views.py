"""Saving a filter of the inbox, or a dashboard of the market, under a name, for oneself or for all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.core.db import Transaction
from app.core.errors import InputError, NotAllowed
from app.core.events import history
from app.core.permissions import Viewer
from app.core.services import Services
from app.core.views import saved_view_rows
from app.core.views.saved_view import Place, SavedView

LONGEST_NAME = 60
LONGEST_QUERY = 1000
_READS: dict[Place, str] = {"inbox": "tickets:read", "market": "market:read"}


def add(
    services: Services, *, viewer: Viewer, name: str, query: str, is_shared: bool = False, place: Place = "inbox"
) -> SavedView:
    """Save a view; raises InputError without a name or for one too long, Conflict `name_taken`."""
    if viewer.user_id is None:
        raise NotAllowed(permission=_READS[place])
    said = _checked({"name": name, "query": query})["name"]
    with services.db.transaction() as tx:
        view_id = saved_view_rows.insert(
            tx, name=said, query=query, user_id=viewer.user_id, is_shared=is_shared, place=place
        )
        after = {"name": said, "query": query, "is_shared": is_shared}
        history.record(tx, actor=history.of(viewer), verb="created", noun="view", noun_id=view_id, after=after)
        return saved_view_rows.get(tx, view_id, viewer=viewer, place=place)


def change(
    services: Services,
    view_id: int,
    *,
    viewer: Viewer,
    changes: Mapping[str, Any],
    version: int | None = None,
    place: Place = "inbox",
) -> SavedView:
    """Change the name, the query or the sharing of one's own view, or of any shared one as an administrator.

    Raises NotFound, NotAllowed, Stale, and as `add`.
    """
    wanted = _checked(changes)
    with services.db.transaction() as tx:
        was = _own(tx, view_id, viewer=viewer, place=place)
        view = saved_view_rows.update(tx, view_id, changes=wanted, version=version)
        before = {key: getattr(was, key) for key in wanted}
        actor = history.of(viewer)
        history.record(tx, actor=actor, verb="edited", noun="view", noun_id=view_id, before=before, after=wanted)
        return view


def remove(services: Services, view_id: int, *, viewer: Viewer, place: Place = "inbox") -> None:
    """Remove one's own view, or any shared one as an administrator; raises NotFound, NotAllowed."""
    with services.db.transaction() as tx:
        view = _own(tx, view_id, viewer=viewer, place=place)
        saved_view_rows.delete(tx, view_id)
        before = {"name": view.name, "query": view.query, "is_shared": view.is_shared}
        history.record(tx, actor=history.of(viewer), verb="deleted", noun="view", noun_id=view_id, before=before)


def _own(tx: Transaction, view_id: int, *, viewer: Viewer, place: Place) -> SavedView:
    view = saved_view_rows.get(tx, view_id, viewer=viewer, place=place)
    if view.user_id != viewer.user_id and not viewer.may("*:*"):
        raise NotAllowed(permission="*:*")
    return view


def _checked(values: Mapping[str, Any]) -> dict[str, Any]:
    found = dict(values)
    if "name" in found:
        found["name"] = " ".join(str(found["name"]).split())
        if not found["name"]:
            raise InputError("empty_field")
    for key, limit in (("name", LONGEST_NAME), ("query", LONGEST_QUERY)):
        if len(found.get(key, "")) > limit:
            raise InputError("too_long", limit=limit)
    return found
