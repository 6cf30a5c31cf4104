"""The SLA clocks of a ticket: set by its queue's policy and its priority, paused while the customer is asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from app.core.db import Database, Reads
from app.desk.decide import business_time
from app.desk.decide import deadlines as sla
from app.desk.domain.sla_policy import Pause
from app.desk.domain.ticket import OPEN_STATUSES, Priority, Ticket
from app.desk.store import sla_policies

_TARGETS = (("first_response_due_at", "first_risk_at"), ("resolution_due_at", "resolution_risk_at"))
_FIRST = _TARGETS[0]


def deadlines(
    db: Reads, *, queue_id: int, priority: Priority, created_at: int, pauses: Sequence[Pause] = ()
) -> dict[str, int]:
    """The columns that say when a ticket's answers are due, and from when on they are at risk."""
    policy, found = sla_policies.of_queue(db, queue_id), dict[str, int]()
    allowances = (policy.first_response_ms, policy.resolution_ms)
    for allowance_ms, (due_at, risk_at) in zip(allowances, _TARGETS, strict=True):
        whole = round(allowance_ms * sla.HOURS_FACTOR[priority])
        for column, part in ((due_at, 1.0), (risk_at, 1 - sla.AT_RISK_SHARE)):
            found[column] = business_time.due(
                created_at, allowance_ms=round(whole * part), policy=policy, pauses=tuple(pauses)
            )
    return found


def followed(db: Reads, was: Ticket, columns: Mapping[str, Any], *, now: int) -> dict[str, Any]:
    """What a change of status, priority or queue means for the clocks: further columns to write with it.

    A first response that was given, and a ticket that is solved, keep the deadlines they were measured by.
    """
    after = {name: columns.get(name, getattr(was, name)) for name in ("status", "priority", "queue_id")}
    pauses = _pauses(was.pauses, status=after["status"], now=now)
    is_moved = any(after[name] != getattr(was, name) for name in ("priority", "queue_id"))
    if (pauses == was.pauses and not is_moved) or after["status"] not in OPEN_STATUSES:
        return {} if pauses == was.pauses else {"pauses": pauses}
    found = deadlines(
        db, queue_id=after["queue_id"], priority=after["priority"], created_at=was.created_at, pauses=pauses
    )
    if was.first_responded_at is not None:
        found = {name: value for name, value in found.items() if name not in _FIRST}
    return {**found, "pauses": pauses}


def _pauses(before: tuple[Pause, ...], *, status: str, now: int) -> tuple[Pause, ...]:
    is_paused = bool(before) and before[-1][1] is None
    if status == "pending" and not is_paused:
        return (*before, (now, None))
    if status != "pending" and is_paused:
        return (*before[:-1], (before[-1][0], now))
    return before


def install_default(db: Database, *, first_response_ms: int, resolution_ms: int) -> None:
    """Make the settings' hours the policy of queues that name none, until somebody edits that policy."""
    known = sla_policies.default(db)
    values = {"first_response_ms": first_response_ms, "resolution_ms": resolution_ms}
    if known is None:
        with db.transaction() as tx:
            if sla_policies.default(tx) is None:
                sla_policies.add_default(tx, **values)
    elif known.version == 1 and values != {name: getattr(known, name) for name in values}:
        with db.transaction() as tx:
            # Written without counting the version: it is still the settings that speak.
            sla_policies.set_hours(tx, known.id, **values)
