"""The texts that models read, each kind from the area that keeps it."""

from __future__ import annotations

from typing import Protocol

from app.core.db import Reads
from app.core.registry import Registry


class TextSource(Protocol):
    """The texts of one kind of subject; `kind` is the `subject_kind` of their predictions."""

    kind: str

    def text(self, db: Reads, subject_id: int) -> str:
        """Return the text of one subject, as the model reads it; raise NotFound."""

    def n_pending(self, db: Reads) -> int:
        """Return the number of them that wait for the live model."""


SOURCES: Registry[TextSource] = Registry()
"""The sources of texts, by the kind of their subject."""
