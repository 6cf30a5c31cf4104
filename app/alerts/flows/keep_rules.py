"""Alert rules as people keep them; a new installation gets one, and one for every mention of a subject is a click."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import asdict, fields
from typing import get_args

from app.alerts.domain.alert import Rule, RuleKind, Severity
from app.alerts.store import alert_rules
from app.core import changes
from app.core.db import Reads, Transaction
from app.core.durations import DAY_MS, HOUR_MS
from app.core.errors import Conflict, FieldError, InputError
from app.core.nouns import Changed, Fields, Noun
from app.core.permissions import SYSTEM, Viewer
from app.core.services import Services
from app.market.domain.market import SubjectKind

_LONGEST_MS, _MOST_STORIES = 400 * DAY_MS, 1_000_000
BOUNDS: dict[str, tuple[float, float]] = {
    "window_ms": (HOUR_MS, _LONGEST_MS),
    "baseline_ms": (HOUR_MS, _LONGEST_MS),
    "min_stories": (1, _MOST_STORIES),
    "min_negative": (0, _MOST_STORIES),
    "share": (0, 1),
    "lift": (0, 1000),
    "budget": (0.01, 1000),
    "pending_ms": (0, _LONGEST_MS),
    "recovering_ms": (0, _LONGEST_MS),
    "cooldown_ms": (0, _LONGEST_MS),
}
_CHOICES = {"kind": get_args(RuleKind), "severity": get_args(Severity), "subject_kind": get_args(SubjectKind)}
MENTION_WINDOW_MS = 4 * HOUR_MS
"""A mention that arrives this late still raises an alert."""


class RuleNoun(Noun[Rule]):
    """Rules; one that is switched off ends its alerts at the next tick, and one that has alerts is never removed."""

    name = "rule"
    permission = "rules:write"
    fields = frozenset(entry.name for entry in fields(Rule)) - {"id", "version"}
    needed = ("name",)
    is_restorable = True

    def make(self, row: sqlite3.Row) -> Rule:
        """Return a rule from its row."""
        return alert_rules.as_rule(row)

    def check(self, tx: Transaction, given: Fields, was: Rule | None) -> Fields:
        """Return the fields of a rule; raise InputError `invalid_rule` for a figure or a name out of its bounds."""
        faults = [*_out_of_bounds(given), *_unknown(given)]
        if faults:
            raise InputError("invalid_rule", fields=faults)
        return dict(given)

    def insert(self, tx: Transaction, columns: Fields) -> int:
        """Add a rule, with the usual value in every field that is not given; return its id."""
        usual = {name: value for name, value in asdict(Rule(id=0, name="")).items() if name in self.fields}
        return super().insert(tx, {**usual, **columns})

    def delete(self, tx: Transaction, row: Rule) -> None:
        """Remove a rule; raise Conflict `rule_in_use` when it has alerts: then it can only be switched off."""
        try:
            super().delete(tx, row)
        except sqlite3.IntegrityError as error:
            raise Conflict("rule_in_use", id=row.id) from error


RULE = RuleNoun()


def _out_of_bounds(given: Fields) -> Iterator[FieldError]:
    for name, (least, most) in BOUNDS.items():
        if name in given and not least <= given[name] <= most:
            yield FieldError(pointer=f"/{name}", code="too_small" if given[name] < least else "too_large")


def _unknown(given: Fields) -> Iterator[FieldError]:
    for name, known in _CHOICES.items():
        if name in given and given[name] not in known:
            yield FieldError(pointer=f"/{name}", code="unknown_value")


def list_rules(services: Services) -> tuple[Rule, ...]:
    """Return every rule, by name."""
    return alert_rules.every(services.db)


def rule_names(services: Services) -> dict[int, str]:
    """Return the name of every rule, by id."""
    return {rule.id: rule.name for rule in alert_rules.every(services.db)}


def rules_watching(db: Reads, subject_id: str) -> tuple[str, ...]:
    """Return the names of the rules that judge this subject alone."""
    return tuple(rule.name for rule in alert_rules.every(db) if rule.subject_id == subject_id)


def first_rule(tx: Transaction, _services: Services) -> None:
    """Add the rule that watches every company of a new installation, unless there is a rule.

    It learns what is usual of each company, so no figure has to be right that nobody knows yet.
    """
    if not alert_rules.every(tx):
        changes.add(tx, RULE, {"name": "Negative news surge", "kind": "surge"}, viewer=SYSTEM)


def watches(rule: Rule, subject_kind: SubjectKind, subject_id: str) -> bool:
    """Return True for a rule that judges this subject, alone or with all others of its kind."""
    return rule.subject_kind == subject_kind and rule.subject_id in (None, subject_id)


def watch_mentions(
    services: Services, *, viewer: Viewer, subject_kind: SubjectKind, subject_id: str, name: str, is_negative: bool
) -> Changed[Rule]:
    """Add a rule that alerts on every mention of one subject, or on every negative one.

    Raises Conflict `already_watched` where a rule does so already.
    """
    given = {
        "name": name,
        "kind": "mention",
        "subject_kind": subject_kind,
        "subject_id": subject_id,
        "window_ms": MENTION_WINDOW_MS,
        "min_stories": 1,
        "min_negative": int(is_negative),
        "recovering_ms": 0,
        "cooldown_ms": 0,
        "severity": "info",
    }
    with services.db.transaction() as tx:
        for rule in alert_rules.every(tx):
            if rule.is_active and rule.kind == "mention" and watches(rule, subject_kind, subject_id):
                raise Conflict("already_watched", name=rule.name)
        return changes.add(tx, RULE, given, viewer=viewer)
