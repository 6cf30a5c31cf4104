"""Saved views of the inbox, and dashboards of the market."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from app.core.permissions import Viewer

Place = Literal["inbox", "market"]


@dataclass(frozen=True, kw_only=True)
class SavedView:
    """A filter under a name: `query` is the part of its page's address after the `?`."""

    id: int
    name: str
    query: str
    user_id: int
    is_shared: bool = False
    place: Place = "inbox"
    version: int = 1

    def is_in_sight(self, viewer: Viewer) -> bool:
        """Return True for a viewer's own view and for a shared one."""
        return self.is_shared or self.user_id == viewer.user_id

    def is_changeable(self, viewer: Viewer) -> bool:
        """Return True for the owner and for administrators."""
        return self.user_id == viewer.user_id or viewer.may("*:*")
