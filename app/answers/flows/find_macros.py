"""Macros looked up: all of them, by their words, or one; and what became of them in replies."""

from __future__ import annotations

from collections.abc import Mapping

from app.answers.domain import Macro, Tally
from app.answers.store import macros, suggestion_outcomes
from app.core.services import Services

MOST = 200
"""Macros that a search shows."""


def with_words(services: Services, query: str) -> tuple[Macro, ...]:
    """The macros that have the words, at most 200; all macros for an empty query."""
    return macros.search(services.db, query, limit=MOST) if query else macros.every(services.db)


def get(services: Services, macro_id: int) -> Macro:
    """The macro with this id; raises NotFound."""
    return macros.get(services.db, macro_id)


def tallies(services: Services) -> Mapping[int, Tally]:
    """How often each macro was sent, changed or turned down, by its id."""
    return suggestion_outcomes.of_macros(services.db)


def draft_tally(services: Services) -> Tally:
    """How often drafts were sent, changed or turned down."""
    return suggestion_outcomes.of_drafts(services.db)
