"""Files of other versions: a newer one is left alone, an older one is copied before it is upgraded."""

from __future__ import annotations

import hashlib
import logging
import shutil
import sqlite3
import stat
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pytest

from app.core.db import Database, open_database
from app.core.errors import NotReady
from app.core.schema import upgrades
from app.core.schema.migrations import migrate, pending
from app.core.storage import write_test
from tests.process import ROOT

STEP = "m820_answered"


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A database as an older version left it, with a team in it."""
    path = tmp_path / "bellwether.sqlite"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        migrate(connection, stop_before=STEP)
        connection.execute("INSERT INTO team (name) VALUES ('Old')")
    return path


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    """A database of this version."""
    database = open_database(tmp_path / "bellwether.sqlite")
    yield database
    database.close()


def from_the_future(path: Path) -> None:
    """Note a step that this version does not know."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("INSERT INTO _sqlite_migrations (migration_set, name) VALUES ('bellwether', 'm999_later')")


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_file_of_a_newer_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "bellwether.sqlite"
    open_database(path).close()
    from_the_future(path)
    before = digest(path)
    with pytest.raises(NotReady) as raised:
        open_database(path)
    assert (raised.value.code, raised.value.params["step"]) == ("database_newer", "m999_later")
    assert digest(path) == before


@pytest.mark.parametrize("arguments", [("app",), ("app", "worker"), ("flask", "--app", "wsgi", "user", "list")])
def test_every_program_ends_with_the_sentence(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    path = tmp_path / "bellwether.sqlite"
    open_database(path).close()
    from_the_future(path)
    before = digest(path)
    run = subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=ROOT,
        env={"BELLWETHER_INSTANCE": str(tmp_path), "BELLWETHER_PORT": "0", "BELLWETHER_MODELS": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert run.returncode == 1
    assert "A newer version of Bellwether wrote bellwether.sqlite (step m999_later)" in run.stderr
    assert digest(path) == before


def test_an_older_file_is_copied_before_it_is_upgraded(old: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        open_database(old).close()
    (copy,) = upgrades.copies(old)
    assert copy.name == f"bellwether.sqlite.before-{STEP}"
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert str(copy) in caplog.text
    with closing(sqlite3.connect(copy)) as connection:
        assert pending(connection)[0] == STEP
        assert connection.execute("SELECT name FROM team").fetchall() == [("Old",)]
    open_database(old).close()
    assert upgrades.copies(old) == [copy]


def test_a_new_file_is_not_copied(db: Database) -> None:
    assert upgrades.copies(db.path) == []


def test_an_upgrade_that_was_cut_off_goes_on_with_its_first_copy(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def cut(connection: sqlite3.Connection) -> None:
        migrate(connection, stop_before="m821_leases")
        raise KeyboardInterrupt

    monkeypatch.setattr(upgrades, "migrate", cut)
    with pytest.raises(KeyboardInterrupt):
        open_database(old)
    monkeypatch.undo()
    open_database(old).close()
    assert [one.name for one in upgrades.copies(old)] == [f"bellwether.sqlite.before-{STEP}"]


def test_two_copies_are_kept(old: Path) -> None:
    for name in ("m001", "m002", "m003"):
        old.with_name(f"bellwether.sqlite.before-{name}").touch()
    open_database(old).close()
    assert [one.name.rpartition("-")[2] for one in upgrades.copies(old)] == [STEP, "m003"]


def test_without_room_for_the_copy_nothing_is_upgraded(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = digest(old)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(free=10))
    with pytest.raises(NotReady) as raised:
        open_database(old)
    assert raised.value.code == "no_copy"
    assert digest(old) == before
    assert upgrades.copies(old) == []


def test_a_copy_that_breaks_off_is_removed(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, part: Path) -> None:
        part.write_bytes(b"half")
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(upgrades, "_write_copy", full)
    with pytest.raises(NotReady, match="no_copy"):
        open_database(old)
    assert [one.name for one in old.parent.glob("*.before-*")] == []


def test_a_running_program_notices_that_a_newer_one_took_its_file(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(write_test, "FRESH_S", 0.0)
    db.check()
    from_the_future(db.path)
    with pytest.raises(NotReady, match="database_newer"):
        db.check()


def test_a_database_that_cannot_be_written_is_not_ready(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(write_test, "FRESH_S", 0.0)
    db.check()
    db.connection.execute("PRAGMA query_only = ON")
    with pytest.raises(NotReady, match="database_read_only"):
        db.check()
    db.connection.execute("PRAGMA query_only = OFF")
    db.check()


def test_asking_often_writes_seldom(db: Database) -> None:
    for _ in range(50):
        db.check()
    assert db.value("SELECT n FROM write_test") == 1


def test_a_disk_that_takes_nothing_more_is_not_ready(tmp_path: Path) -> None:
    # A process may write no file beyond a size: what a full disk says to a write, without a disk to fill.
    code = f"""
        import resource
        from pathlib import Path
        from tests.app.site import make_site
        site = make_site(Path({str(tmp_path)!r}))
        client = site.app.test_client()
        print(client.get("/health/ready").get_json(force=True)["database"])
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
        import app.core.storage.write_test as write_test
        write_test.FRESH_S = 0.0
        answer = client.get("/health/ready")
        print(answer.status_code, answer.get_json(force=True)["database"])
    """
    run = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], cwd=ROOT, capture_output=True, text=True, check=True, timeout=120
    )
    assert run.stdout.split() == ["ok", "503", "database_unusable"], run.stderr


def test_a_full_database_says_so(db: Database) -> None:
    n_pages = db.value("PRAGMA page_count")
    db.connection.execute(f"PRAGMA max_page_count = {n_pages}")
    with pytest.raises(NotReady) as raised, db.transaction() as tx:
        tx.execute("INSERT INTO blob VALUES ('a', zeroblob(1000000))")
    assert raised.value.code == "database_full"
