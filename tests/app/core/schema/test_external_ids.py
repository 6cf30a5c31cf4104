"""An old database lets several tickets have one external id, and is otherwise as it was."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from app.core.schema import table_rebuild
from app.core.schema.migrations import migrate

BEFORE = "m840_external_ids"
N = 23


def _old(path: Path) -> sqlite3.Connection:
    old = sqlite3.connect(path, isolation_level=None)
    migrate(old, stop_before=BEFORE)
    old.execute("INSERT INTO queue (id, slug, title, intent_task) VALUES (1, 'q', 'Q', 'banking_intent')")
    old.execute("INSERT INTO customer (id, name, email) VALUES (1, 'C', 'c@example.com')")
    for number in range(N):
        _add(old, external_id=f"zd-{number}" if number % 2 else None, tags='["x"]')
    old.execute("DELETE FROM ticket WHERE id = ?", (N,))
    return old


def _add(db: sqlite3.Connection, **more: Any) -> None:
    values = {
        "subject": "S", "channel": "email", "status": "open", "priority": "normal", "queue_id": 1, "customer_id": 1,
        "created_at": 86_400_000, "updated_at": 2,
    } | more  # fmt: skip
    columns = ", ".join(values)
    db.execute(f"INSERT INTO ticket ({columns}) VALUES ({', '.join('?' * len(values))})", list(values.values()))


def _state(db: sqlite3.Connection) -> dict[str, list[Any]]:
    """Everything that hangs on tickets."""
    said = {
        "ticket": "SELECT * FROM ticket ORDER BY id",
        "ticket_count": "SELECT * FROM ticket_count ORDER BY 1, 2",
        "facet": "SELECT * FROM facet ORDER BY id",
        "figure": "SELECT * FROM figure ORDER BY 1, 2, 3",
        "parts": "SELECT type, name, sql FROM sqlite_master WHERE tbl_name = 'ticket' AND sql IS NOT NULL "
        "AND name NOT IN ('ticket', 'ticket_external') ORDER BY 1, 2",
    }
    return {name: db.execute(sql).fetchall() for name, sql in said.items()}


@pytest.mark.parametrize("piece", [5000, 5])
def test_the_upgrade_takes_the_constraint_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, piece: int
) -> None:
    monkeypatch.setattr(table_rebuild, "PIECE", piece)
    db = _old(tmp_path / "a.sqlite")
    before = _state(db)
    assert len(before["ticket"]) == N - 1
    with pytest.raises(sqlite3.IntegrityError):
        _add(db, external_id="zd-1")
    migrate(db)
    assert _state(db) == before
    _add(db, external_id="zd-1")
    # A number that was given once is never given again, and what counts tickets goes on counting.
    assert db.execute("SELECT max(id) FROM ticket").fetchone() == (N + 1,)
    assert db.execute("SELECT sum(n) FROM ticket_count").fetchone() == (N,)
    assert db.execute("PRAGMA foreign_key_check").fetchall() == []
    assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    plan = db.execute("EXPLAIN QUERY PLAN SELECT * FROM ticket WHERE external_id = 'zd-1'").fetchall()
    assert "ticket_external" in str(plan)


def test_an_upgrade_that_was_cut_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_rebuild, "PIECE", 5)
    db = _old(tmp_path / "a.sqlite")
    before = _state(db)
    rounds = 0
    real = table_rebuild._piece

    def cut(*args: Any) -> bool:
        nonlocal rounds
        rounds += 1
        if rounds == 3:
            raise KeyboardInterrupt
        return real(*args)

    monkeypatch.setattr(table_rebuild, "_piece", cut)
    with pytest.raises(KeyboardInterrupt):
        migrate(db)
    assert db.execute("SELECT count(*) FROM ticket_copy").fetchone() == (10,)
    monkeypatch.setattr(table_rebuild, "_piece", real)
    migrate(db)
    assert _state(db) == before
