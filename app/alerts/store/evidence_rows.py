"""Evidence: the reasons for each alert, kept as they were then."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from app.alerts.domain.evidence import Driver, Evidence, Measured, Precedent, RisenWord
from app.core.db import Reads, Transaction

_PUT = """INSERT INTO evidence (alert_id, body, made_at) VALUES (?, ?, ?)
ON CONFLICT DO UPDATE SET body = excluded.body, made_at = excluded.made_at"""


def of_alert(db: Reads, alert_id: int) -> Evidence | None:
    """Return the evidence of an alert; None for one that never fired."""
    row = db.row("SELECT body FROM evidence WHERE alert_id = ?", (alert_id,))
    return None if row is None else _read(json.loads(row["body"]))


def latest(db: Reads, *, limit: int) -> tuple[Evidence, ...]:
    """Return the evidence of the newest alerts, newest first."""
    rows = db.rows("SELECT body FROM evidence ORDER BY alert_id DESC LIMIT ?", (limit,))
    return tuple(_read(json.loads(row["body"])) for row in rows)


def put(tx: Transaction, evidence: Evidence) -> None:
    """Keep the evidence of an alert in place of any earlier one."""
    tx.execute(_PUT, (evidence.alert_id, asdict(evidence), evidence.made_at))


def _read(body: Mapping[str, Any]) -> Evidence:
    values = dict(body)
    for name in ("share", "negative", "stories"):
        values[name] = None if values[name] is None else Measured(**values[name])
    values["drivers"] = tuple(Driver(**one) for one in values["drivers"])
    values["words"] = tuple(RisenWord(**one) for one in values["words"])
    values["precedents"] = tuple(Precedent(**one) for one in values["precedents"])
    return Evidence(**values)
