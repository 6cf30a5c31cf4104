"""One kind of thing that administrators keep: its table, its form, and what both need."""

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
    """One line of a list; the first cell leads to the form."""

    id: int
    cells: Sequence[Any]
    is_muted: bool = False


@dataclass(frozen=True, kw_only=True)
class Section:
    """One kind of thing: its noun, heads of its table, its rows, its form, and the fields that a filled form gives.

    `add` and `change` are for what takes more than writing these fields.
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
    values: Callable[[int], dict[str, Any]]
    given: Callable[[Any], Fields]
    add: Callable[[Any], Changed[Any]] | None = None
    change: Callable[[int, Any], Changed[Any]] | None = None
    is_removable: bool = False
    prepare: Callable[[Any], None] = lambda form: None
    notes: Callable[[int], list[str]] = lambda number: []
    sessions: Callable[[int], Sequence[Session]] | None = None

    def save_new(self, form: Any) -> Changed[Any]:
        """Add what a form describes; raises InputError, Conflict."""
        if self.add is not None:
            return self.add(form)
        return changes.add(services().db, self.noun, self.given(form), viewer=viewer())

    def save(self, number: int, form: Any) -> Changed[Any]:
        """Change what a form has changed; raises NotFound, InputError, Conflict."""
        if self.change is not None:
            return self.change(number, form)
        return changes.change(services().db, self.noun, number, self.given(form), viewer=viewer())

    def remove(self, number: int) -> Changed[Any]:
        """Remove one; raises NotFound, also where nothing of the kind is ever removed, and Conflict."""
        if not self.is_removable:
            raise NotFound(noun=self.noun.name, id=number)
        return changes.remove(services().db, self.noun, number, viewer=viewer())


SECTIONS: Registry[Section] = Registry()
"""Every section by its slug, in the order of the tabs."""


def split(text: str | None) -> tuple[str, ...]:
    """The parts of a text with commas between."""
    return tuple(part.strip() for part in (text or "").split(",") if part.strip())


def form_fields(form: Any, *names: str) -> dict[str, Any]:
    """What a form says in these fields."""
    return {name: form[name].data for name in names}


def attributes(thing: Any, *names: str) -> dict[str, Any]:
    """These fields of a thing, as a form is filled with them."""
    return {name: getattr(thing, name) for name in names}
