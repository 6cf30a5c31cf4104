"""The one way to write: every change of a thing is one row and one event, in one transaction.

A change writes the row, counts its version up and keeps the event, and returns both. History, undo, audit, `ETag`, live
updates and webhooks read that event; nobody looks it up again. `app/core/nouns.py` says what a kind of thing declares.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass, replace
from typing import Any, cast

from app.core.db import Database, Transaction, assignments, statement
from app.core.errors import Conflict, FieldError, InputError, NotAllowed, NotFound, Stale
from app.core.events import event_log, history
from app.core.events.event import Event
from app.core.nouns import NOUNS, Changed, Fields, Inverse, Noun, Plan, Row
from app.core.permissions import Viewer
from app.core.services import Services


def add(
    db: Database | Transaction, noun: Noun[Row], given: Fields, *, viewer: Viewer, columns: Fields | None = None
) -> Changed[Row]:
    """Add a thing with the fields that are given, and `columns` that nobody edits.

    Raises InputError for a field that cannot be, Conflict `name_taken`, `slug_taken` or `ticker_taken`.
    """
    with db.transaction() as tx:
        values = check_fields(tx, noun, given, was=None)
        noun.permit(tx, values, viewer)
        with _refusing_twins(noun, values):
            thing_id = noun.insert(tx, {**noun.columns(values), **(columns or {})})
        row = noun.read(tx, thing_id)
        event = history.record(
            tx,
            actor=history.of(viewer),
            verb="created",
            noun=noun.name,
            noun_id=thing_id,
            after=_event_values(row, noun.titles),
            data=noun.data(row),
        )
        noun.follow(tx, None, row, viewer)
        return Changed(row=row, event=event)


def change(
    db: Database | Transaction,
    noun: Noun[Row],
    thing_id: int,
    given: Fields,
    *,
    viewer: Viewer,
    version: int | None = None,
    undoes: int | None = None,
) -> Changed[Row]:
    """Change fields of a thing as one event; what is like that already is no change.

    Raises NotFound, Stale when `version` is not the one in force, InputError, and Conflict as `add` does.
    """
    with db.transaction() as tx:
        was = noun.get(tx, thing_id, viewer=viewer)
        check_version(noun, was, version=version)
        found = plan(tx, noun, was, given, undoes=undoes)
        if found is None:
            return Changed(row=was)
        noun.permit(tx, found.columns, viewer)
        return write(tx, noun, found, viewer=viewer)


def check_version(noun: Noun[Row], row: Row, *, version: int | None) -> None:
    """Raise Stale when `version` is given and is not the one in force."""
    if version not in (None, row.version):
        raise Stale(noun=noun.name, id=row.id, version=row.version)


def plan(tx: Transaction, noun: Noun[Row], was: Row, given: Fields, *, undoes: int | None = None) -> Plan[Row] | None:
    """Plan a change of a thing; None when it is like that already. Raises InputError, NotFound."""
    values = check_fields(tx, noun, given, was=was)
    wanted = {name: value for name, value in values.items() if getattr(was, name) != value}
    if not wanted:
        return None
    told = [name for name in wanted if name not in noun.secrets | noun.derived]
    return Plan(
        was=was,
        columns={**noun.columns(wanted), **noun.consequences(tx, was, wanted, is_undo=undoes is not None)},
        before=_event_values(was, told),
        after={
            **{name: _plain(wanted[name]) for name in told},
            **{f"is_{name}_changed": True for name in wanted if name in noun.secrets},
        },
        verb=noun.verb(was, wanted),
        undoes=undoes,
    )


def write(tx: Transaction, noun: Noun[Row], plan: Plan[Row], *, viewer: Viewer) -> Changed[Row]:
    """Write one planned change with its event."""
    with _refusing_twins(noun, plan.after):
        noun.update(tx, plan.was.id, plan.columns)
    row = noun.read(tx, plan.was.id)
    event = history.record(
        tx,
        actor=history.of(viewer),
        verb=plan.verb,
        noun=noun.name,
        noun_id=row.id,
        before=plan.before,
        after=plan.after,
        undoes=plan.undoes,
        data=noun.data(plan.was),
    )
    noun.follow(tx, plan.was, row, viewer)
    return Changed(row=row, event=event)


def write_each(tx: Transaction, noun: Noun[Row], plans: Sequence[Plan[Row]], *, viewer: Viewer) -> list[int]:
    """Write many planned changes with their events at once; returns the ids of the events.

    It is for nouns whose rows are written as usual and from whose changes nothing follows.
    """
    assert (type(noun).update, type(noun).follow) == (Noun.update, Noun.follow)
    by_columns: dict[tuple[str, ...], list[tuple[Any, ...]]] = {}
    for one in plans:
        by_columns.setdefault(tuple(one.columns), []).append((*one.columns.values(), one.was.id))
    for names, rows in by_columns.items():
        settings = assignments(dict.fromkeys(names)) + ", version = version + 1"
        tx.execute_many(statement("UPDATE", noun.in_table, "SET", settings, "WHERE id = ?"), rows)
    events = [
        history.NewEvent(
            verb=one.verb,
            noun_id=one.was.id,
            before=one.before,
            after=one.after,
            data=noun.data(one.was),
            undoes=one.undoes,
        )
        for one in plans
    ]
    return history.record_each(tx, events, actor=history.of(viewer), noun=noun.name)


def remove(
    db: Database | Transaction, noun: Noun[Row], thing_id: int, *, viewer: Viewer, undoes: int | None = None
) -> Changed[Row]:
    """Remove a thing; raises NotFound, and Conflict where something stands on it."""
    with db.transaction() as tx:
        was = noun.get(tx, thing_id, viewer=viewer)
        names = sorted(noun.fields - noun.secrets - noun.derived) if noun.is_restorable else noun.titles
        before = {**_event_values(was, names), **(noun.kept(tx, was) if noun.is_restorable else {})}
        noun.delete(tx, was)
        event = history.record(
            tx,
            actor=history.of(viewer),
            verb="deleted",
            noun=noun.name,
            noun_id=thing_id,
            before=before,
            undoes=undoes,
            data=noun.data(was),
        )
        noun.follow(tx, was, None, viewer)
        return Changed(row=was, event=event)


def restore(
    tx: Transaction, noun: Noun[Row], thing_id: int, kept: Fields, *, viewer: Viewer, undoes: int
) -> Changed[Row]:
    """Put a removed thing back, as the event of its removal `kept` it; raises Conflict when its name is taken."""
    noun.permit(tx, kept, viewer)
    with _refusing_twins(noun, kept):
        noun.revive(tx, thing_id, kept)
    row = noun.get(tx, thing_id, viewer=viewer)
    event = history.record(
        tx,
        actor=history.of(viewer),
        verb="restored",
        noun=noun.name,
        noun_id=thing_id,
        after=_event_values(row, noun.titles),
        undoes=undoes,
        data=noun.data(row),
    )
    noun.follow(tx, None, row, viewer)
    return Changed(row=row, event=event)


def undo(services: Services, event_id: int, *, viewer: Viewer) -> Event:
    """Take an event back; returns the inverse event.

    Raises NotFound, NotAllowed, Conflict `cannot_undo` (there is no inverse), `already_undone`, `changed_since` (`by`
    a later event), and what the inverse raises.
    """
    with services.db.transaction() as tx:
        event = event_log.get(tx, event_id)
        made = undo_in(tx, event, viewer=viewer)
    assert made.event is not None
    if made.event.verb != "deleted":
        NOUNS[event.noun].settle(services, made.row)
    return made.event


def undo_in(tx: Transaction, event: Event, *, viewer: Viewer, later: Sequence[Event] | None = None) -> Changed[Any]:
    """The thing after an event was taken back in an open transaction; raises as `undo` does."""
    inverse = _inverse(event)
    noun = NOUNS[event.noun]
    if not viewer.may(noun.permission):
        raise NotAllowed(permission=noun.permission)
    sight = _sight(event, viewer=viewer)
    _check_sight(tx, noun, event.noun_id, viewer=sight)
    if later is None:
        later = event_log.later(tx, event.noun, [event.noun_id], than=event.id).get(event.noun_id, ())
    check_undo(event, later=later)
    made = inverse.undo(tx, event, sight)
    if made.event is None:
        raise Conflict("cannot_undo", id=event.id)
    return made


def is_undoable(event: Event) -> bool:
    """Return True for an event that has an inverse which is not too late."""
    try:
        _inverse(event)
    except Conflict:
        return False
    return True


def check_undo(event: Event, *, later: Sequence[Event]) -> None:
    """Raise Conflict unless an event can be taken back, after which `later` ones happened to the same thing."""
    if any(one.undoes == event.id for one in later):
        raise Conflict("already_undone", id=event.id)
    _inverse(event)
    # A later event and its own undo cancel out; what is left and touches the same fields stands in the way.
    undone_ids, ids = {one.undoes for one in later}, {one.id for one in later}
    standing = [one for one in later if one.id not in undone_ids and one.undoes not in ids]
    whole = event.verb in ("created", "deleted", "restored")
    noun = NOUNS[event.noun]
    for one in standing:
        if whole or one.verb == "deleted" or noun.is_in_the_way(event, one):
            raise Conflict("changed_since", id=event.id, by=one.id)


def check_fields(tx: Transaction, noun: Noun[Row], given: Fields, *, was: Row | None) -> Fields:
    """The values of fields that were given; raises InputError for one that nobody edits, or that must not be empty."""
    unknown = sorted(set(given) - noun.fields)
    if unknown:
        raise InputError("unknown_field", field=unknown[0])
    empty = [name for name in noun.needed if not str(given.get(name, "" if was is None else name)).strip()]
    if empty:
        raise InputError("empty_field", fields=[FieldError(pointer=f"/{name}", code="empty") for name in empty])
    return noun.check(tx, given, was)


def _inverse(event: Event) -> Inverse:
    """Return the inverse of an event; raises Conflict where it has none, or where it is too late."""
    noun = NOUNS.find(event.noun)
    inverse = None if noun is None else noun.inverses.get(event.verb) or _usual_inverse(noun, event)
    if inverse is None:
        raise Conflict("cannot_undo", id=event.id)
    inverse.check(event)
    return inverse


def _usual_inverse(noun: Noun[Any], event: Event) -> Inverse | None:
    if event.verb in ("created", "restored"):
        return Inverse(undo=_undo_addition) if noun.is_restorable else None
    if event.verb == "deleted":
        return Inverse(undo=_undo_removal) if noun.is_restorable and set(noun.needed) <= set(event.before) else None
    is_edit = event.verb not in noun.never_undone and bool(event.before) and set(event.before) <= noun.fields
    # A secret that was replaced is known no more, so the whole edit stands: half of it is not taken back.
    is_whole = not any(f"is_{name}_changed" in event.after for name in noun.secrets)
    return Inverse(undo=_undo_change) if is_edit and is_whole else None


def _undo_addition(tx: Transaction, event: Event, viewer: Viewer) -> Changed[Any]:
    return remove(tx, NOUNS[event.noun], event.noun_id, viewer=viewer, undoes=event.id)


def _undo_removal(tx: Transaction, event: Event, viewer: Viewer) -> Changed[Any]:
    return restore(tx, NOUNS[event.noun], event.noun_id, event.before, viewer=viewer, undoes=event.id)


def _undo_change(tx: Transaction, event: Event, viewer: Viewer) -> Changed[Any]:
    return change(tx, NOUNS[event.noun], event.noun_id, event.before, viewer=viewer, undoes=event.id)


def _sight(event: Event, *, viewer: Viewer) -> Viewer:
    """The viewer as who takes an event back: who moved a thing out of their own sight can still do that."""
    is_own = (event.actor_kind, event.actor_id) == (viewer.actor_kind, viewer.actor_id)
    return replace(viewer, queue_ids=None) if is_own else viewer


def _check_sight(tx: Transaction, noun: Noun[Row], thing_id: int, *, viewer: Viewer) -> None:
    """Raise NotFound or NotAllowed for a thing out of sight, before anything is said of what happened to it."""
    try:
        row = noun.read(tx, thing_id)
    except NotFound:
        return  # it was removed: only its event is left to be seen
    noun.see(tx, row, viewer)


@contextmanager
def _refusing_twins(noun: Noun[Any], values: Fields) -> Iterator[None]:
    """Raise Conflict where a second thing would have the same unique field."""
    try:
        yield
    except sqlite3.IntegrityError as error:
        if "UNIQUE" not in str(error):
            raise
        key = noun.unique if noun.unique in ("slug", "email", "ticker") else "name"
        taken: dict[str, Any] = {key: str(values.get(noun.unique, ""))}
        raise Conflict(f"{key}_taken", noun=noun.title or noun.name, **taken) from error


def _event_values(thing: object, names: Sequence[str]) -> dict[str, Any]:
    return {name: _plain(getattr(thing, name)) for name in names}


def _plain(value: Any) -> Any:
    """A value as an event keeps it, and as the noun's check takes it back."""
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(cast(Any, value))
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value
