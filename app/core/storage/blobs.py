"""Blobs: bytes kept once by their SHA-256, as long as a row refers to them."""

from __future__ import annotations

import hashlib
import sqlite3

from app.core.db import Reads, Transaction
from app.core.errors import NotFound


def put(tx: Transaction, content: bytes) -> str:
    """Keep bytes; returns their SHA-256."""
    digest = hashlib.sha256(content).hexdigest()
    tx.execute("INSERT OR IGNORE INTO blob VALUES (?, ?)", (digest, content))
    return digest


def get(db: Reads, sha256: str) -> bytes:
    """The bytes with this SHA-256; raises NotFound."""
    found: bytes | None = db.value("SELECT content FROM blob WHERE sha256 = ?", (sha256,))
    if found is None:
        raise NotFound(noun="file", id=sha256)
    return found


def drop(tx: Transaction, sha256: str) -> None:
    """Delete bytes unless a row still refers to them."""
    try:
        with tx.attempt():
            tx.execute("DELETE FROM blob WHERE sha256 = ?", (sha256,))
    except sqlite3.IntegrityError:
        # The foreign key of an attachment or of a waiting file holds them.
        return
