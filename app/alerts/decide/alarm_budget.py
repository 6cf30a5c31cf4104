"""The false alarms that a dashboard may raise, shared among its rules."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from app.alerts.domain.alert import Rule


def shared(rules: Iterable[Rule], *, a_week: float) -> tuple[Rule, ...]:
    """Return the rules with the budgets that they may use: their own, or less in proportion where the sum is too high.

    Only active rules of surges count: the others promise nothing about false alarms.
    """
    given = tuple(rules)
    asked = sum(rule.budget for rule in given if rule.is_active and rule.is_calibrated)
    part = min(1.0, a_week / asked) if asked > 0 else 1.0
    return tuple(replace(rule, budget=rule.budget * part) if rule.is_calibrated else rule for rule in given)
