"""An old database gets lean rows and says the same as before, also when the upgrade is cut or begun twice."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.core.db import Database, open_database
from app.core.errors import NotFound
from app.core.events import event_log
from app.core.events.event import Event
from app.core.permissions import SYSTEM
from app.core.prediction import Prediction, Scored
from app.core.schema import table_rebuild
from app.core.schema.lean_rows import EVENTS, MESSAGES, PREDICTIONS
from app.core.schema.migrations import migrate
from app.desk.domain.ticket import TicketFilter
from app.desk.store import erasure, inbox_query, messages
from app.intents.store import corrections
from app.model.store import predictions, shadow_runs

BEFORE = "m700_lean_messages"
TEXTS = (
    ("Where is it?", "Order 7\nWhere is it?"),
    ("Hello\n\n-- \nBo", "Hello"),
    ("> you wrote", ""),
    ("one\n> two\nthree", "one\nthree"),
    ("退货 🙂\n\n-- \nBo", "Return\n退货 🙂"),
    ("Same", "Same"),
)
TOPS: tuple[list[list[Any]], ...] = (
    [["lost_card", 0.9], ["fees", 0.0623], ["top_up", 0.0001]],
    [["negative", 1.0], ["neutral", 0.0], ["positive", 0.0]],
    [["fine", 0.33333333333]],
    [],
)
EVENTS_BEFORE: tuple[tuple[str, int, str, str, str, str], ...] = (
    ("ticket", 1, "system", "created", "{}", '{"queue_id":1,"channel":"email"}'),
    ("ticket", 1, "rule", "routed", '{"queue_id":1}', '{"queue_id":2,"reason":"rule"}'),
    ("ticket", 1, "agent", "updated", '{"subject":"A","body":"B"}', '{"subject":"C","body":"D","tags":["x",null]}'),
    ("ticket", 1, "agent", "resolved", '{"status":"open","深":{"a":[1.5,true]}}', '{"status":"solved"}'),
    ("user", 1, "system", "link_made", "{}", "{}"),
    ("macro", 1, "agent", "created", "{}", '{"name":"Closing"}'),
)


def _columns(values: dict[str, Any]) -> str:
    return f"({', '.join(values)}) VALUES ({', '.join('?' * len(values))})"


def _add(old: sqlite3.Connection, table: str, **values: Any) -> None:
    old.execute(f"INSERT INTO {table} {_columns(values)}", list(values.values()))


def _fill(old: sqlite3.Connection) -> None:
    """A little of everything that changes its shape, as it was written before."""
    _add(old, "user", id=1, name="A", email="a@example.com", role="agent")
    for number in (1, 2):
        _add(old, "queue", id=number, slug=f"q{number}", title="Q", intent_task="banking_intent")
    _add(old, "customer", id=1, name="C", email="c@example.com")
    values = {"status": "open", "priority": "normal", "queue_id": 2, "customer_id": 1, "created_at": 1, "updated_at": 1}
    _add(old, "ticket", id=1, subject="S", channel="email", **values)
    for number, (body, text) in enumerate(TEXTS, start=1):
        theirs = {"kind": "incoming", "author_kind": "customer", "author_name": "C"}
        _add(old, "message", ticket_id=1, **theirs, body=body, text=text, occurred_at=number, received_at=9)
    _add(old, "attachment", message_id=1, name="a", media_type="b", size=1, sha256=_blob(old))
    for number in range(24):
        _predict(old, number)
    said = {"label_before": "lost_card", "label": "fees", "model": "m@1", "user_id": 1, "created_at": 5, "text": "t"}
    _add(old, "correction", prediction_id=1, subject_kind="message", subject_id=1, task="banking_intent", **said)
    for noun, noun_id, kind, verb, before, after in EVENTS_BEFORE:
        whose: dict[str, Any] = {"actor_kind": kind, "actor_id": "1", "verb": verb, "noun": noun, "noun_id": noun_id}
        _add(old, "event", **whose, before=before, after=after, at=86_400_000)
    _add(
        old, "event", actor_kind="agent", actor_id="1", verb="status_set", noun="ticket", noun_id=1, at=8, undoes=4
    )  # fmt: skip
    # Numbers that were given to rows which are gone.
    old.execute("DELETE FROM message WHERE id = 6")
    old.execute("UPDATE sqlite_sequence SET seq = 99 WHERE name = 'event'")


def _blob(old: sqlite3.Connection) -> str:
    _add(old, "blob", sha256="ab", content=b"1")
    return "ab"


def _predict(old: sqlite3.Connection, number: int) -> None:
    kind, top = ("message", "post", "mention")[number // 2 % 3], TOPS[number % 4]
    values: dict[str, Any] = {
        "subject_kind": kind, "subject_id": number % 5 + 1, "task": "banking_intent", "role": "intent",
        "model": f"m@{number % 2}", "label": top[0][0] if top else "none",
        "probability": 0.123457 if number % 3 else 0.1234567891, "top": json.dumps(top),
        "labels": '["a","b"]' if number % 6 == 5 else "[]", "abstained": number % 2, "band": "low",
        "band_precision": None if number % 4 else 0.87, "is_shadow": int(number % 8 == 7), "created_at": 1000 + number,
    }  # fmt: skip
    _add(old, "prediction", **values)


@pytest.fixture
def old(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """A database of before, with rows."""
    connection = sqlite3.connect(tmp_path / "old.sqlite", isolation_level=None)
    connection.execute("PRAGMA foreign_keys = ON")
    migrate(connection, stop_before=BEFORE)
    connection.execute("PRAGMA foreign_keys = OFF")
    _fill(connection)
    connection.execute("PRAGMA foreign_keys = ON")
    yield connection
    connection.close()


def _said(connection: sqlite3.Connection, table: str) -> list[dict[str, Any]]:
    cursor = connection.execute(f"SELECT * FROM {table} ORDER BY 1, 2, 3")
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor]


def _all(connection: sqlite3.Connection) -> dict[str, list[dict[str, Any]]]:
    tables = ("message", "prediction", "event", "correction", "attachment", "figure", "figure_intent", "figure_agent")
    return {table: _said(connection, table) for table in tables}


def _check(db: Database, was: dict[str, list[dict[str, Any]]]) -> None:
    """Everything is read as it was written."""
    now = {name: _said(db.connection, name) for name in was if name not in ("message", "prediction", "event")}
    assert now == {name: rows for name, rows in was.items() if name in now}
    found = _said(db.connection, "message")
    assert [{name: row[name] for name in was["message"][0]} for row in found] == was["message"]
    told = [
        {"id": one.id, "verb": one.verb, "noun": one.noun, "actor_kind": one.actor_kind, "actor_id": one.actor_id,
         "noun_id": one.noun_id, "at": one.at, "undoes": one.undoes, "before": json.dumps(dict(one.before)),
         "after": json.dumps(dict(one.after))}
        for one in event_log.after(db, 0)
    ]  # fmt: skip
    assert told == [
        row | {name: json.dumps(json.loads(row[name])) for name in ("before", "after")} for row in was["event"]
    ]
    for row in was["prediction"]:
        stored = predictions.get(db, row["id"])
        one = stored.prediction
        assert [[scored.label, scored.probability] for scored in one.top] == json.loads(row["top"])
        assert list(one.labels) == json.loads(row["labels"])
        assert one.probability == pytest.approx(row["probability"], rel=1e-15)
        kept = {name: getattr(one, name) for name in ("task", "role", "model", "label", "band", "band_precision")}
        kept |= {"abstained": int(one.abstained), "is_shadow": int(one.is_shadow), "created_at": stored.created_at}
        kept |= {"subject_kind": stored.subject_kind, "subject_id": stored.subject_id}
        assert kept == {name: row[name] for name in kept}
    assert db.rows("PRAGMA foreign_key_check") == []
    db.connection.execute("INSERT INTO message_search (message_search) VALUES ('integrity-check')")


def test_an_old_database_says_the_same_after_the_upgrade(old: sqlite3.Connection, tmp_path: Path) -> None:
    was = _all(old)
    db = open_database(tmp_path / "old.sqlite")
    _check(db, was)
    assert db.value("PRAGMA foreign_keys") == 1
    assert event_log.undone_by(db, 4) == 7
    with db.transaction() as tx:
        event = Event(actor_kind="agent", actor_id="1", verb="noted", noun="ticket", noun_id=1, at=9)
        assert event_log.record(tx, event) == 100
        values = {"ticket_id": 1, "kind": "note", "author_kind": "agent", "author_name": "A", "body": "B", "text": "B"}
        assert messages.insert(tx, values=values | {"occurred_at": 50, "received_at": 50}) == 7
    db.close()


def test_a_cut_upgrade_goes_on_where_it_was(
    old: sqlite3.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    was = _all(old)
    monkeypatch.setattr(table_rebuild, "PIECE", 4)
    left, real = [9], table_rebuild._piece

    def cut(connection: sqlite3.Connection, made: table_rebuild.Rebuilt) -> bool:
        left[0] -= 1
        if left[0] == 0:
            raise KeyboardInterrupt
        return real(connection, made)

    n_cuts = 0
    for first in (1, 2, 2, 3, 9, 2):
        left[0] = first
        monkeypatch.setattr(table_rebuild, "_piece", cut)
        with pytest.raises(KeyboardInterrupt):
            migrate(old)
        n_cuts += 1
    monkeypatch.setattr(table_rebuild, "_piece", real)
    assert (n_cuts, old.execute("PRAGMA foreign_keys").fetchone()[0]) == (6, 1)
    db = open_database(tmp_path / "old.sqlite")
    _check(db, was)
    db.close()


def test_two_processes_that_start_together_copy_in_turns(
    old: sqlite3.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    was = _all(old)
    monkeypatch.setattr(table_rebuild, "PIECE", 2)
    other = sqlite3.connect(tmp_path / "old.sqlite", isolation_level=None)
    real = table_rebuild._piece

    def both(connection: sqlite3.Connection, made: table_rebuild.Rebuilt) -> bool:
        real(connection, made)
        with table_rebuild._unchecked(other):
            return real(other, made)

    monkeypatch.setattr(table_rebuild, "_piece", both)
    migrate(old)
    migrate(other)
    other.close()
    db = open_database(tmp_path / "old.sqlite")
    _check(db, was)
    db.close()


def test_a_table_that_is_lean_already_is_left_alone(tmp_path: Path) -> None:
    db = open_database(tmp_path / "new.sqlite")
    before = _said(db.connection, "sqlite_master")
    for made in (MESSAGES, PREDICTIONS, EVENTS):
        table_rebuild.rebuild(db.connection, made)
    assert _said(db.connection, "sqlite_master") == before
    db.close()


def test_what_repeats_is_kept_once(old: sqlite3.Connection, tmp_path: Path) -> None:
    db = open_database(tmp_path / "old.sqlite")
    top = tuple(Scored(label=label, probability=chance) for label, chance in (("fees", 0.7), ("new_label", 0.3)))
    one = Prediction(task="t", role="intent", model="m@1", label="fees", probability=0.7, top=top, band_precision=None)
    for subject_id in (1, 2, 3):
        with db.transaction() as tx:
            predictions.insert_all(tx, subject_kind="message", subject_id=subject_id, predictions=[one], at=1)
            event = Event(actor_kind="agent", actor_id="1", verb="noted", noun="ticket", noun_id=1, after={"n": 1})
            event_log.record_all(tx, [event, event])
    assert db.value("SELECT count(*) FROM verdict WHERE task = 't'") == 1
    assert db.value("SELECT count(*) FROM deed WHERE verb = 'noted'") == 1
    assert db.value("SELECT count(*) FROM label WHERE name = 'new_label'") == 1
    assert predictions.latest(db, subject_kind="message", subject_id=3, task="t").prediction == one  # type: ignore[union-attr]
    db.close()


def test_a_text_that_changes_is_found_anew(old: sqlite3.Connection, tmp_path: Path) -> None:
    db = open_database(tmp_path / "old.sqlite")
    with db.transaction() as tx:
        messages.rewrite(tx, 1, changes={"body": "Parcel", "text": "Heron\nParcel"})

    def found(query: str) -> int:
        return inbox_query.count(db, TicketFilter(query=query), viewer=SYSTEM)[0]

    assert [found(word) for word in ("heron", "parcel", "退货")] == [1, 1, 1]
    with db.transaction() as tx:
        erasure.erase_ticket(tx, 1)
    assert [found(word) for word in ("heron", "parcel", "退货", "hello")] == [0, 0, 0, 0]
    kept = {one.id: (dict(one.before), dict(one.after)) for one in event_log.of(db, "ticket", 1)}
    assert kept[3] == ({}, {})
    assert kept[4] == ({"status": "open", "深": {"a": [1.5, True]}}, {"status": "solved"})
    db.connection.execute("INSERT INTO message_search (message_search) VALUES ('integrity-check')")
    db.close()


def test_what_is_not_there_is_said_by_its_noun(old: sqlite3.Connection, tmp_path: Path) -> None:
    db = open_database(tmp_path / "old.sqlite")
    for get, noun in ((event_log.get, "event"), (predictions.get, "prediction")):
        with pytest.raises(NotFound) as raised:
            get(db, 1000)
        assert raised.value.params["noun"] == noun
    assert corrections.get(db, 1).label == "fees"
    assert shadow_runs.label_pairs(db, model="m@1")
    db.close()
