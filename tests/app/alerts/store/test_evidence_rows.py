"""Evidence and remarks: what is kept of an alert comes back as it was."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from app.alerts.domain.alert import Alert
from app.alerts.domain.evidence import Driver, Evidence, Measured, Precedent, Remark, RisenWord
from app.alerts.flows.keep_rules import RULE
from app.alerts.store import alert_feedback, alerts, evidence_rows
from app.core import changes
from app.core.db import Database, open_database
from app.core.permissions import SYSTEM

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
        rule = changes.add(tx, RULE, {"name": "Surge"}, viewer=SYSTEM).row
        return alerts.put(tx, replace(_ALERT, rule_id=rule.id), is_step=True).id


_ALERT = Alert(
    id=0,
    rule_id=0,
    subject_kind="entity",
    subject_id="7",
    state="firing",
    severity="info",
    since_at=NOW,
    started_at=NOW,
)


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
            alert_feedback.put(
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
    assert alert_feedback.of_alerts(db, [alert_id]) == {alert_id: "false_alarm"}
    assert alert_feedback.counts(db, since=NOW, until=NOW + 1) == {"false_alarm": 1, "missed": 2}
    assert alert_feedback.counts(db, since=NOW + 1, until=NOW + 2) == {}
