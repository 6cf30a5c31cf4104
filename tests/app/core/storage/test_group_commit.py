"""Writers that share a transaction: one commit for many, and nobody's fault is another's."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from app.core import changes
from app.core.db import Database, Transaction, open_database
from app.core.errors import Conflict, DatabaseBusy
from app.core.permissions import SYSTEM
from app.people.flows.keep_teams import TEAM
from app.people.store import teams

N = 8


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    """A new database that waits for nobody long."""
    database = open_database(tmp_path / "desk.sqlite", timeout_ms=300)
    yield database
    database.close()


class Commits(list[str]):
    """The commits of every connection that a thread has of a database."""

    def watch(self, db: Database) -> None:
        """Listen to the calling thread's connection."""
        db.connection.set_trace_callback(lambda sql: self.append(sql) if sql == "COMMIT" else None)


def adds(name: str) -> Callable[[Transaction], int]:
    """The work of adding a team."""
    return lambda tx: changes.add(tx, TEAM, {"name": name}, viewer=SYSTEM).row.id


def at_once(db: Database, works: Sequence[Callable[[Transaction], int]], commits: Commits) -> list[int | Exception]:
    """What each piece of work gave or raised; all of them wait for a writer that is busy until they are there."""
    given: list[int | Exception] = [0] * len(works)
    ready = threading.Barrier(len(works) + 1)

    def one(at: int) -> None:
        commits.watch(db)
        ready.wait()
        try:
            given[at] = db.group_commit(works[at])
        except Exception as error:
            given[at] = error
        db.release()

    threads = [threading.Thread(target=one, args=(at,)) for at in range(len(works))]
    for thread in threads:
        thread.start()
    with db.transaction():
        ready.wait()
        time.sleep(0.1)
    for thread in threads:
        thread.join()
    return given


def test_many_writers_share_a_commit_and_each_gets_its_own_answer(db: Database) -> None:
    commits = Commits()
    works = [adds(f"team {n}") for n in range(N)]
    given = at_once(db, works, commits)
    assert [teams.get(db, one).name for one in given if isinstance(one, int)] == [f"team {n}" for n in range(N)]
    assert len(commits) < N / 2


def test_one_that_fails_fails_alone(db: Database) -> None:
    works = [adds(f"team {min(n, N - 2)}") for n in range(N)]
    given = at_once(db, works, Commits())
    failed = [one for one in given if isinstance(one, Exception)]
    assert [type(one) for one in failed] == [Conflict]
    assert {one.name for one in teams.every(db)} == {f"team {n}" for n in range(N - 1)}


def test_a_database_that_somebody_else_holds_is_told(db: Database) -> None:
    other = Database(db.path)
    with other.transaction(), pytest.raises(DatabaseBusy):
        db.group_commit(lambda tx: tx.insert("team", {"name": "late"}))
    other.close()
    assert db.group_commit(lambda tx: tx.insert("team", {"name": "later"})) > 0
    assert [one.name for one in teams.every(db)] == ["later"]


def test_it_is_durable_before_it_is_answered(db: Database) -> None:
    team_id = db.group_commit(lambda tx: tx.insert("team", {"name": "kept"}))
    other = Database(db.path)
    assert teams.get(other, team_id).name == "kept"
    other.close()


def test_it_does_not_nest(db: Database) -> None:
    with db.transaction(), pytest.raises(RuntimeError):
        db.group_commit(lambda tx: tx.insert("team", {"name": "inner"}))
