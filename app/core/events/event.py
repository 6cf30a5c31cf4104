"""One change, told once: history, undo, audit and live updates all read events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Event:
    """Who did what to which thing, and what it was before; `undoes` names the event this one takes back.

    `actor_kind` is agent, rule, model, token or system; `actor_id` a user id, a rule id or `model@version`.
    `verb` is past tense (`created`, `routed`, `corrected`, …); `noun` with `noun_id` names the thing.
    """

    actor_kind: str
    actor_id: str
    verb: str
    noun: str
    noun_id: int
    before: Mapping[str, Any] = field(default_factory=dict)
    after: Mapping[str, Any] = field(default_factory=dict)
    at: int = 0
    undoes: int | None = None
    id: int = 0
