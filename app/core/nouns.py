"""Nouns: the kinds of things that are kept, each declared once with its table, its fields and their checks."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from app.core.db import Reads, Transaction, statement
from app.core.events.event import Event
from app.core.events.event import Fields as Fields
from app.core.permissions import Viewer
from app.core.registry import Registry
from app.core.services import Services


class Thing(Protocol):
    """The attributes that the rows of every noun have."""

    @property
    def id(self) -> int:
        """The number of the row."""

    @property
    def version(self) -> int:
        """The number of times that the row was written."""


T = TypeVar("T")
Row = TypeVar("Row", bound=Thing)


@dataclass(frozen=True, kw_only=True)
class Changed(Generic[T]):
    """A thing as it is after a write, and the event of that write; no event where nothing had to change."""

    row: T
    event: Event | None = None


@dataclass(frozen=True, kw_only=True)
class Plan(Generic[Row]):
    """One change before it is written: the columns, and what its event says; `undoes` is the event it takes back."""

    was: Row
    columns: Fields
    before: Fields
    after: Fields
    verb: str
    undoes: int | None = None


@dataclass(frozen=True, kw_only=True)
class Inverse:
    """The undo of an event with a verb of its own.

    `undo` does it in the open transaction, with an event that names the one it takes back; `check` raises Conflict
    once it is too late for that.
    """

    undo: Callable[[Transaction, Event, Viewer], Changed[Any]]
    check: Callable[[Event], None] = lambda event: None


class Noun(Generic[Row]):
    """A kind of thing that is kept: a subclass names its table and fields, and says what differs from the usual.

    `fields` may be edited by who has the `permission`; a thing is added only with the `needed` ones. `unique` is the
    field that no two things share, `titles` tell which thing was added or removed, `secrets` stay out of events,
    as `derived` fields do, which follow from others.
    `inverses` take events with verbs of their own back, and events with the verbs in `never_undone` stand.
    """

    name: ClassVar[str]
    permission: ClassVar[str]
    fields: ClassVar[frozenset[str]]
    table: ClassVar[str] = ""
    title: ClassVar[str] = ""
    needed: ClassVar[tuple[str, ...]] = ()
    unique: ClassVar[str] = "name"
    titles: ClassVar[tuple[str, ...]] = ("name",)
    secrets: ClassVar[frozenset[str]] = frozenset()
    derived: ClassVar[frozenset[str]] = frozenset()
    is_restorable: ClassVar[bool] = False
    never_undone: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, inverses: Mapping[str, Inverse] | None = None) -> None:
        self.inverses = inverses or {}

    def make(self, row: sqlite3.Row) -> Row:
        """A thing out of its row."""
        raise NotImplementedError

    def see(self, db: Reads, row: Row, viewer: Viewer) -> None:
        """Raise NotFound, or NotAllowed, for a thing that the viewer may not see, or not change."""

    def check(self, tx: Transaction, given: Fields, was: Row | None) -> Fields:
        """The values of fields that were given, for a new thing if `was` is None; raises InputError."""
        return dict(given)

    def permit(self, tx: Transaction, values: Fields, viewer: Viewer) -> None:
        """Raise InputError, or NotAllowed, for checked values that this viewer may not give."""

    def columns(self, values: Fields) -> Fields:
        """Columns that hold these values of fields."""
        return values

    def consequences(self, tx: Transaction, was: Row, wanted: Fields, *, is_undo: bool) -> Fields:
        """Columns that follow from a change of fields."""
        return {}

    def verb(self, was: Row, wanted: Fields) -> str:
        """The verb of the event of a change, in the past tense."""
        return "edited"

    def insert(self, tx: Transaction, columns: Fields) -> int:
        """Add a row; returns its number."""
        return tx.insert(self.in_table, columns)

    def update(self, tx: Transaction, thing_id: int, columns: Fields) -> None:
        """Write columns of a row and count its version up."""
        tx.change(self.in_table, thing_id, changes=columns)

    def kept(self, tx: Transaction, row: Row) -> Fields:
        """Return what the event of a removal keeps besides the fields, so that `revive` can put the thing back."""
        return {}

    def delete(self, tx: Transaction, row: Row) -> None:
        """Remove the row; raises Conflict where something stands on it."""
        tx.execute(statement("DELETE FROM", self.in_table, "WHERE id = ?"), (row.id,))

    def revive(self, tx: Transaction, thing_id: int, kept: Fields) -> None:
        """Put a removed row back under its own number, as the event of its removal kept it."""
        values = self.check(tx, {name: value for name, value in kept.items() if name in self.fields}, None)
        others = {name: value for name, value in kept.items() if name not in self.fields}
        tx.insert(self.in_table, {**self.columns(values), **others, "id": thing_id})

    def follow(self, tx: Transaction, was: Row | None, row: Row | None, viewer: Viewer) -> None:
        """Write what follows from a change; before it or after it the thing may be None."""

    def settle(self, services: Services, row: Row) -> None:
        """Do what follows from a change and takes long, after its commit."""

    def data(self, row: Row) -> Fields:
        """Return what webhooks send of the thing besides its changes."""
        return {}

    def is_in_the_way(self, event: Event, later: Event) -> bool:
        """Return True when a later event changed a field that the undo of an earlier one would write."""
        return bool(set(event.before) & set(later.after))

    @property
    def in_table(self) -> str:
        """The table of the rows."""
        return self.table or self.name

    def get(self, db: Reads, thing_id: int, *, viewer: Viewer) -> Row:
        """The thing with this id; raises NotFound, and NotAllowed where the viewer may not change it."""
        row = self.read(db, thing_id)
        self.see(db, row, viewer)
        return row

    def read(self, db: Reads, thing_id: int) -> Row:
        """The thing with this id, whoever asks; raises NotFound."""
        return self.make(db.got(self.in_table, thing_id))


NOUNS: Registry[Noun[Any]] = Registry()
"""Every noun by its name; the composition root registers those of each area."""
