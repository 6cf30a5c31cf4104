"""Attachments by the SHA-256 of their content: the same file is kept once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from app.core.db import Reads, Transaction
from app.core.permissions import Viewer
from app.core.scope import listed
from app.core.storage import blobs
from app.core.storage.row_mapping import built
from app.desk.domain.ticket import AttachmentDraft
from app.desk.store import tickets


@dataclass(frozen=True, kw_only=True)
class Attachment:
    """A file of a message; `size` in bytes. One over the cap `is_left_out`: its name is kept, its content is not."""

    id: int
    message_id: int
    name: str
    media_type: str
    size: int
    sha256: str
    is_left_out: bool = False


def of_messages(db: Reads, message_ids: Iterable[int]) -> tuple[Attachment, ...]:
    """The attachments of these messages."""
    rows = db.rows(
        "SELECT * FROM attachment WHERE message_id IN (SELECT value FROM json_each(?)) ORDER BY id",
        (listed(message_ids),),
    )
    return tuple(built(Attachment, row, flags=("is_left_out",)) for row in rows)


def content(db: Reads, attachment_id: int, *, viewer: Viewer) -> tuple[Attachment, bytes]:
    """An attachment with its bytes; raises NotFound, out of the viewer's scope too."""
    found = built(Attachment, db.got("attachment", attachment_id), flags=("is_left_out",))
    ticket_id = db.value("SELECT ticket_id FROM message WHERE id = ?", (found.message_id,))
    tickets.get(db, ticket_id, viewer=viewer)
    return found, blobs.get(db, found.sha256)


def insert(tx: Transaction, *, message_id: int, draft: AttachmentDraft) -> int:
    """Keep an attachment of a message."""
    return tx.insert(
        "attachment",
        {
            "message_id": message_id,
            "name": draft.name,
            "media_type": draft.media_type,
            "size": len(draft.content),
            "sha256": blobs.put(tx, draft.content),
            "is_left_out": draft.is_left_out,
        },
    )
