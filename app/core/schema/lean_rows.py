"""Rows without what repeats: a message's cleaned text by its body, predictions by verdict, events by deed.

Statements here are history, as those of the first schema are. `predicted` and `happened` are views with everything in
sight; the plus in them keeps the planner from going through verdicts or deeds first.
"""

from __future__ import annotations

import json
import sqlite3
import struct
from collections.abc import Mapping, Sequence

from app.core.db import Transaction
from app.core.events.event import Event
from app.core.events.event_codec import DEED, deed, details
from app.core.schema.report_figures import DAY, HOUR
from app.core.schema.table_rebuild import Rebuilt, Rows, having
from app.core.storage.dictionary_codec import numbers

_MESSAGE = """id, ticket_id, kind, author_kind, author_name, user_id, occurred_at, received_at, message_id, language,
is_supported, is_automatic, n_redactions, pending_at, n_tries, not_before_at, recalled_at, body"""


def _parts(body: str, text: str) -> tuple[str | None, int | None]:
    """A cleaned text as what stands before the body, and how many of its characters follow; None: nothing, and all."""
    if text == body:
        return None, None
    for start in {0, text.find("\n") + 1}:
        rest = text[start:]
        # SQLite counts the characters of a text with a zero in it otherwise.
        if body.startswith(rest) and "\0" not in body:
            return text[:start] or None, None if rest == body else len(rest)
    return text, 0


def _copy_messages(connection: sqlite3.Connection, rows: Rows) -> None:
    connection.executemany(
        f"INSERT INTO message_copy ({_MESSAGE}, text_head, text_kept) VALUES ({', '.join('?' * 20)})",
        [(*row[:-1], *_parts(row[-2], row[-1])) for row in rows],
    )


MESSAGES = Rebuilt(
    table="message",
    is_made=having("text_kept"),
    # The body comes last: what is asked of long messages without it lies before its pages.
    create="""CREATE TABLE message_copy (id INTEGER PRIMARY KEY AUTOINCREMENT,
    ticket_id INTEGER NOT NULL REFERENCES ticket,
    kind TEXT NOT NULL CHECK (kind IN ('incoming', 'outgoing', 'note')), author_kind TEXT NOT NULL,
    author_name TEXT NOT NULL, user_id INTEGER REFERENCES user, occurred_at INTEGER NOT NULL,
    received_at INTEGER NOT NULL, message_id TEXT, language TEXT NOT NULL DEFAULT 'en',
    is_supported INTEGER NOT NULL DEFAULT 1, is_automatic INTEGER NOT NULL DEFAULT 0,
    n_redactions INTEGER NOT NULL DEFAULT 0, pending_at INTEGER, n_tries INTEGER NOT NULL DEFAULT 0,
    not_before_at INTEGER, recalled_at INTEGER, text_head TEXT, text_kept INTEGER, body TEXT NOT NULL,
    text TEXT GENERATED ALWAYS AS (coalesce(text_head, '') || iif(text_kept IS NULL, body, substr(body, 1, text_kept)))
    VIRTUAL)""",
    read=_MESSAGE + ", text",
    copy=_copy_messages,
    drop=("DROP TRIGGER message_refound", "DROP INDEX message_ticket", "DROP INDEX message_place"),
    finish=(
        # An index ends with the id by itself.
        "CREATE INDEX message_ticket ON message (ticket_id, occurred_at)",
        # Found by id, for the ticket alone: the id comes first, and so it is said.
        "CREATE INDEX message_place ON message (id, ticket_id)",
        """CREATE TRIGGER message_refound AFTER UPDATE OF body, text_head, text_kept ON message BEGIN
        INSERT INTO message_search (message_search, rowid, text) VALUES ('delete', old.id, old.text);
        INSERT INTO message_search (rowid, text) VALUES (new.id, new.text); END""",
    ),
)

NUMBERED = (
    """CREATE TABLE label (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)""",
    """CREATE TABLE verdict (id INTEGER PRIMARY KEY,
    subject_kind TEXT NOT NULL CHECK (subject_kind IN ('message', 'post', 'mention')), task TEXT NOT NULL,
    role TEXT NOT NULL, model TEXT NOT NULL, label TEXT NOT NULL, abstained INTEGER NOT NULL, band TEXT NOT NULL,
    band_precision REAL)""",
    """CREATE UNIQUE INDEX verdict_all ON verdict (label, task, model, subject_kind, role, abstained, band,
    band_precision)""",
    "CREATE TABLE noun (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)",
    # Most events are of tickets: 0 takes no room in a row.
    "INSERT INTO noun (id, name) VALUES (0, 'ticket'), (1, 'post')",
    """CREATE TABLE deed (id INTEGER PRIMARY KEY, actor_kind TEXT NOT NULL, actor_id TEXT NOT NULL, verb TEXT NOT NULL,
    before_keys TEXT NOT NULL, after_keys TEXT NOT NULL)""",
    "CREATE UNIQUE INDEX deed_all ON deed (actor_id, verb, after_keys, before_keys, actor_kind)",
)

_VERDICT = ("subject_kind", "task", "role", "model", "label", "abstained", "band", "band_precision")


def _copy_predictions(connection: sqlite3.Connection, rows: Rows) -> None:
    tx = Transaction(connection)
    verdicts = numbers(tx, "verdict", _VERDICT, [row[2:10] for row in rows])
    tops = [[(label, chance) for label, chance in json.loads(row[11])] for row in rows]
    names = {label for top in tops for label, _ in top}
    codes = {key[0]: code for key, code in numbers(tx, "label", ("name",), [(name,) for name in names]).items()}
    connection.executemany(
        """INSERT INTO prediction_copy (id, subject_id, verdict_id, probability, top, labels, is_shadow, created_at)
        VALUES (?, ?, ?, ?, ?, nullif(?, '[]'), ?, ?)""",
        [
            (row[0], row[1], verdicts[row[2:10]], _millionths(row[10]), _packed(top, codes=codes), *row[12:])
            for row, top in zip(rows, tops, strict=True)
        ],
    )


def _packed(top: Sequence[tuple[str, float]], *, codes: Mapping[str, int]) -> bytes | str:
    """The best labels in four bytes each, number and ten thousandths; JSON where these cannot hold them exactly."""
    steps = [round(chance * 10_000) if 0 <= chance <= 1 else -1 for _, chance in top]
    kept = [codes[label] for label, _ in top]
    is_exact = all(step / 10_000 == chance for step, (_, chance) in zip(steps, top, strict=True))
    if not is_exact or max(kept, default=0) > 65_535:
        return json.dumps([list(one) for one in top], ensure_ascii=False, separators=(",", ":"))
    pairs = [number for pair in zip(kept, steps, strict=True) for number in pair]
    return struct.pack(f"<{len(pairs)}H", *pairs)


def _millionths(probability: float) -> float:
    # SQLite keeps a REAL without decimals as the shortest whole number.
    whole = round(probability * 1_000_000)
    return whole if whole / 1_000_000 == probability else probability * 1_000_000


_CORRECTED = f"""INSERT INTO figure_intent (day, queue_id, intent, n_corrected)
SELECT predicted.created_at / {DAY}, ticket.queue_id, predicted.label, %s1 FROM predicted
JOIN message ON message.id = predicted.subject_id JOIN ticket ON ticket.id = message.ticket_id
WHERE predicted.id = new.prediction_id AND predicted.role = 'intent' AND predicted.subject_kind = 'message'
AND predicted.label <> new.label AND NOT EXISTS (SELECT 1 FROM correction AS other WHERE other.id <> new.id
AND other.prediction_id = new.prediction_id AND other.undone_at IS NULL)
ON CONFLICT DO UPDATE SET n_corrected = n_corrected + excluded.n_corrected;"""

PREDICTIONS = Rebuilt(
    table="prediction",
    is_made=having("verdict_id"),
    create="""CREATE TABLE prediction_copy (id INTEGER PRIMARY KEY, subject_id INTEGER NOT NULL,
    verdict_id INTEGER NOT NULL REFERENCES verdict, is_shadow INTEGER NOT NULL DEFAULT 0, probability REAL NOT NULL,
    created_at INTEGER NOT NULL, labels TEXT, top BLOB NOT NULL)""",
    read="""id, subject_id, subject_kind, task, role, model, label, abstained, band, band_precision, probability, top,
    labels, is_shadow, created_at""",
    copy=_copy_predictions,
    drop=(
        "DROP TRIGGER figure_read",
        "DROP TRIGGER figure_corrected",
        "DROP TRIGGER figure_uncorrected",
        "DROP INDEX prediction_subject",
        "DROP INDEX prediction_shadow",
    ),
    finish=(
        "CREATE INDEX prediction_subject ON prediction (subject_id)",
        "CREATE INDEX prediction_shadow ON prediction (is_shadow) WHERE is_shadow = 1",
        """CREATE VIEW predicted AS SELECT prediction.id, subject_kind, subject_id, task, role, model, label,
        probability / 1000000 AS probability, top, labels, abstained, band, band_precision, is_shadow, created_at
        FROM prediction JOIN verdict ON verdict.id = +prediction.verdict_id""",
        f"""CREATE TRIGGER figure_read AFTER INSERT ON prediction WHEN new.is_shadow = 0 BEGIN
        INSERT INTO figure_intent (day, queue_id, intent, n_read)
        SELECT new.created_at / {DAY}, ticket.queue_id, verdict.label, 1 FROM verdict
        CROSS JOIN message ON message.id = new.subject_id CROSS JOIN ticket ON ticket.id = message.ticket_id
        WHERE verdict.id = new.verdict_id AND verdict.role = 'intent' AND verdict.subject_kind = 'message'
        AND verdict.abstained = 0 ON CONFLICT DO UPDATE SET n_read = n_read + excluded.n_read; END""",
        f"CREATE TRIGGER figure_corrected AFTER INSERT ON correction BEGIN {_CORRECTED % ''} END",
        f"""CREATE TRIGGER figure_uncorrected AFTER UPDATE OF undone_at ON correction
        WHEN old.undone_at IS NULL AND new.undone_at IS NOT NULL BEGIN {_CORRECTED % "-"} END""",
    ),
)


def _copy_events(connection: sqlite3.Connection, rows: Rows) -> None:
    tx = Transaction(connection)
    events = [
        Event(
            id=row[0],
            actor_kind=row[1],
            actor_id=row[2],
            verb=row[3],
            noun=row[4],
            noun_id=row[5],
            before=json.loads(row[6]),
            after=json.loads(row[7]),
            at=row[8],
            undoes=row[9],
        )
        for row in rows
    ]
    deeds = numbers(tx, "deed", DEED, map(deed, events))
    nouns = numbers(tx, "noun", ("name",), [(one.noun,) for one in events])
    tx.execute_many(
        """INSERT INTO event_copy (id, deed_id, noun_code, noun_id, at, undoes, details)
        VALUES (?, ?, ?, ?, ?, ?, ?)""",
        [
            (one.id, deeds[deed(one)], nouns[(one.noun,)], one.noun_id, one.at, one.undoes, details(one))
            for one in events
        ],
    )


def _said_before(key: str) -> str:
    """What an event that is being kept says was there under a key, as SQL; NULL where it says nothing of it."""
    return f"""json_extract(new.details, (SELECT '$[' || keys.key || ']' FROM deed, json_each(deed.before_keys) AS keys
    WHERE deed.id = new.deed_id AND keys.value = '{key}'))"""


def _said_after(key: str) -> str:
    """What it says is there now."""
    return f"""json_extract(new.details, (SELECT '$[' || (keys.key + json_array_length(deed.before_keys)) || ']'
    FROM deed, json_each(deed.after_keys) AS keys WHERE deed.id = new.deed_id AND keys.value = '{key}'))"""


def _when(deed_is: str) -> str:
    return f"new.noun_code = 0 AND (SELECT {deed_is} FROM deed WHERE deed.id = new.deed_id)"


EVENTS = Rebuilt(
    table="event",
    is_made=having("deed_id"),
    create="""CREATE TABLE event_copy (id INTEGER PRIMARY KEY AUTOINCREMENT,
    deed_id INTEGER NOT NULL REFERENCES deed, noun_code INTEGER NOT NULL REFERENCES noun, noun_id INTEGER NOT NULL,
    at INTEGER NOT NULL, undoes INTEGER REFERENCES event, details TEXT)""",
    read="id, actor_kind, actor_id, verb, noun, noun_id, before, after, at, undoes",
    copy=_copy_events,
    drop=(
        "DROP TRIGGER figure_routed",
        "DROP TRIGGER figure_rerouted",
        "DROP TRIGGER figure_closed",
        "DROP INDEX event_noun",
    ),
    finish=(
        "CREATE INDEX event_noun ON event (noun_code, noun_id)",
        "CREATE UNIQUE INDEX event_undoes ON event (undoes) WHERE undoes IS NOT NULL",
        """CREATE VIEW happened AS SELECT event.id, actor_kind, actor_id, verb,
        (SELECT name FROM noun WHERE noun.id = event.noun_code) AS noun, noun_code, noun_id, before_keys, after_keys,
        details, at, undoes FROM event JOIN deed ON deed.id = +event.deed_id""",
        f"""CREATE TRIGGER figure_routed AFTER INSERT ON event
        WHEN {_when("verb = 'routed' AND actor_kind = 'rule'")} BEGIN
        INSERT INTO figure (hour, queue_id, n_routed)
        SELECT created_at / {HOUR}, coalesce({_said_before("queue_id")}, queue_id), 1 FROM ticket
        WHERE id = new.noun_id ON CONFLICT DO UPDATE SET n_routed = n_routed + excluded.n_routed; END""",
        f"""CREATE TRIGGER figure_rerouted AFTER INSERT ON event WHEN new.undoes IS NULL
        AND {_when("verb = 'routed' AND actor_kind IN ('agent', 'token')")}
        AND (SELECT actor_kind FROM happened WHERE noun_code = 0 AND noun_id = new.noun_id AND verb = 'routed'
        AND id < new.id ORDER BY id DESC LIMIT 1) = 'rule' BEGIN
        INSERT INTO figure (hour, queue_id, n_rerouted)
        SELECT created_at / {HOUR}, queue_id, 1 FROM ticket WHERE id = new.noun_id
        ON CONFLICT DO UPDATE SET n_rerouted = n_rerouted + excluded.n_rerouted; END""",
        f"""CREATE TRIGGER figure_closed AFTER INSERT ON event
        WHEN {_when("actor_kind = 'agent' AND instr(after_keys, '" + '"status"' + "') > 0")}
        AND {_said_after("status")} = 'solved' AND coalesce({_said_before("status")}, 'solved') <> 'solved' BEGIN
        INSERT INTO figure_agent (day, user_id, queue_id, n_solved)
        SELECT new.at / {DAY}, CAST(deed.actor_id AS INTEGER), ticket.queue_id, 1 FROM ticket CROSS JOIN deed
        WHERE ticket.id = new.noun_id AND deed.id = new.deed_id
        ON CONFLICT DO UPDATE SET n_solved = n_solved + excluded.n_solved; END""",
    ),
)
