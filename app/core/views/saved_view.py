"""Saved views of the inbox, and dashboards of the market."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Place = Literal["inbox", "market"]


@dataclass(frozen=True, kw_only=True)
class SavedView:
    """A filter under a name: `query` is the address of its `place` after the `?`."""

    id: int
    name: str
    query: str
    user_id: int
    is_shared: bool = False
    place: Place = "inbox"
    version: int = 1
