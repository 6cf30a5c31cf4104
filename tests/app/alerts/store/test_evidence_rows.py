"""Evidence and remarks: what is kept of an alert comes back as it was."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.alerts.domain.evidence import Driver, Evidence, Measured, Precedent, Remark, RisenWord
from app.alerts.store import alert_rules, alerts, evidence_rows, remarks
from app.core.db import Database, open_database

NOW = 1_700_000_000_000


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    """A new database with one alert."""
    database = open_database(tmp_path / "desk.sqlite")
    yield database
    database.close()


@pytest.fixture
def alert_id(db: Database) -> int:
    """An alert that fires."""
    with db.transaction() as tx:
        rule_id = alert_rules.insert(tx, values={**_RULE, "name": "Surge"})
        return alerts.insert(tx, values={**_ALERT, "rule_id": rule_id})


_RULE = {
    "subject_kind": "entity",
    "subject_id": None,
    "window_ms": 1,
    "baseline_ms": 1,
    "min_stories": 1,
    "min_negative": 1,
    "share": 0.1,
    "lift": 1.0,
    "pending_ms": 0,
    "recovering_ms": 0,
    "severity": "info",
}
_ALERT = {
    "subject_kind": "entity",
    "subject_id": "7",
    "state": "firing",
    "severity": "info",
    "since_at": NOW,
    "started_at": NOW,
}


def test_evidence_comes_back_whole_and_is_replaced(db: Database, alert_id: int) -> None:
    share = Measured(seen=0.46, low=0.33, high=0.6, expected=0.22, expected_low=0.1, expected_high=0.36)
    given = Evidence(
        alert_id=alert_id,
        kind="surge",
        since=1,
        until=2,
        share=share,
        drivers=(Driver(post_id=3, title="Recall", part=0.5, n_posts=9),),
        words=(RisenWord(word="recall", n_now=8, n_before=1, z=4.5),),
        precedents=(Precedent(alert_id=2, started_at=5, likeness=0.7, is_acknowledged=True, remark="useful"),),
    )
    with db.transaction() as tx:
        evidence_rows.put(tx, Evidence(alert_id=alert_id, kind="threshold", since=0, until=1))
        evidence_rows.put(tx, given)
    assert evidence_rows.of_alert(db, alert_id) == given
    assert evidence_rows.of_alert(db, alert_id + 1) is None


def test_of_a_person_the_last_word_on_an_alert_counts(db: Database, alert_id: int) -> None:
    with db.transaction() as tx:
        user_id = tx.insert("user", {"name": "Ada", "email": "ada@example.com", "role": "analyst"})
        said: list[tuple[Remark, int | None]] = [
            ("useful", alert_id),
            ("false_alarm", alert_id),
            ("missed", None),
            ("missed", None),
        ]
        for at, (kind, of) in enumerate(said):
            remarks.put(
                tx,
                kind=kind,
                alert_id=of,
                subject_kind="entity",
                subject_id="7",
                occurred_at=NOW,
                user_id=user_id,
                comment="",
                at=at,
            )
    assert remarks.of_alerts(db, [alert_id]) == {alert_id: "false_alarm"}
    assert remarks.counts(db, since=NOW, until=NOW + 1) == {"false_alarm": 1, "missed": 2}
    assert remarks.counts(db, since=NOW + 1, until=NOW + 2) == {}
