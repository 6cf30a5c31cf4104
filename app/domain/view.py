"""Saved views of the inbox."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class SavedView:
    """A filter with its order under a name: `query` is the inbox's own address after the `?`."""

    id: int
    name: str
    query: str
    user_id: int
    is_shared: bool = False
    version: int = 1
