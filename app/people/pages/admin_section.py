"""One kind of thing that administrators keep: its table, its form, and what both need."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from app.core.registry import Registry
from app.people.domain import Session


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of a list; the first cell leads to the form."""

    id: int
    cells: Sequence[Any]
    is_muted: bool = False


@dataclass(frozen=True, kw_only=True)
class Section:
    """One kind of thing: heads of its table, its rows, its form, and what the form does."""

    slug: str
    noun: str
    icon: str
    title: Any
    one: Any
    about: Any
    heads: Sequence[Any]
    rows: Callable[[], list[Row]]
    form: type[Any]
    values: Callable[[int], dict[str, Any]]
    add: Callable[[Any], int]
    change: Callable[[int, Any], object]
    remove: Callable[[int], None] | None = None
    prepare: Callable[[Any], None] = lambda form: None
    notes: Callable[[int], list[str]] = lambda number: []
    sessions: Callable[[int], Sequence[Session]] | None = None


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
