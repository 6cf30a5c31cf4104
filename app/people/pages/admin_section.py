"""Sections of the administrator's pages: one noun each, with its table and its form."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from app.core import changes
from app.core.errors import NotFound
from app.core.nouns import Changed, Fields, Noun
from app.core.registry import Registry
from app.people.domain import Session
from app.web.access import services, viewer


@dataclass(frozen=True, kw_only=True)
class Row:
    """One row of a table; its first cell leads to the form."""

    id: int
    cells: Sequence[Any]
    is_muted: bool = False


@dataclass(frozen=True, kw_only=True)
class Section:
    """One noun with the heads and rows of its table, its form, and the fields of a filled form.

    `add` and `change` are for nouns that need more than a write of these fields.
    """

    slug: str
    noun: Noun[Any]
    icon: str
    title: Any
    one: Any
    about: Any
    heads: Sequence[Any]
    rows: Callable[[], list[Row]]
    form: type[Any]
    values: Callable[[int], Fields]
    given: Callable[[Any], Fields]
    add: Callable[[Any], Changed[Any]] | None = None
    change: Callable[[int, Any], Changed[Any]] | None = None
    is_removable: bool = False
    prepare: Callable[[Any], None] = lambda form: None
    notes: Callable[[int], list[str]] = lambda number: []
    sessions: Callable[[int], Sequence[Session]] | None = None

    def save_new(self, form: Any) -> Changed[Any]:
        """Add the thing of a filled form; raises InputError, Conflict."""
        if self.add is not None:
            return self.add(form)
        return changes.add(services().db, self.noun, self.given(form), viewer=viewer())

    def save(self, number: int, form: Any) -> Changed[Any]:
        """Write the changes of a form; raises NotFound, InputError, Conflict."""
        if self.change is not None:
            return self.change(number, form)
        return changes.change(services().db, self.noun, number, self.given(form), viewer=viewer())

    def remove(self, number: int) -> Changed[Any]:
        """Remove a thing; raises Conflict, and NotFound also in a section whose things are never removed."""
        if not self.is_removable:
            raise NotFound(noun=self.noun.name, id=number)
        return changes.remove(services().db, self.noun, number, viewer=viewer())


SECTIONS: Registry[Section] = Registry()
"""All sections by slug, in the order of the tabs."""


def split(text: str | None) -> tuple[str, ...]:
    """Return the parts of a text between its commas."""
    return tuple(part.strip() for part in (text or "").split(",") if part.strip())


def form_fields(form: Any, *names: str) -> Fields:
    """Return these fields of a form."""
    return {name: form[name].data for name in names}


def attributes(thing: Any, *names: str) -> Fields:
    """Return these fields of a thing, to fill a form."""
    return {name: getattr(thing, name) for name in names}
