"""Taking back a change of a setting: the inverse is done, unless what it touches was changed again since."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from app.answers.flows import keep_articles, keep_macros
from app.answers.store import articles, macros
from app.core.errors import Conflict
from app.core.events import event_log
from app.core.events.event import Event
from app.core.permissions import Viewer
from app.core.services import Services
from app.desk.flows import keep_queues, keep_routing_rules, keep_sla_policies
from app.desk.flows.mail import read_mailbox
from app.desk.store import mailboxes as boxes
from app.desk.store import queues
from app.desk.store import routing_rule_rows as routing_rules
from app.desk.store import sla_policies as sla_rows
from app.people.flows import keep_accounts, keep_teams
from app.people.store import teams, users

_Get = Callable[..., Any]
_Change = Callable[..., Any]

# How each noun is read and changed.
_NOUNS: Mapping[str, tuple[_Get, _Change]] = {
    "user": (users.get, keep_accounts.change_user),
    "queue": (queues.get, keep_queues.change_queue),
    "sla_policy": (sla_rows.get, keep_sla_policies.change_policy),
    "macro": (macros.get, keep_macros.change_macro),
    "article": (articles.get, keep_articles.change_article),
    "mailbox": (boxes.get, read_mailbox.change_mailbox),
    "routing_rule": (routing_rules.get, keep_routing_rules.change_rule),
}

# How what was added is removed, and what was removed is put back; and what the event of a removal must have kept.
_REMOVED: Mapping[str, tuple[_Change, _Change, frozenset[str]]] = {
    "macro": (keep_macros.remove_macro, keep_macros.restore_macro, frozenset({"name", "body"})),
    "article": (keep_articles.remove_article, keep_articles.restore_article, frozenset({"slug", "title", "body"})),
    "routing_rule": (
        keep_routing_rules.remove_rule,
        keep_routing_rules.restore_rule,
        frozenset({"conditions", "actions", "place"}),
    ),
}


def is_undoable(event: Event) -> bool:
    """Whether `undo` knows the inverse of an event."""
    if event.noun == "team":
        return event.verb in ("edited", "members_set")
    if event.verb == "edited":
        return event.noun in _NOUNS and bool(event.before)
    if event.verb == "deleted":
        return event.noun in _REMOVED and _REMOVED[event.noun][2] <= set(event.before)
    is_known = {"created": event.noun in _REMOVED, "restored": event.noun in _REMOVED}
    return is_known.get(event.verb, (event.noun, event.verb) in (("routing_rule", "moved"), ("queue", "trust_set")))


def undo(services: Services, event_id: int, *, viewer: Viewer) -> None:
    """Do the inverse of an event; raises Conflict `cannot_undo` or `changed_since`, and what the inverse raises."""
    event = event_log.get(services.db, event_id)
    if not is_undoable(event):
        raise Conflict("cannot_undo", id=event.id)
    later = [one for one in event_log.of(services.db, event.noun, event.noun_id) if one.id > event.id]
    standing = [one for one in later if _stands_in_the_way(one, event=event)]
    if standing:
        raise Conflict("changed_since", id=event.id, by=standing[0].id)
    if event.noun == "team":
        _undo_team(services, event, viewer=viewer)
    elif event.verb == "trust_set":
        route = {name: event.after[name] for name in ("task", "intent")}
        keep_routing_rules.set_trust(services, viewer=viewer, **route, **event.before)
    elif event.verb == "moved":
        keep_routing_rules.put_rule(services, event.noun_id, viewer=viewer, place=event.before["place"])
    elif event.verb == "deleted":
        _REMOVED[event.noun][1](services, event.noun_id, viewer=viewer, values=event.before)
    elif event.verb in ("created", "restored"):
        _REMOVED[event.noun][0](services, event.noun_id, viewer=viewer)
    else:
        get, change = _NOUNS[event.noun]
        get(services.db, event.noun_id)
        change(services, event.noun_id, viewer=viewer, changes=event.before)


def _stands_in_the_way(later: Event, *, event: Event) -> bool:
    """Whether a later event changed what the inverse would change: of a whole thing, everything does."""
    if event.verb in ("created", "deleted", "restored"):
        return True
    if event.verb == "trust_set":
        return all(later.after.get(name) == event.after[name] for name in ("task", "intent"))
    return bool(set(later.after) & set(event.before)) or later.verb == "deleted"


def _undo_team(services: Services, event: Event, *, viewer: Viewer) -> None:
    teams.get(services.db, event.noun_id)
    if event.verb == "members_set":
        keep_teams.set_team_members(services, event.noun_id, viewer=viewer, user_ids=event.before["user_ids"])
    else:
        keep_teams.rename_team(services, event.noun_id, viewer=viewer, name=event.before["name"])
