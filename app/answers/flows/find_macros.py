"""Macros looked up by their words, with the outcomes of macros and drafts in replies."""

from __future__ import annotations

from collections.abc import Mapping

from app.answers.domain import Macro, Tally
from app.answers.store import macros, suggestion_outcomes
from app.core.services import Services

MOST = 200
"""Macros that a search shows."""


def with_words(services: Services, query: str = "") -> tuple[Macro, ...]:
    """Return the macros that have the words, at most 200; all macros for an empty query."""
    return macros.search(services.db, query, limit=MOST) if query else macros.every(services.db)


def tallies(services: Services) -> Mapping[int, Tally]:
    """Return the outcomes of each macro by its id."""
    return suggestion_outcomes.of_macros(services.db)


def draft_tally(services: Services) -> Tally:
    """Return the outcomes of all drafts."""
    return suggestion_outcomes.of_drafts(services.db)
