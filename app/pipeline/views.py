"""Saving a filter of the inbox, or a dashboard of the market, under a name, for oneself or for all."""

from __future__ import annotations

from app.domain.people import Viewer
from app.domain.view import Place, SavedView
from app.errors import InputError, NotAllowed
from app.pipeline import history
from app.pipeline.services import Services
from app.store import views

LONGEST_NAME = 60
LONGEST_QUERY = 1000
_READS: dict[Place, str] = {"inbox": "tickets:read", "market": "market:read"}


def add(
    services: Services, *, viewer: Viewer, name: str, query: str, is_shared: bool = False, place: Place = "inbox"
) -> SavedView:
    """Save a view; raises InputError without a name or for one too long, Conflict `name_taken`."""
    if viewer.user_id is None:
        raise NotAllowed(permission=_READS[place])
    said = " ".join(name.split())
    if not said:
        raise InputError("empty_field")
    if len(said) > LONGEST_NAME or len(query) > LONGEST_QUERY:
        raise InputError("too_long", limit=LONGEST_NAME if len(said) > LONGEST_NAME else LONGEST_QUERY)
    with services.db.transaction() as tx:
        view_id = views.insert(tx, name=said, query=query, user_id=viewer.user_id, is_shared=is_shared, place=place)
        after = {"name": said, "query": query, "is_shared": is_shared}
        history.record(tx, actor=history.of(viewer), verb="created", noun="view", noun_id=view_id, after=after)
        return views.get(tx, view_id, viewer=viewer)


def remove(services: Services, view_id: int, *, viewer: Viewer) -> None:
    """Remove one's own view, or any shared one as an administrator; raises NotFound, NotAllowed."""
    with services.db.transaction() as tx:
        view = views.get(tx, view_id, viewer=viewer)
        if view.user_id != viewer.user_id and not viewer.may("*:*"):
            raise NotAllowed(permission="*:*")
        views.delete(tx, view_id)
        before = {"name": view.name, "query": view.query, "is_shared": view.is_shared}
        history.record(tx, actor=history.of(viewer), verb="deleted", noun="view", noun_id=view_id, before=before)
