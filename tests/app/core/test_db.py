"""The database file: who waits for whom, what is kept as it was, and what cannot be opened."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.core.db import ROWS_AT_ONCE, Database, open_database
from app.core.errors import DatabaseBusy, InputError, NotFound, NotReady, Stale
from app.core.events import event_log
from app.core.events.event import Event
from app.people.store import teams, users


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    """A new database that waits for nobody long."""
    database = open_database(tmp_path / "new" / "desk.sqlite", timeout_ms=200)
    yield database
    database.close()


def test_opening_twice_changes_nothing(db: Database) -> None:
    with db.transaction() as tx:
        tx.insert("team", {"name": "Desk"})
    again = open_database(db.path)
    assert [team.name for team in teams.every(again)] == ["Desk"]
    again.close()


def test_durability_is_as_the_design_says(db: Database) -> None:
    pragmas = {name: db.value("PRAGMA " + name) for name in ("journal_mode", "synchronous", "foreign_keys")}
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


def test_a_failed_transaction_leaves_nothing(db: Database) -> None:
    def fail() -> None:
        with db.transaction() as tx:
            tx.insert("team", {"name": "Gone"})
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert teams.every(db) == ()
    with db.transaction() as tx:
        tx.insert("team", {"name": "Kept"})
    assert len(teams.every(db)) == 1


def test_transactions_do_not_nest(db: Database) -> None:
    with db.transaction(), pytest.raises(RuntimeError), db.transaction():
        pass
    db.check()


def test_a_locked_database_is_busy_for_writers_and_open_for_readers(db: Database) -> None:
    other = sqlite3.connect(db.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(DatabaseBusy) as raised, db.transaction() as tx:
        tx.insert("team", {"name": "Late"})
    assert raised.value.status == 503
    assert teams.every(db) == ()
    other.execute("ROLLBACK")
    other.close()
    with db.transaction() as tx:
        tx.insert("team", {"name": "Now"})


def test_who_does_not_want_to_wait_does_not(tmp_path: Path) -> None:
    patient = open_database(tmp_path / "desk.sqlite", timeout_ms=60_000)
    other = sqlite3.connect(patient.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    began = time.monotonic()
    with pytest.raises(DatabaseBusy), patient.transaction(wait_ms=0):
        pass
    assert time.monotonic() - began < 30
    assert patient.value("PRAGMA busy_timeout") == 60_000
    other.close()
    patient.close()


def test_numbers_that_no_column_holds_are_refused(db: Database) -> None:
    for number in (2**63, -(2**64)):
        with pytest.raises(InputError, match="unknown_value"):
            db.value("SELECT ?", (number,))
    assert db.value("SELECT ?", (2**63 - 1,)) == 2**63 - 1
    assert db.value("SELECT ?", ({"a": "\ud800"},)) == '{"a":"?"}'


def test_writers_of_one_process_take_turns(db: Database) -> None:
    # A busy machine is no reason to fail: forty commits may take longer than a person would wait.
    patient = Database(db.path, timeout_ms=60_000)

    def add(number: int) -> None:
        for one in range(10):
            with patient.transaction() as tx:
                tx.insert("team", {"name": f"{number}-{one}"})
        patient.release()

    threads = [threading.Thread(target=add, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(teams.every(patient)) == 40
    patient.close()


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "desk.sqlite"
    path.write_bytes(b"this is a letter, not a database" * 100)
    with pytest.raises(NotReady) as raised:
        open_database(path)
    assert raised.value.code == "database_unusable"


def test_an_edit_names_the_version_it_is_based_on(db: Database) -> None:
    with db.transaction() as tx:
        user_id = tx.insert("user", {"name": "A", "email": "a@example.com", "role": "agent"})
        tx.change("user", user_id, changes={"name": "B"}, version=1)
        changed = users.get(tx, user_id)
    assert (changed.name, changed.version) == ("B", 2)
    with pytest.raises(Stale) as raised, db.transaction() as tx:
        tx.change("user", user_id, changes={"name": "C"}, version=1)
    assert raised.value.params == {"noun": "user", "id": user_id, "version": 2}
    with pytest.raises(NotFound), db.transaction() as tx:
        tx.change("user", 99, changes={"name": "C"})


def test_a_key_that_is_no_column_never_reaches_sql(db: Database) -> None:
    with db.transaction() as tx:
        user_id = tx.insert("user", {"name": "A", "email": "a@example.com", "role": "agent"})
    with pytest.raises(InputError), db.transaction() as tx:
        tx.change("user", user_id, changes={"name = 'x', role": "admin"})


def test_lone_surrogates_and_null_bytes_can_be_kept(db: Database) -> None:
    with db.transaction() as tx:
        tx.insert("team", {"name": "a\ud800b\0c"})
    assert teams.every(db)[0].name == "a?b\0c"


def test_many_rows_are_inserted_in_order_and_get_the_next_ids(db: Database) -> None:
    names = [f"Team {number}" for number in range(3 * ROWS_AT_ONCE + 1)]
    with db.transaction() as tx:
        first = tx.next_id("team")
        tx.insert_rows("team", ("id", "name"), [(first + at, name) for at, name in enumerate(names)])
        assert tx.next_id("team") == first + len(names)
        tx.insert_rows("team", ("name",), [])
    assert [row["name"] for row in db.rows("SELECT name FROM team ORDER BY id")] == names


def test_an_id_is_not_given_again_where_the_table_keeps_count(db: Database) -> None:
    with db.transaction() as tx:
        happened = Event(actor_kind="system", actor_id="", verb="opened", noun="ticket", noun_id=1, at=0)
        kept = [event_log.record_all(tx, [happened])[0] for _ in range(7)][-1]
        tx.execute("DELETE FROM event")
        assert tx.next_id("event") == kept + 1


@pytest.mark.parametrize("value", [2**63, -(2**63)])
def test_a_number_of_more_than_64_bits_is_refused(db: Database, value: int) -> None:
    with pytest.raises(InputError):
        db.rows("SELECT ?", (value,))
