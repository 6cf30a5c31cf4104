"""Wiping erased words from the database file: from the search index, from free pages, and from the log.

SQLite's FTS5 keeps the words of a deleted row until the segment that holds them is merged with the one that marks the
deletion; freed pages keep their content until they are used again; and the write-ahead log keeps what was written. So
the index is merged into one segment, every free page is overwritten, and the log is emptied, in short transactions that
let other writers pass. The row in `wiping` stays until all of it is done, so a crash leaves nothing undone.
"""

from __future__ import annotations

from collections.abc import Iterator

from app.core.db import Database, Reads, Transaction

MERGED_PAGES = 32
"""Pages of the index that one transaction writes within a few milliseconds."""

FILLED_PAGES = 256
"""Free pages that one transaction overwrites."""


def request(tx: Transaction, *, at: int) -> None:
    """Request a wiping, because something was erased."""
    tx.execute("INSERT OR IGNORE INTO wiping VALUES (1, ?)", (at,))


def is_requested(db: Reads) -> bool:
    """Return True while erased words may still be in the file."""
    return db.row("SELECT 1 FROM wiping") is not None


def run(db: Database) -> Iterator[None]:
    """Do the wiping that is requested, one transaction at each step; a wiping that is not run to its end stays."""
    if not is_requested(db):
        return
    yield from _merge_index(db)
    yield from _overwrite_free_pages(db)
    # A reader keeps the log from being emptied; that is tried again later.
    if db.value("PRAGMA wal_checkpoint(TRUNCATE)") == 0:
        with db.transaction() as tx:
            tx.execute("DELETE FROM wiping")


def _merge_index(db: Database) -> Iterator[None]:
    """Merge the search index into one segment: a negative number of pages begins the merge, a positive one goes on."""
    n_pages, is_changing = -MERGED_PAGES, True
    while is_changing:
        with db.transaction() as tx:
            before = tx.connection.total_changes
            tx.execute("INSERT INTO message_search (message_search, rank) VALUES ('merge', ?)", (n_pages,))
            # The statement itself counts as one.
            is_changing = tx.connection.total_changes - before > 1
        n_pages = MERGED_PAGES
        yield


def _overwrite_free_pages(db: Database) -> Iterator[None]:
    """Overwrite every free page, and give the pages back."""
    size = int(db.value("PRAGMA page_size"))
    while n_free := min(int(db.value("PRAGMA freelist_count")), FILLED_PAGES):
        with db.transaction() as tx:
            # Four bytes of each page name the next one.
            tx.execute("INSERT INTO wiping_page (content) VALUES (zeroblob(?))", (n_free * (size - 4),))
        yield
    while db.row("SELECT 1 FROM wiping_page") is not None:
        with db.transaction() as tx:
            tx.execute("DELETE FROM wiping_page WHERE id = (SELECT min(id) FROM wiping_page)")
        yield
