"""A blank file and one of the first release end up with the same schema."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from app.core.db import Database, open_database
from app.core.schema import versions
from tests.app.core.schema import first_release


def _plain(sql: str) -> str:
    """SQL without what only people read: comments, spaces, quotes around names."""
    words = " ".join(re.sub(r"--.*", "", sql).replace('"', "").split())
    return re.sub(r"\s*([^\w\s'])\s*", r"\1", words)


def _made(db: Database) -> dict[str, str]:
    """Every table, index, trigger and view by its kind and name; the columns of a table in their order."""
    rows = db.rows("SELECT type, name, coalesce(sql, '') AS sql FROM sqlite_master")
    return {f"{row['type']} {row['name']}": _plain(row["sql"]) for row in rows}


def _filled(db: Database) -> dict[str, str]:
    """The rows of every table that has any."""
    tables = [row["name"] for row in db.rows("SELECT name FROM sqlite_master WHERE type = 'table'")]
    rows = {name: [tuple(row) for row in db.rows(f"SELECT * FROM {name}")] for name in tables}
    return {f"rows of {name}": str(found) for name, found in rows.items() if found}


def differences(tmp_path: Path) -> set[str]:
    """Names of what a blank file and one of the first release do not have alike once both were opened."""
    blank = open_database(tmp_path / "blank.sqlite")
    old = open_database(first_release.make(tmp_path / "old.sqlite"))
    assert versions.of(blank.connection) == versions.of(old.connection) == versions.newest()
    ours, theirs = ({**_made(db), **_filled(db)} for db in (blank, old))
    blank.close()
    old.close()
    return {name for name in ours | theirs if ours.get(name) != theirs.get(name)}


def test_a_blank_file_and_one_of_the_first_release_end_up_the_same(tmp_path: Path) -> None:
    assert differences(tmp_path) == set()
    assert [int(path.name[:4]) for path in versions.MIGRATIONS] == list(range(2, versions.newest() + 1))


@pytest.mark.parametrize(
    ("sql", "found"),
    [
        ("CREATE TABLE office (id INTEGER PRIMARY KEY);", "table office"),
        ("ALTER TABLE team ADD COLUMN size INTEGER;", "table team"),
        ("DROP INDEX outbox_due; CREATE INDEX outbox_due ON outbox (next_at);", "index outbox_due"),
        ("DROP TRIGGER ticket_unfaceted;", "trigger ticket_unfaceted"),
        ("DROP VIEW happened; CREATE VIEW happened AS SELECT * FROM event JOIN deed;", "view happened"),
        ("INSERT INTO noun VALUES (2, 'office');", "rows of noun"),
    ],
)
def test_what_a_migration_changes_and_the_current_schema_does_not_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sql: str, found: str
) -> None:
    first_release.migrate_by(monkeypatch, tmp_path / "migrations", {"0002_drift.sql": sql})
    assert differences(tmp_path) == {found}


def test_comments_spaces_and_quotes_make_no_difference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sql = """DROP INDEX outbox_due;
        CREATE INDEX "outbox_due"
            ON outbox (  next_at  )  -- what is due
            WHERE state IN ('waiting','sending');"""
    first_release.migrate_by(monkeypatch, tmp_path / "migrations", {"0002_other_words.sql": sql})
    assert differences(tmp_path) == set()


def test_tickets_of_one_external_id_are_found_by_an_index(tmp_path: Path) -> None:
    db = open_database(tmp_path / "desk.sqlite")
    with db.transaction() as tx:
        queue_id = tx.insert("queue", {"slug": "q", "title": "Q", "intent_task": "banking_intent"})
        customer_id = tx.insert("customer", {"name": "C"})
        values = {"subject": "S", "channel": "email", "status": "open", "priority": "normal", "external_id": "zd-1"}
        for _ in range(3):
            last = tx.insert(
                "ticket", {**values, "queue_id": queue_id, "customer_id": customer_id, "created_at": 1, "updated_at": 1}
            )
        tx.execute("DELETE FROM ticket WHERE id = ?", (last,))
        # A number that was given once is never given again.
        assert tx.next_id("ticket") == last + 1
    plan = db.rows("EXPLAIN QUERY PLAN SELECT * FROM ticket WHERE external_id = 'zd-1'")
    assert "ticket_external" in str([tuple(row) for row in plan])
    assert db.value("SELECT sum(n) FROM ticket_count") == 2
    db.close()
