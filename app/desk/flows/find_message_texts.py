"""Messages as texts that models read."""

from __future__ import annotations

from app.core.db import Reads
from app.desk.store import messages


class MessageTexts:
    """The messages of customers and agents."""

    kind = "message"

    def text(self, db: Reads, subject_id: int) -> str:
        """Return the text of a message; raises NotFound."""
        return messages.get(db, subject_id).text

    def n_pending(self, db: Reads) -> int:
        """Return the number of messages that wait for the model."""
        return messages.n_pending(db)
