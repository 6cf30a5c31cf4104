"""The texts that models read: each kind is found through the area that keeps it."""

from __future__ import annotations

from typing import Protocol

from app.core.db import Reads
from app.core.registry import Registry


class TextSource(Protocol):
    """The texts of one kind of subject; `kind` is the `subject_kind` of their predictions."""

    kind: str

    def text(self, db: Reads, subject_id: int) -> str:
        """The text of one subject, as the model reads it; raises NotFound."""

    def n_pending(self, db: Reads) -> int:
        """How many of them wait for the live model."""


SOURCES: Registry[TextSource] = Registry()
"""Where texts are found, by the kind of their subject."""
