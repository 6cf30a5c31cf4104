"""Wiping erased words out of the file itself: out of the search index, out of free pages, and out of the log.

SQLite's FTS5 keeps the words of a deleted row until the part of the index that holds them is merged with the part that
tells of the deletion; pages that are freed keep their content until they are used again; and the write-ahead log keeps
what was written. So the index is merged into one part, every free page is written over, and the log is emptied. All of
it in short transactions, so that nobody waits; the row in `wiping` stands until it is done, so a crash leaves nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

from app.core.db import Database, Reads, Transaction

MERGED_PAGES = 32
"""Pages of the index that one transaction writes: a few milliseconds."""

FILLED_PAGES = 256
"""Free pages that one transaction writes over."""


def want(tx: Transaction, *, at: int) -> None:
    """Note that something was erased."""
    tx.execute("INSERT OR IGNORE INTO wiping VALUES (1, ?)", (at,))


def is_wanted(db: Reads) -> bool:
    """Whether erased words may still lie in the file."""
    return db.row("SELECT 1 FROM wiping") is not None


def pieces(db: Database) -> Iterator[None]:
    """Do the wiping that is wanted, a transaction at a time; what is left when nobody asks on stays wanted."""
    if not is_wanted(db):
        return
    yield from _merged(db)
    yield from _filled(db)
    # Somebody who still reads the log keeps it from being emptied; then that is tried again later.
    if db.value("PRAGMA wal_checkpoint(TRUNCATE)") == 0:
        with db.transaction() as tx:
            tx.execute("DELETE FROM wiping")


def _merged(db: Database) -> Iterator[None]:
    """Merge the search index into one part: a negative number begins that, a positive one goes on with it."""
    n_pages, is_changing = -MERGED_PAGES, True
    while is_changing:
        with db.transaction() as tx:
            before = tx.connection.total_changes
            tx.execute("INSERT INTO message_search (message_search, rank) VALUES ('merge', ?)", (n_pages,))
            # The statement itself counts as one.
            is_changing = tx.connection.total_changes - before > 1
        n_pages = MERGED_PAGES
        yield


def _filled(db: Database) -> Iterator[None]:
    """Write over every free page, and give the pages back."""
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
