"""An event is kept in two parts: the deed, which repeats (actor, verb, names of fields), and the values."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from app.core.events.event import Event

DEED = ("actor_kind", "actor_id", "verb", "before_keys", "after_keys")


def deed(event: Event) -> tuple[str, ...]:
    """Return the part of an event that is kept once for all events with the same one."""
    return event.actor_kind, event.actor_id, event.verb, _listed(tuple(event.before)), _listed(tuple(event.after))


def details(event: Event) -> list[Any] | None:
    """Return the values before, then those after, in the order of the deed's keys; None without values."""
    return [*event.before.values(), *event.after.values()] or None


@lru_cache(maxsize=1024)
def _listed(keys: tuple[str, ...]) -> str:
    return json.dumps([str(key) for key in keys], ensure_ascii=False, separators=(",", ":"))
