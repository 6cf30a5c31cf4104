"""A unit of work: flows join it, one commit makes all of it durable, and nothing of it stays when it fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.core.db import Database, Transaction, open_database
from app.people.store import teams


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    """A new database."""
    database = open_database(tmp_path / "desk.sqlite", timeout_ms=300)
    yield database
    database.close()


def nothing(tx: Transaction) -> None:
    """A unit that needs no check."""


def names(db: Database) -> list[str]:
    return [team.name for team in teams.every(db)]


def add(db: Database, name: str, *, then: Callable[[], object] = lambda: None) -> None:
    """A flow that adds a team."""
    with db.transaction() as tx:
        tx.insert("team", {"name": name})
        then()


def test_what_flows_write_is_seen_by_others_all_at_once(db: Database) -> None:
    other = Database(db.path)
    with db.unit_of_work(begin=nothing):
        add(db, "A")
        db.group_commit(lambda tx: tx.insert("team", {"name": "B"}))
        assert (names(db), names(other)) == (["A", "B"], [])
    assert names(other) == ["A", "B"]
    add(db, "C")
    assert names(other) == ["A", "B", "C"]
    other.close()


def test_a_unit_that_fails_leaves_nothing(db: Database) -> None:
    seen: list[str] = []

    def fail() -> None:
        with db.unit_of_work(begin=nothing):
            add(db, "A")
            db.after_commit(lambda: seen.append("A"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert names(db) == seen == []


def test_a_flow_that_fails_takes_back_its_own_part(db: Database) -> None:
    with db.unit_of_work(begin=nothing):
        add(db, "A")
        with pytest.raises(ZeroDivisionError):
            add(db, "B", then=lambda: 1 // 0)
    assert names(db) == ["A"]


def test_flows_of_a_unit_do_not_nest(db: Database) -> None:
    with db.unit_of_work(begin=nothing), db.transaction(), pytest.raises(RuntimeError), db.transaction():
        pass


def test_nothing_is_begun_before_the_first_write(db: Database) -> None:
    begun: list[Transaction] = []
    with db.unit_of_work(begin=begun.append):
        assert names(db) == []
        assert not db.connection.in_transaction
        for name in ("A", "B"):
            add(db, name)
    assert len(begun) == 1


def test_what_takes_long_comes_after_the_commit(db: Database) -> None:
    seen: list[bool] = []
    db.after_commit(lambda: seen.append(db.connection.in_transaction))
    assert seen == [False]
    with db.unit_of_work(begin=nothing):
        add(db, "A")
        db.after_commit(lambda: seen.append(db.connection.in_transaction))
        assert seen == [False]
    assert seen == [False, False]
