"""Taking back a change of a setting: the fields get the values that they had, unless they were changed again since."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from app.domain.event import Event
from app.domain.people import Viewer
from app.errors import Conflict
from app.pipeline import accounts, desk, knowledge, mailboxes, sla_policies
from app.pipeline.services import Services
from app.store import articles, events, macros, queues, teams, users
from app.store import mailboxes as boxes
from app.store import sla_policies as sla_rows

_Get = Callable[..., Any]
_Change = Callable[..., Any]

# How each noun is read and changed.
_NOUNS: Mapping[str, tuple[_Get, _Change]] = {
    "user": (users.get, accounts.change_user),
    "queue": (queues.get, desk.change_queue),
    "sla_policy": (sla_rows.get, sla_policies.change_policy),
    "macro": (macros.get, knowledge.change_macro),
    "article": (articles.get, knowledge.change_article),
    "mailbox": (boxes.get, mailboxes.change_mailbox),
}


def is_undoable(event: Event) -> bool:
    """Whether `undo` knows the inverse of an event."""
    if event.noun == "team":
        return event.verb in ("edited", "members_set")
    return event.noun in _NOUNS and event.verb == "edited" and bool(event.before)


def undo(services: Services, event_id: int, *, viewer: Viewer) -> None:
    """Give what an event changed its values from before; raises Conflict `cannot_undo` or `changed_since`."""
    event = events.get(services.db, event_id)
    if not is_undoable(event):
        raise Conflict("cannot_undo", id=event.id)
    later = [one for one in events.of(services.db, event.noun, event.noun_id) if one.id > event.id]
    standing = [one for one in later if set(one.after) & set(event.before)]
    if standing:
        raise Conflict("changed_since", id=event.id, by=standing[0].id)
    if event.noun == "team":
        _undo_team(services, event, viewer=viewer)
        return
    get, change = _NOUNS[event.noun]
    get(services.db, event.noun_id)
    change(services, event.noun_id, viewer=viewer, changes=event.before)


def _undo_team(services: Services, event: Event, *, viewer: Viewer) -> None:
    teams.get(services.db, event.noun_id)
    if event.verb == "members_set":
        desk.set_team_members(services, event.noun_id, viewer=viewer, user_ids=event.before["user_ids"])
    else:
        desk.rename_team(services, event.noun_id, viewer=viewer, name=event.before["name"])
