"""Actions of agents on tickets: reply, note, assign, route, set status and priority, tag; each is one event."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from typing import Any, get_args

from app.answers.decide.macro_matching import placeholders
from app.answers.domain import Macro
from app.answers.store import macros
from app.core import clock
from app.core.changes import change, check_version, write
from app.core.db import Reads, Transaction
from app.core.errors import FieldError, InputError, NotFound
from app.core.nouns import Changed, Fields, Inverse, Noun, Plan
from app.core.permissions import PERMISSIONS, User, Viewer
from app.core.services import Services
from app.core.text.cleaning import clean, shown
from app.core.text.redaction import redact
from app.desk.domain.ticket import OPEN_STATUSES, Message, MessageKind, Priority, Status, Ticket
from app.desk.flows import set_deadlines
from app.desk.flows.mail import send_mail
from app.desk.flows.replies import note_outcome
from app.desk.flows.replies.recall_reply import check_recallable, recall
from app.desk.store import messages, queues, tickets
from app.intents.flows.undo_correction import UNDO_CORRECTION
from app.people.store import teams, users

LONGEST_REPLY = 100_000
RECALL_MS = 10_000
"""The time before a reply is sent, in which it can be called back."""

MOST_TAGS = 20

_VERBS = {"priority": "prioritised", "queue_id": "routed", "assignee_id": "assigned", "tags": "tagged"}


class TicketNoun(Noun[Ticket]):
    """Tickets within the viewer's queues; none is removed, and nobody undoes what the model or a customer did."""

    name = "ticket"
    permission = "tickets:write"
    fields = frozenset({"status", "priority", "queue_id", "assignee_id", "subject", "tags"})
    never_undone = frozenset({"triaged", "updated", "message_received", "recalled", "uncorrected"})

    def make(self, row: sqlite3.Row) -> Ticket:
        """A ticket out of its row."""
        return tickets.as_ticket(row)

    def see(self, db: Reads, row: Ticket, viewer: Viewer) -> None:
        """Raise NotFound for a ticket out of the viewer's sight."""
        if not viewer.sees_queue(row.queue_id):
            raise NotFound(noun="ticket", id=row.id)

    def check(self, tx: Transaction, given: Fields, was: Ticket | None) -> Fields:
        """Return the checked fields; an assignee who would not see the ticket any more loses it.

        Raises InputError, NotFound.
        """
        found = _checked(given)
        if was is None:
            return found
        wanted = {key: value for key, value in found.items() if getattr(was, key) != value}
        _check_references(tx, wanted, was=was)
        return {**found, "assignee_id": None} if _leaves_its_assignee(tx, was, wanted) else found

    def consequences(self, tx: Transaction, was: Ticket, wanted: Fields, *, is_undo: bool) -> Fields:
        """Return the clocks that follow from a change; the model leaves a priority alone that a person chose."""
        now = clock.now_ms()
        ticket = set_deadlines.follow(tx, was, _changed(was, wanted, now=now), now=now)
        if "priority" in wanted:
            ticket = replace(ticket, is_priority_set=not is_undo)
        return tickets.changes(was, ticket)

    def verb(self, was: Ticket, wanted: Fields) -> str:
        """Return the name of the change in the history."""
        if set(wanted) == {"queue_id", "assignee_id"} and wanted["assignee_id"] is None:
            return "routed"
        if len(wanted) > 1:
            return "edited"
        key = next(iter(wanted))
        if key != "status":
            return _VERBS.get(key, "edited")
        if wanted["status"] in ("solved", "closed"):
            return "resolved" if wanted["status"] == "solved" else "closed"
        return "reopened" if was.status in ("solved", "closed") else "status_set"

    def data(self, row: Ticket) -> Fields:
        """Return what webhooks get with every change of a ticket."""
        return {"subject": row.subject, "external_id": row.external_id}


def reply(
    services: Services,
    ticket_id: int,
    *,
    viewer: Viewer,
    body: str,
    macro_id: int | None = None,
    with_actions: bool = False,
    draft: str | None = None,
    status: Status | None = None,
    version: int | None = None,
) -> Changed[Ticket]:
    """Answer the customer; a new ticket is open then, and its first response is met.

    `with_actions` does what the macro does besides its text, in the same event; a `status` given here outranks the
    macro's. `draft` is the offered text that the reply was made of. Raises NotFound, Stale, and InputError
    `empty_placeholder` while a placeholder stands in the text.
    """
    _check_filled(body)
    with services.db.transaction() as tx:
        was = TICKET.get(tx, ticket_id, viewer=viewer)
        check_version(TICKET, was, version=version)
        macro = None if macro_id is None else macros.get(tx, macro_id)
        wanted = _wanted(tx, was, macro=macro if with_actions else None, status=status)
        message_id = _write(tx, was, viewer=viewer, body=body, kind="outgoing")
        now = clock.now_ms()
        send_mail.queue(tx, was, message_id=message_id, at=now, not_before_at=now + RECALL_MS)
        answered = _changed(was, wanted, now=now)
        if was.first_responded_at is None:
            answered = replace(answered, first_responded_at=now)
        columns = tickets.changes(was, set_deadlines.follow(tx, was, answered, now=now))
        if macro is not None:
            note_outcome.macro_sent(tx, was, macro=macro, body=body, message_id=message_id, viewer=viewer)
        elif draft:
            note_outcome.draft_sent(tx, was, offered=draft, body=body, message_id=message_id, viewer=viewer)
        before = {key: getattr(was, key) for key in (*wanted, "first_responded_at") if key in columns}
        after = {**{key: wanted[key] for key in wanted if key in before}, "status": wanted["status"]}
        after |= {"message_id": message_id, "not_before_at": now + RECALL_MS}
        after |= {} if macro_id is None else {"macro_id": macro_id}
        plan = Plan(was=was, columns=columns, before=before, after=after, verb="replied")
        return write(tx, TICKET, plan, viewer=viewer)


def _check_filled(body: str) -> None:
    empty = placeholders(body)
    if empty:
        raise InputError(
            "empty_placeholder", fields=[FieldError(pointer="/body", code="empty_placeholder")], names=", ".join(empty)
        )


def _wanted(tx: Transaction, was: Ticket, *, macro: Macro | None, status: Status | None) -> dict[str, Any]:
    changes = {} if macro is None else macro_changes(tx, macro, was=was)
    changes["status"] = status or changes.get("status") or ("open" if was.status == "new" else was.status)
    return _checked(changes)


def note(
    services: Services, ticket_id: int, *, viewer: Viewer, body: str, version: int | None = None
) -> Changed[Ticket]:
    """Leave a note that only colleagues see; raises NotFound, Stale."""
    with services.db.transaction() as tx:
        was = TICKET.get(tx, ticket_id, viewer=viewer)
        check_version(TICKET, was, version=version)
        message_id = _write(tx, was, viewer=viewer, body=body, kind="note")
        columns, after = {"updated_at": clock.now_ms()}, {"message_id": message_id}
        return write(tx, TICKET, Plan(was=was, columns=columns, before={}, after=after, verb="noted"), viewer=viewer)


def edit(
    services: Services, ticket_id: int, *, viewer: Viewer, changes: Fields, version: int | None = None
) -> Changed[Ticket]:
    """Change several things at once as one event; what stays the same is no change. Raises NotFound, Stale."""
    return change(services.db, TICKET, ticket_id, changes, viewer=viewer, version=version)


def check(db: Reads, wanted: Fields) -> None:
    """Raise InputError or NotFound for a change that no ticket can have: its values, a queue or a person not there."""
    _checked(wanted)
    if "queue_id" in wanted:
        queues.get(db, wanted["queue_id"] or 0)
    if wanted.get("assignee_id") is not None:
        _check_person(users.get(db, wanted["assignee_id"]))


def _changed(was: Ticket, wanted: Fields, *, now: int) -> Ticket:
    """The ticket with the fields that are wanted; one that is not open any more was solved now."""
    ticket = replace(was, updated_at=now, **wanted)
    if ticket.status not in OPEN_STATUSES:
        return replace(ticket, solved_at=now) if was.status in OPEN_STATUSES else ticket
    return ticket if was.status in OPEN_STATUSES else replace(ticket, solved_at=None)


def _write(tx: Transaction, ticket: Ticket, *, viewer: Viewer, body: str, kind: MessageKind) -> int:
    said = shown(body)
    if not said:
        raise InputError("empty_message", fields=[FieldError(pointer="/body", code="empty")])
    if len(said) > LONGEST_REPLY:
        raise InputError("too_long", fields=[FieldError(pointer="/body", code="too_long")], limit=LONGEST_REPLY)
    # A note may quote what a customer said on the phone; a reply is the agent's own text and goes out as it is.
    is_masked = kind == "note" and queues.get(tx, ticket.queue_id).is_redacting
    masked = redact(said) if is_masked else None
    now = clock.now_ms()
    written = Message(
        id=0,
        ticket_id=ticket.id,
        kind=kind,
        author_kind="agent" if viewer.user_id is not None else "system",
        author_name=viewer.name,
        user_id=viewer.user_id,
        body=said if masked is None else masked.text,
        text=clean(said if masked is None else masked.text),
        occurred_at=now,
        received_at=now,
        n_redactions=0 if masked is None else masked.n,
        not_before_at=now + RECALL_MS if kind == "outgoing" else None,
    )
    tickets.count_message(tx, ticket.id)
    return messages.insert(tx, written).id


def _checked(given: Fields) -> dict[str, Any]:
    found = dict(given)
    _check_choice(found, key="status", choices=get_args(Status))
    _check_choice(found, key="priority", choices=get_args(Priority))
    if "tags" in found:
        found["tags"] = tuple(dict.fromkeys(" ".join(str(one).split())[:50] for one in found["tags"]))[:MOST_TAGS]
    if "subject" in found and not str(found["subject"]).strip():
        raise InputError("empty_subject", fields=[FieldError(pointer="/subject", code="empty")])
    return found


def _check_choice(changes: Fields, *, key: str, choices: tuple[str, ...]) -> None:
    if key in changes and changes[key] not in choices:
        params = (("value", str(changes[key])), ("choices", ", ".join(choices)))
        fields = [FieldError(pointer=f"/{key}", code="unknown_value", params=params)]
        raise InputError("unknown_value", fields=fields, field=key, value=str(changes[key]))


def _check_references(tx: Transaction, wanted: Fields, *, was: Ticket) -> None:
    if wanted.get("queue_id") is not None:
        queues.get(tx, wanted["queue_id"])
    elif "queue_id" in wanted:
        raise InputError("unknown_queue", fields=[FieldError(pointer="/queue", code="empty")], queue="")
    if wanted.get("assignee_id") is not None:
        _check_assignee(tx, users.get(tx, wanted["assignee_id"]), queue_id=wanted.get("queue_id", was.queue_id))


def _check_assignee(tx: Transaction, user: User, *, queue_id: int) -> None:
    _check_person(user)
    if not sees_queue(tx, user, queue_id=queue_id):
        params = {"name": user.name, "queue": queues.get(tx, queue_id).title}
        fields = [FieldError(pointer="/assignee", code="assignee_out_of_sight", params=tuple(params.items()))]
        raise InputError("assignee_out_of_sight", fields=fields, **params)


def _check_person(user: User) -> None:
    if not user.is_active:
        raise InputError("inactive_user", id=user.id)
    if not {"tickets:write", "*:*"} & PERMISSIONS[user.role]:
        # Who cannot open tickets would never know of it.
        fields = [FieldError(pointer="/assignee", code="unknown_value", params=(("value", user.name),))]
        raise InputError("unknown_value", fields=fields, field="assignee", value=user.name)


def sees_queue(tx: Reads, user: User, *, queue_id: int) -> bool:
    """Return True for a queue that a person sees: administrators see all, others those of their teams."""
    if user.role == "admin":
        return True
    return queue_id in queues.visible_ids(tx, [team.id for team in teams.of_user(tx, user.id)])


def _leaves_its_assignee(tx: Transaction, was: Ticket, wanted: Fields) -> bool:
    """Return True when a ticket moves to a queue that its assignee does not see; then nobody is assigned."""
    if was.assignee_id is None or "queue_id" not in wanted or "assignee_id" in wanted:
        return False
    return not sees_queue(tx, users.get(tx, was.assignee_id), queue_id=wanted["queue_id"])


def macro_changes(tx: Transaction, macro: Macro, *, was: Ticket) -> dict[str, Any]:
    """Return the fields of a ticket that a macro changes."""
    changes: dict[str, Any] = {}
    for action in macro.actions:
        if action.type == "set_status":
            changes["status"] = action.value
        elif action.type == "add_tag":
            changes["tags"] = (*changes.get("tags", was.tags), action.value)
        elif action.type == "route":
            queue = queues.find_by_slug(tx, action.value)
            if queue is None:
                raise InputError("unknown_queue", queue=action.value)
            changes["queue_id"] = queue.id
    return changes


_RECALL = Inverse(undo=recall, check=check_recallable)
TICKET = TicketNoun({"corrected": UNDO_CORRECTION, "replied": _RECALL, "noted": _RECALL})
