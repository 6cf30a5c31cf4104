"""Sentences for the events of a ticket's history."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.core.events.event import Event
from app.core.prediction import OUT_OF_SCOPE
from app.web.display.enum_words import word
from app.web.display.formats import percent
from app.web.display.label_titles import label_title, task_title
from app.web.display.translation import gettext as _


@dataclass(frozen=True, kw_only=True)
class Names:
    """The names of queues, people and macros by id."""

    queues: Mapping[int, str]
    people: Mapping[int, str]
    macros: Mapping[int, str]


@dataclass(frozen=True, kw_only=True)
class Line:
    """An event as the page shows it; `kind` is agent, rule, model, token or system."""

    event_id: int
    kind: str
    actor: str
    text: str
    at: int
    is_undoable: bool


def actor(event: Event, *, names: Names) -> str:
    """The name of the actor: a person, a rule, a token, or the model with its version."""
    if event.actor_kind == "agent" and event.actor_id.isdigit():
        return names.people.get(int(event.actor_id), _("a former user"))
    if event.actor_kind == "rule" and event.after.get("rule"):
        return _("rule “%(name)s”", name=event.after["rule"])
    if event.actor_kind == "rule":
        return _("rule %(id)s", id=event.actor_id.rpartition(":")[2])
    if event.actor_kind == "token":
        return _("API token %(id)s", id=event.actor_id)
    return "Bellwether" if event.actor_kind == "system" else event.actor_id


def _queue(event: Event, *, names: Names) -> str:
    queue = names.queues.get(event.after.get("queue_id", 0), _("another queue"))
    reason = event.after.get("reason")
    if not reason:
        return _("Moved to %(queue)s", queue=queue)
    return _("Moved to %(queue)s: %(reason)s", queue=queue, reason=word("routing", reason))


def _triaged(event: Event, *, names: Names) -> str:
    after = event.after
    found = [label_title(after[key]) for key in ("intent", "sentiment", "emotion") if after.get(key)]
    is_in_scope = after.get("intent") not in (None, "", OUT_OF_SCOPE)
    if is_in_scope and after.get("intent_probability") is not None:
        found[0] += f" ({percent(after['intent_probability'])})"
    parts = [_("Read: %(labels)s", labels=", ".join(found)) if found else _("Read, and not sure enough")]
    if "urgency" in after:
        parts.append(_("urgency %(points)s", points=after["urgency"]))
    if after.get("routing") and after["routing"] != "rule":
        parts.append(_("left where it is: %(reason)s", reason=word("routing", after["routing"])))
    return "; ".join(parts)


def _person(event: Event, *, names: Names) -> str:
    user_id = event.after.get("assignee_id")
    if not user_id:
        return _("Assigned to nobody")
    return _("Assigned to %(name)s", name=names.people.get(user_id, _("a former user")))


def _status(event: Event, *, names: Names) -> str:
    return _("Status: %(status)s", status=word("status", event.after.get("status")))


def _replied(event: Event, *, names: Names) -> str:
    text = _("Replied")
    macro = names.macros.get(event.after.get("macro_id", 0))
    if macro:
        text = _("Replied with “%(macro)s”", macro=macro)
    status = event.after.get("status")
    if status and event.before.get("status", status) != status:
        text += "; " + _status(event, names=names)
    did = [_FIELDS[key](event, names=names) for key in ("queue_id", "tags") if key in event.after]
    return "; ".join((text, *did))


def _corrected(event: Event, *, names: Names) -> str:
    before = event.before.get("label") or event.after.get("label_before")
    task = str(event.after.get("task") or event.before.get("task") or "")
    text = _(
        "%(task)s corrected: %(before)s → %(after)s",
        task=task_title(task),
        before=label_title(before),
        after=label_title(event.after.get("label")),
    )
    if "urgency" in event.after:
        text += "; " + _("urgency %(points)s", points=event.after["urgency"])
    return text + ("; " + _queue(event, names=names) if "queue_id" in event.after else "")


def _uncorrected(event: Event, *, names: Names) -> str:
    task = task_title(str(event.after.get("task") or ""))
    return _("%(task)s is “%(label)s” again", task=task, label=label_title(event.after.get("label")))


def _priority(event: Event, *, names: Names) -> str:
    return _("Priority: %(priority)s", priority=word("priority", event.after.get("priority")))


def _tagged(event: Event, *, names: Names) -> str:
    return _("Tags: %(tags)s", tags=", ".join(event.after.get("tags", ())) or "—")


_FIELDS: dict[str, Callable[..., str]] = {
    "status": _status,
    "priority": _priority,
    "queue_id": _queue,
    "assignee_id": _person,
    "tags": _tagged,
}


def _edited(event: Event, *, names: Names) -> str:
    parts = [_FIELDS[key](event, names=names) for key in event.after if key in _FIELDS]
    if "subject" in event.after:
        parts.append(_("Subject changed"))
    return "; ".join(parts) or _("Changed")


def _created(event: Event, *, names: Names) -> str:
    if event.after.get("moved_from"):
        return _("Moved in from %(desk)s", desk=word("desk", event.after["moved_from"]))
    channel = event.after.get("channel")
    return _("Received: %(channel)s", channel=word("channel", channel)) if channel else _("Received")


def _followed(event: Event, *, names: Names) -> str:
    return _("The customer wrote again") + ("; " + _status(event, names=names) if event.after.get("status") else "")


def _recalled(event: Event, *, names: Names) -> str:
    if event.after.get("kind") == "noted":
        return _("Note taken back")
    return _("Reply called back before it was sent")


def _mail_failed(event: Event, *, names: Names) -> str:
    return _("The reply could not be sent: %(reason)s", reason=word("mail", event.after.get("error")))


def _bounced(event: Event, *, names: Names) -> str:
    text = _("The reply came back undelivered (%(status)s)", status=event.after.get("error") or "—")
    return text + ("; " + _status(event, names=names) if event.after.get("status") else "")


def _sla(event: Event, *, names: Names) -> str:
    deadline = word("deadline", event.after.get("deadline"))
    if event.verb == "sla_breached":
        return _("Overdue: %(deadline)s", deadline=deadline)
    return _("Due soon: %(deadline)s", deadline=deadline)


_VERBS: dict[str, Callable[..., str]] = {
    "created": _created,
    "message_received": _followed,
    "triaged": _triaged,
    "routed": _queue,
    "assigned": _person,
    "prioritised": _priority,
    "tagged": _tagged,
    **dict.fromkeys(("status_set", "resolved", "closed", "reopened"), _status),
    "replied": _replied,
    "noted": lambda event, names: _("Note kept"),
    "edited": _edited,
    "corrected": _corrected,
    "uncorrected": _uncorrected,
    "recalled": _recalled,
    "updated": lambda event, names: _("Sent in again, with changes"),
    **dict.fromkeys(("sla_at_risk", "sla_breached"), _sla),
    "mail_failed": _mail_failed,
    "bounced": _bounced,
    "mail_sent_again": lambda event, names: _("The reply is sent once more"),
}


def sentence(event: Event, *, names: Names) -> str:
    """The sentence for an event in the reader's language; for an unknown verb it is the verb."""
    teller = _VERBS.get(event.verb)
    text = teller(event, names=names) if teller else event.verb.replace("_", " ")
    is_retold = event.undoes is not None and event.verb not in ("uncorrected", "recalled")
    return _("Undone: %(what)s", what=text) if is_retold else text


def lines(events: Sequence[Event], *, names: Names, is_undoable: Callable[[Event], bool]) -> list[Line]:
    """The lines of events, newest first; an undone event is not offered for undoing again."""
    undone = {event.undoes for event in events if event.undoes is not None}
    return [
        Line(
            event_id=event.id,
            kind=event.actor_kind,
            actor=actor(event, names=names),
            text=sentence(event, names=names),
            at=event.at,
            is_undoable=event.id not in undone and is_undoable(event),
        )
        for event in reversed(events)
    ]


def people_in(events: Sequence[Event]) -> set[int]:
    """The ids of the people in a history."""
    actors = {int(event.actor_id) for event in events if event.actor_kind == "agent" and event.actor_id.isdigit()}
    given: set[Any] = {event.after.get("assignee_id") for event in events}
    return actors | {user_id for user_id in given if isinstance(user_id, int)}
