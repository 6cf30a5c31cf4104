"""Messages as texts that models read."""

from __future__ import annotations

from app.core.db import Reads
from app.desk.store import messages


class MessageTexts:
    """What customers wrote and agents answered."""

    kind = "message"

    def text(self, db: Reads, subject_id: int) -> str:
        """The text of a message; raises NotFound."""
        return messages.get(db, subject_id).text

    def n_pending(self, db: Reads) -> int:
        """How many messages wait for the model."""
        return messages.n_pending(db)
