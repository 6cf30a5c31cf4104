"""Tickets by words: the newest messages that have them all, the best of these first.

BM25 is computed over these messages alone. Every one of them has every word, so what is left of it is how often, and in
how long a text; FTS5's own function would read the whole index for each word to weigh it against the others.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Mapping, Sequence

from app.core import paging, scope
from app.core.db import Reads, statement
from app.core.errors import InputError
from app.core.paging import Page
from app.core.permissions import SYSTEM, Viewer
from app.core.storage import full_text
from app.desk.domain.ticket import OPEN_STATUSES, Sort, Ticket, TicketFilter
from app.desk.store.ticket_filter import ORDERS, by_ids, conditions, sides
from app.desk.store.tickets import status_counts

# Words are looked up in the newest messages that have them: a common word stays quick among millions.
MOST = 2000
ENOUGH = 100
MOST_RANKED = 1000
FEW_OPEN = 50_000
"""So many open tickets are sooner looked through in the inbox's index than thousands of rows are read."""
K1, B = 1.2, 0.75
_HITS = """SELECT message.id, ticket_id FROM (SELECT rowid AS hit_id FROM message_search WHERE message_search MATCH ?
ORDER BY rowid DESC LIMIT ?) CROSS JOIN message INDEXED BY message_place ON message.id = hit_id"""


def is_asked(chosen: TicketFilter) -> bool:
    """True for a filter that has words to search for."""
    return bool(full_text.words(chosen.query))


def page(
    db: Reads, chosen: TicketFilter, *, viewer: Viewer, limit: int, after: str | None, sort: Sort = "risk"
) -> Page[Ticket]:
    """One page of what was found: by relevance, unless another order than the inbox's own is asked for."""
    start = 0 if after is None else _start(after)
    found, is_capped = _found(db, chosen, viewer=viewer, sort=sort)
    has_more = len(found) > start + limit
    return Page(
        items=by_ids(db, found[start : start + limit]),
        has_more=has_more,
        after=paging.cursor(start + limit, 0) if has_more else None,
        total=len(found),
        is_capped=is_capped,
    )


def _start(after: str) -> int:
    start = paging.keys(after, n=2)[0]
    if not isinstance(start, int) or start < 0:
        raise InputError("bad_cursor")
    return start


def count(db: Reads, chosen: TicketFilter, *, viewer: Viewer) -> tuple[int, bool]:
    """Count the tickets that were found; the second value is True where more messages match than are looked at."""
    found, is_capped = _found(db, chosen, viewer=viewer)
    return len(found), is_capped


def ids(db: Reads, chosen: TicketFilter, *, viewer: Viewer) -> list[int]:
    """The tickets found, best first."""
    return _found(db, chosen, viewer=viewer)[0]


def _found(db: Reads, chosen: TicketFilter, *, viewer: Viewer, sort: Sort = "risk") -> tuple[list[int], bool]:
    hits = _hits(db, chosen.query)
    order = ORDERS[sort].sql if sort != "risk" else ""
    found = _within(db, {row[1] for row in hits}, chosen=chosen, viewer=viewer, order=order)
    if not order:
        scores = _scores(db, hits, ticket_ids=set(found), words=full_text.terms(chosen.query))
        found.sort(key=lambda ticket_id: (-scores[ticket_id], -ticket_id))
    return found, len(hits) >= MOST


def _within(db: Reads, ticket_ids: Iterable[int], *, chosen: TicketFilter, viewer: Viewer, order: str) -> list[int]:
    """Those of some tickets that a filter leaves."""
    wanted = conditions(chosen, viewer=viewer)
    if not order and not any(text for text, _ in wanted):
        return list(ticket_ids)
    if sides(chosen.status) == [1]:
        ticket_ids = _open(db, ticket_ids)
    where, params = scope.joined([("id IN (SELECT value FROM json_each(?))", [scope.listed(ticket_ids)]), *wanted])
    # By id and no other index: what is left of so few rows is cheap to look at.
    return [row[0] for row in db.rows(statement("SELECT id FROM ticket NOT INDEXED", where, order), params)]


def _open(db: Reads, ticket_ids: Iterable[int]) -> Iterable[int]:
    """The open ones among some tickets, without reading the rows of the others; all when many tickets are open."""
    counts = status_counts(db, viewer=SYSTEM)
    if sum(counts.get(status, 0) for status in OPEN_STATUSES) > FEW_OPEN:
        return ticket_ids
    rows = db.rows(
        "SELECT id FROM ticket INDEXED BY ticket_inbox WHERE is_open = 1 AND id IN (SELECT value FROM json_each(?))",
        (scope.listed(ticket_ids),),
    )
    return [row[0] for row in rows]


def _hits(db: Reads, query: str) -> list[sqlite3.Row]:
    """The newest messages with the words (id, ticket_id): as whole words if enough have them.

    The last word may be the beginning of one, too; but all that begins with a common word is gathered before the
    newest of it is known, which takes long.
    """
    found: list[sqlite3.Row] = []
    for is_begun in (False, True):
        if not is_begun or len(found) < ENOUGH:
            found = db.rows(_HITS, (full_text.words(query, is_begun=is_begun), MOST))
    return found


def _scores(
    db: Reads, hits: Sequence[sqlite3.Row], *, ticket_ids: Collection[int], words: Sequence[str]
) -> dict[int, float]:
    """Tickets with their best score; those whose messages are older than what is ranked have none, and come last."""
    newest = [row[0] for row in hits[:MOST_RANKED] if row[1] in ticket_ids]
    texts = db.rows(
        "SELECT ticket_id, text FROM message WHERE id IN (SELECT value FROM json_each(?))", (scope.listed(newest),)
    )
    found = dict.fromkeys(ticket_ids, 0.0)
    for row, score in zip(texts, bm25([row[1] for row in texts], words=words), strict=True):
        found[row[0]] = max(score, found[row[0]])
    return found


def bm25(texts: Sequence[str], *, words: Sequence[str]) -> list[float]:
    """Scores of texts that all have all the words (Robertson and Zaragoza 2009, without the weight of a word)."""
    average = sum(map(len, texts)) / max(len(texts), 1)
    scores = []
    for text in texts:
        low, norm = text.casefold(), K1 * (1 - B + B * len(text) / max(average, 1.0))
        times = [max(low.count(word), 1) for word in words]
        scores.append(sum(n * (K1 + 1) / (n + norm) for n in times))
    return scores


def snippets(db: Reads, query: str, *, ticket_ids: Iterable[int]) -> Mapping[int, full_text.Pieces]:
    """The excerpt of each ticket around the words, out of the message that has the most of them."""
    words = full_text.terms(query)
    if not words:
        return {}
    rows = db.rows(
        "SELECT ticket_id, text FROM message WHERE ticket_id IN (SELECT value FROM json_each(?)) ORDER BY id",
        (scope.listed(ticket_ids),),
    )
    best: dict[int, tuple[int, str]] = {}
    for row in rows:
        low = row["text"].casefold()
        best[row["ticket_id"]] = max(
            best.get(row["ticket_id"], (0, "")), (sum(one in low for one in words), row["text"])
        )
    return {ticket_id: full_text.snippet(text, words=words) for ticket_id, (n, text) in best.items() if n}
