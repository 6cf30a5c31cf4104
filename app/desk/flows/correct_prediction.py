"""A person's word over the model's: corrections, undo, and the examples that training learns from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from app.core import clock
from app.core.db import Reads, Transaction
from app.core.errors import Conflict, FieldError, InputError, NotAllowed, NotFound, NotReady, TaskMissing
from app.core.events import event_log, history
from app.core.events.event import Event
from app.core.permissions import Viewer
from app.core.prediction import Correction, Role, StoredPrediction
from app.core.services import Services
from app.desk.decide.intent_routing import DEFAULT_URGENCY
from app.desk.decide.priority import with_intent
from app.desk.domain.ticket import OPEN_STATUSES, Ticket, Urgency
from app.desk.flows import order_inbox, set_deadlines
from app.desk.flows.act_on_ticket import EDITABLE, edited
from app.desk.flows.replies.recall_reply import WRITTEN, is_recallable, recall
from app.desk.store import messages, queues, tickets
from app.intents.decide import training_lines
from app.intents.store import corrections
from app.market.flows.count_posts import counted
from app.market.store import mentions, posts
from app.model.store import predictions

NEVER_UNDONE = frozenset({"triaged", "updated", "message_received", "recalled", "uncorrected"})

_SCORES = {"negative": -1.0, "neutral": 0.0, "positive": 1.0}
_Subject = tuple[int, str, tuple[int, int] | None]
_SUBJECTS = {"message": "ticket", "post": "post", "mention": "post"}


def ticket_of(services: Services, prediction_id: int, *, viewer: Viewer) -> int:
    """The ticket that a prediction is about; NotFound for one about none, or about one out of sight, alike."""
    db = services.db
    stored = predictions.get(db, prediction_id)
    if stored.subject_kind == "message":
        ticket = tickets.read(db, messages.get(db, stored.subject_id).ticket_id)
        if viewer.queue_ids is None or ticket.queue_id in viewer.queue_ids:
            return ticket.id
    raise NotFound(noun="prediction", id=prediction_id)


def correct(
    services: Services,
    *,
    viewer: Viewer,
    label: str,
    prediction_id: int | None = None,
    ticket_id: int | None = None,
    task: str | None = None,
    is_asked: bool = False,
) -> Correction:
    """Say what a text really is: the label is in force at once, and becomes a training example.

    Named by the prediction, or by ticket and task (the newest prediction of it counts); `is_asked` answers what the
    house asked. Raises NotFound, InputError `unknown_label`, TaskMissing.
    """
    if viewer.user_id is None:
        raise NotAllowed(permission="tickets:write")
    stored = _named(services, prediction_id=prediction_id, ticket_id=ticket_id, task=task)
    check_label(services, stored.prediction.task, label=label)
    with services.db.transaction() as tx:
        return corrected(tx, stored, label=label, viewer=viewer, is_asked=is_asked)[0]


def corrected(
    tx: Transaction, stored: StoredPrediction, *, label: str, viewer: Viewer, is_asked: bool = False
) -> tuple[Correction, Event]:
    """The same inside an open transaction, with its event; the label was checked before."""
    if viewer.user_id is None:
        raise NotAllowed(permission="tickets:write")
    noun_id, text, target = _subject(tx, stored, viewer=viewer)
    was = corrections.in_force(
        tx, subject_kind=stored.subject_kind, subject_id=stored.subject_id, task=stored.prediction.task
    )
    correction_id = corrections.insert(
        tx,
        prediction_id=stored.id,
        subject_kind=stored.subject_kind,
        subject_id=stored.subject_id,
        task=stored.prediction.task,
        label_before=stored.prediction.label if was is None else was.label,
        label=label,
        model=stored.prediction.model,
        user_id=viewer.user_id,
        created_at=clock.now_ms(),
        text=text,
        target=target,
        is_asked=is_asked,
    )
    event = _put_in_force(tx, stored, label=label, noun_id=noun_id, correction_id=correction_id, viewer=viewer)
    return corrections.get(tx, correction_id), event


def _named(
    services: Services, *, prediction_id: int | None, ticket_id: int | None, task: str | None
) -> StoredPrediction:
    if prediction_id is not None:
        return predictions.get(services.db, prediction_id)
    if ticket_id is None or task is None:
        raise InputError("nothing_to_correct")
    return newest(services.db, ticket_id, task=task)


def newest(db: Reads, ticket_id: int, *, task: str) -> StoredPrediction:
    """A ticket's newest prediction of a task; raises NotFound."""
    for message in reversed(messages.of_ticket(db, ticket_id)):
        found = predictions.latest(db, subject_kind="message", subject_id=message.id, task=task)
        if found is not None:
            return found
    raise NotFound(noun="prediction", id=f"{ticket_id}/{task}")


def check_label(services: Services, task: str, *, label: str) -> None:
    """Raise TaskMissing or InputError `unknown_label` for a label that the live model does not have."""
    known = services.engine.tasks.get(task)
    if known is None:
        raise TaskMissing(task=task)
    if label not in {one.id for one in known.labels}:
        fields = [FieldError(pointer="/label", code="unknown_label", params=(("label", label), ("task", task)))]
        raise InputError("unknown_label", fields=fields, label=label, task=task)


def _subject(tx: Transaction, stored: StoredPrediction, *, viewer: Viewer) -> _Subject:
    """The ticket or post that a prediction is about, its text, and the target in it; raises NotFound out of sight."""
    if stored.subject_kind == "message":
        message = messages.get(tx, stored.subject_id)
        return tickets.get(tx, message.ticket_id, viewer=viewer).id, message.text, None
    if stored.subject_kind == "post":
        post = posts.get(tx, stored.subject_id, viewer=viewer)
        return post.id, post.text, None
    mention = mentions.get(tx, stored.subject_id)
    post = posts.get(tx, mention.post_id, viewer=viewer)
    return post.id, post.text, (mention.start, mention.end)


def _put_in_force(
    tx: Transaction, stored: StoredPrediction, *, label: str, noun_id: int, correction_id: int, viewer: Viewer
) -> Event:
    role, kind = stored.prediction.role, stored.subject_kind
    columns = _columns(role, label=label, kind=kind)
    if role == "intent" and kind == "message":
        ticket, task = tickets.read(tx, noun_id), stored.prediction.task
        columns |= _rerouted(tx, ticket, task=task, label=label) | _urgency(tx, ticket, task=task, label=label)
    before = _apply(tx, kind, subject_id=stored.subject_id, noun_id=noun_id, columns=columns)
    return history.record(
        tx,
        actor=history.of(viewer),
        verb="corrected",
        noun=_SUBJECTS[kind],
        noun_id=noun_id,
        before=before,
        after={
            **columns,
            "correction_id": correction_id,
            "task": stored.prediction.task,
            "label": label,
            "label_before": stored.prediction.label,
            "model": stored.prediction.model,
            "subject_kind": kind,
            "subject_id": stored.subject_id,
        },
    )


def _columns(role: Role, *, label: str, kind: str) -> dict[str, Any]:
    """What a person's label of a role means for the row it is about."""
    if role == "intent":
        return {
            "intent": label,
            "intent_source": "agent",
            "intent_probability": None,
            "intent_band": None,
            "needs_person": False,
        }
    if role == "market_topic":
        return {"topic": label, "topic_probability": None, "is_topic_abstained": False}
    if role == "emotion":
        return {"emotion": label}
    score = {"sentiment": label, "sentiment_score": _SCORES.get(label)}
    return score | ({"probability": None, "is_abstained": False} if kind == "mention" else {})


def _rerouted(tx: Transaction, ticket: Ticket, *, task: str, label: str) -> dict[str, Any]:
    """The queue of the intent that a person names; a queue that a person chose before stays."""
    rule = queues.route_rule(tx, task=task, intent=label)
    if rule is None or rule.queue_id in (None, ticket.queue_id) or _is_placed(tx, ticket):
        return {}
    return {"queue_id": rule.queue_id}


def _urgency(tx: Transaction, ticket: Ticket, *, task: str, label: str) -> dict[str, Any]:
    """The urgency that the right intent means, and the priority unless a person chose it."""
    if ticket.urgency is None:
        return {}
    rule = queues.route_rule(tx, task=task, intent=label)
    found = with_intent(ticket.urgency, intent_urgency=DEFAULT_URGENCY if rule is None else rule.urgency)
    if found == ticket.urgency:
        return {}
    columns: dict[str, Any] = _of_urgency(found)
    if found.priority != ticket.priority and not tickets.is_priority_set(tx, ticket.id):
        columns["priority"] = found.priority
    return columns


def _of_urgency(urgency: Urgency | None) -> dict[str, Any]:
    """An urgency as its columns and events keep it."""
    if urgency is None:
        return {"urgency": None, "urgency_parts": ()}
    return {"urgency": urgency.points, "urgency_parts": [(part.code, part.points) for part in urgency.parts]}


def _is_placed(tx: Transaction, ticket: Ticket) -> bool:
    told = event_log.of(tx, "ticket", ticket.id)
    undone = {event.undoes for event in told}
    moves = [
        event
        for event in told
        if "queue_id" in event.before and event.id not in undone and event.undoes is None and event.verb != "corrected"
    ]
    return bool(moves) and moves[-1].actor_kind in ("agent", "token")


def _apply(tx: Transaction, kind: str, *, subject_id: int, noun_id: int, columns: Mapping[str, Any]) -> dict[str, Any]:
    """Write columns to a ticket, post or mention; returns what they were."""
    if kind == "message":
        return _apply_to_ticket(tx, tickets.read(tx, noun_id), columns=columns)
    post = posts.read(tx, noun_id)
    stories = [] if post.story_id is None else [post.story_id]
    with counted(tx, stories):
        if kind == "post":
            posts.update(tx, noun_id, changes=columns)
            return {key: getattr(post, key) for key in columns}
        mention = mentions.get(tx, subject_id)
        mentions.judge(tx, subject_id, **columns)
        return {key: getattr(mention, key) for key in columns}


def _apply_to_ticket(tx: Transaction, was: Ticket, *, columns: Mapping[str, Any]) -> dict[str, Any]:
    """The same for a ticket: its clocks follow its queue and priority, and its place in the inbox is looked at anew."""
    now = clock.now_ms()
    changes = {**columns, **set_deadlines.followed(tx, was, columns, now=now), "updated_at": now}
    ticket = tickets.update(tx, was.id, changes=changes)
    if ticket.status in OPEN_STATUSES:
        tickets.set_places(tx, [(ticket.id, order_inbox.risk_of(ticket, now=now), ticket.sla, 0)])
    urgency = _of_urgency(was.urgency)
    return {key: urgency[key] if key in urgency else getattr(was, key) for key in columns}


def is_undoable(event: Event) -> bool:
    """Whether `undo` knows the inverse of an event: corrections, edits of a ticket, replies not yet sent, notes."""
    if event.verb == "corrected":
        return True
    if event.noun == "ticket" and event.verb in WRITTEN:
        return is_recallable(event)
    is_edit = event.noun == "ticket" and event.verb not in NEVER_UNDONE
    return is_edit and bool(event.before) and set(event.before) <= EDITABLE


def undo(services: Services, event_id: int, *, viewer: Viewer) -> Event:
    """Take an event back by its inverse; returns the inverse event.

    Raises Conflict `cannot_undo` (there is no inverse), `already_undone`, `already_sent` (a reply that has left the
    house), or `changed_since` (`by` a later event).
    """
    with services.db.transaction() as tx:
        return undone(tx, event_id, viewer=viewer)


def undone(tx: Transaction, event_id: int, *, viewer: Viewer) -> Event:
    """The same inside an open transaction."""
    event = event_log.get(tx, event_id)
    sight = _sight(event, viewer=viewer)
    if event.noun == "ticket":
        tickets.get(tx, event.noun_id, viewer=sight)
    elif event.noun == "post":
        posts.get(tx, event.noun_id, viewer=sight)
    check_undo(event, later=event_log.later(tx, event.noun, [event.noun_id], than=event.id).get(event.noun_id, ()))
    if event.verb == "corrected":
        _uncorrect(tx, event, viewer=viewer)
    elif event.verb in WRITTEN:
        recall(tx, event, viewer=viewer)
    else:
        edited(tx, event.noun_id, viewer=sight, changes=event.before, undoes=event.id)
    inverse = event_log.undone_by(tx, event_id)
    if inverse is None:
        raise Conflict("cannot_undo", id=event_id)
    return event_log.get(tx, inverse)


def _sight(event: Event, *, viewer: Viewer) -> Viewer:
    """Who moved a ticket out of their own sight can still take that back."""
    is_own = (event.actor_kind, event.actor_id) == (viewer.actor_kind, viewer.actor_id)
    return replace(viewer, queue_ids=None) if is_own else viewer


def check_undo(event: Event, *, later: Sequence[Event]) -> None:
    """Raise Conflict unless an event can be taken back, after which `later` ones happened to the same thing."""
    if any(one.undoes == event.id for one in later):
        raise Conflict("already_undone", id=event.id)
    if event.verb == "replied" and not is_recallable(event):
        raise Conflict("already_sent", id=event.id)
    if not is_undoable(event):
        raise Conflict("cannot_undo", id=event.id)
    undone = {one.undoes for one in later}
    # A later event and its own undo cancel out; what is left and touches the same things stands in the way.
    standing = [one for one in later if one.id not in undone and one.undoes not in {other.id for other in later}]
    for one in standing:
        is_same_thing = one.after.get("subject_id") == event.after.get("subject_id")
        if set(event.before) & set(one.after) and (is_same_thing or event.noun == "ticket"):
            raise Conflict("changed_since", id=event.id, by=one.id)


def _uncorrect(tx: Transaction, event: Event, *, viewer: Viewer) -> None:
    after = event.after
    corrections.mark_undone(tx, after["correction_id"], at=clock.now_ms())
    was = _apply(tx, after["subject_kind"], subject_id=after["subject_id"], noun_id=event.noun_id, columns=event.before)
    history.record(
        tx,
        actor=history.of(viewer),
        verb="uncorrected",
        noun=event.noun,
        noun_id=event.noun_id,
        before=was,
        after={**event.before, "task": after["task"], "label": after["label_before"]},
        undoes=event.id,
    )


def export_examples(services: Services) -> Iterator[str]:
    """Every correction in force as one JSONL line that training reads, oldest first."""
    try:
        tasks = dict(services.engine.tasks)
    except NotReady:
        tasks = {}
    for one in corrections.each(services.db):
        task = one.correction.task
        yield training_lines.line(
            one.text, label=one.correction.label, task=tasks.get(task), task_name=task, span=one.target
        )
