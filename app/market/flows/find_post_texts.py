"""Posts as texts that models read."""

from __future__ import annotations

from app.core.db import Reads
from app.market.store import posts


class PostTexts:
    """What feeds brought and callers pushed."""

    kind = "post"

    def text(self, db: Reads, subject_id: int) -> str:
        """The text of a post; raises NotFound."""
        return posts.read(db, subject_id).text

    def n_pending(self, db: Reads) -> int:
        """How many posts wait for the model."""
        return posts.n_pending(db)
