"""Files of other versions: an unknown one is left alone, an older one is copied before it is upgraded."""

from __future__ import annotations

import hashlib
import logging
import shutil
import sqlite3
import stat
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pytest

from app.core.db import Database, open_database
from app.core.errors import NotReady
from app.core.schema import upgrades, versions
from app.core.storage import write_test
from tests.app.core.schema import first_release
from tests.process import ROOT

STEP = "0002_size"
SIZE = "ALTER TABLE team ADD COLUMN size INTEGER NOT NULL DEFAULT 5;"
ANEW = """CREATE TABLE team_copy (id INTEGER PRIMARY KEY, name TEXT NOT NULL, size INTEGER NOT NULL);
INSERT INTO team_copy SELECT id, name, size FROM team;
DROP TABLE team;
ALTER TABLE team_copy RENAME TO team;"""
MEMBER = """INSERT INTO user (id, name, email, role) VALUES (1, 'A', 'a@example.com', 'agent');
INSERT INTO team (id, name) VALUES (1, 'Old');
INSERT INTO team_member VALUES (1, 1);"""


@pytest.fixture
def old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file of the first release with a team in it, and two migrations that it has not seen."""
    first_release.migrate_by(monkeypatch, tmp_path / "migrations", {f"{STEP}.sql": SIZE, "0003_anew.sql": ANEW})
    return first_release.make(tmp_path / "bellwether.sqlite", MEMBER)


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    """A database of this version."""
    database = open_database(tmp_path / "bellwether.sqlite")
    yield database
    database.close()


def from_the_future(path: Path) -> None:
    """Give a file a version that this program does not know."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA user_version = 999")


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_file_of_a_newer_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "bellwether.sqlite"
    open_database(path).close()
    from_the_future(path)
    before = digest(path)
    with pytest.raises(NotReady) as raised:
        open_database(path)
    assert (raised.value.code, raised.value.params["step"]) == ("database_newer", 999)
    assert digest(path) == before


UNKNOWN = {
    "of the time before the first release": "CREATE TABLE _sqlite_migrations (id); CREATE TABLE user (name TEXT)",
    "of another program": "CREATE TABLE songs (title TEXT)",
    "of another program with versions": "PRAGMA user_version = 1; CREATE TABLE songs (title TEXT)",
    "of another program that made no table yet": "PRAGMA application_id = 7; PRAGMA user_version = 1",
    "of ours without a version": f"PRAGMA application_id = {versions.APPLICATION_ID}; CREATE TABLE user (name TEXT)",
}


@pytest.mark.parametrize("journal", ["DELETE", "WAL"])
@pytest.mark.parametrize("sql", UNKNOWN.values(), ids=UNKNOWN)
def test_a_file_of_no_known_version_is_refused_and_left_alone(tmp_path: Path, sql: str, journal: str) -> None:
    path = tmp_path / "bellwether.sqlite"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(f"PRAGMA journal_mode = {journal}")
        connection.executescript(sql)
    path.chmod(0o644)
    before = digest(path)
    with pytest.raises(NotReady) as raised:
        open_database(path)
    assert (raised.value.code, raised.value.params["file"]) == ("database_unknown", "bellwether.sqlite")
    assert (digest(path), stat.S_IMODE(path.stat().st_mode)) == (before, 0o644)


@pytest.mark.parametrize("content", ["", "PRAGMA journal_mode = WAL"])
def test_a_blank_file_becomes_a_database(tmp_path: Path, content: str) -> None:
    path = tmp_path / "bellwether.sqlite"
    path.touch(0o644)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.executescript(content)
    database = open_database(path)
    assert versions.of(database.connection) == versions.newest()
    database.check()
    database.close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


NEWER = "A newer version of Bellwether wrote bellwether.sqlite (step 999)"
OTHER = "bellwether.sqlite was written neither by this version of Bellwether nor by one that it can upgrade"


@pytest.mark.parametrize(
    ("arguments", "sql", "sentence"),
    [
        (("app",), "PRAGMA user_version = 999", NEWER),
        (("app", "worker"), "PRAGMA user_version = 999", NEWER),
        (("flask", "--app", "wsgi", "user", "list"), "PRAGMA user_version = 999", NEWER),
        (("app",), "PRAGMA application_id = 0", OTHER),
    ],
)
def test_every_program_ends_with_the_sentence(
    tmp_path: Path, arguments: tuple[str, ...], sql: str, sentence: str
) -> None:
    path = tmp_path / "bellwether.sqlite"
    open_database(path).close()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(sql)
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
    assert sentence in run.stderr
    assert digest(path) == before


def test_an_older_file_is_copied_before_it_is_upgraded(old: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        open_database(old).close()
    (copy,) = upgrades.copies(old)
    assert copy.name == f"bellwether.sqlite.before-{STEP}"
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert str(copy) in caplog.text
    with closing(sqlite3.connect(copy)) as connection:
        assert [path.stem for path in versions.pending(connection)] == [STEP, "0003_anew"]
        assert connection.execute("SELECT name FROM team").fetchall() == [("Old",)]
    open_database(old).close()
    assert upgrades.copies(old) == [copy]


def test_a_table_that_is_made_anew_takes_no_other_row_with_it(old: Path) -> None:
    database = open_database(old)
    assert [tuple(row) for row in database.rows("SELECT * FROM team")] == [(1, "Old", 5)]
    assert database.value("SELECT count(*) FROM team_member") == 1
    assert database.value("PRAGMA foreign_keys") == 1
    database.close()


def test_a_new_file_is_not_copied(db: Database) -> None:
    assert upgrades.copies(db.path) == []


def test_an_upgrade_that_breaks_off_leaves_the_file_as_it_was(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first_release.migrate_by(
        monkeypatch, old.parent / "broken", {f"{STEP}.sql": SIZE, "0003_anew.sql": ANEW + "SELECT no_such_column;"}
    )
    with pytest.raises(NotReady, match="database_unusable"):
        open_database(old)
    with closing(sqlite3.connect(old)) as connection:
        assert versions.of(connection) == 1
        assert connection.execute("SELECT * FROM team").fetchall() == [(1, "Old", 1)]
    first_release.migrate_by(monkeypatch, old.parent / "mended", {f"{STEP}.sql": SIZE, "0003_anew.sql": ANEW})
    open_database(old).close()
    assert [one.name for one in upgrades.copies(old)] == [f"bellwether.sqlite.before-{STEP}"]


@pytest.mark.parametrize("is_new", [True, False])
def test_of_several_that_start_together_one_upgrades(old: Path, is_new: bool, caplog: pytest.LogCaptureFixture) -> None:
    path = old.with_name("new.sqlite") if is_new else old
    opened: list[int] = []

    def start() -> None:
        database = open_database(path)
        opened.append(versions.of(database.connection))
        database.close()

    threads = [threading.Thread(target=start) for _ in range(6)]
    with caplog.at_level(logging.WARNING):
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert opened == [3] * 6
    assert caplog.text.count("The database is upgraded") == (0 if is_new else 1)


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
