"""The record of one change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Fields = Mapping[str, Any]
"""Fields of a thing by name, as somebody gives them or an event keeps them; the noun's `check` knows their types."""


@dataclass(frozen=True, kw_only=True)
class Event:
    """A change of one thing by one actor, with the values before and after; `undoes` is the id of an undone event.

    `actor_kind` is agent, rule, model, token or system; `actor_id` a user id, a rule id or `model@version`.
    `verb` is past tense (`created`, `routed`, `corrected`, …); `noun` with `noun_id` names the thing.
    """

    actor_kind: str
    actor_id: str
    verb: str
    noun: str
    noun_id: int
    before: Fields = field(default_factory=dict)
    after: Fields = field(default_factory=dict)
    at: int = 0
    undoes: int | None = None
    id: int = 0
