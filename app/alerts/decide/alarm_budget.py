"""How the false alarms that a dashboard may raise are shared among its rules."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from app.alerts.domain.alert import Rule


def shared(rules: Iterable[Rule], *, a_week: float) -> tuple[Rule, ...]:
    """The rules with the budgets that they may use: their own, or less in proportion where these add up to more.

    Only rules of surges that are in force count: the others keep no promise about false alarms.
    """
    given = tuple(rules)
    asked = sum(rule.budget for rule in given if rule.is_active and rule.is_calibrated)
    part = min(1.0, a_week / asked) if asked > 0 else 1.0
    return tuple(replace(rule, budget=rule.budget * part) if rule.is_calibrated else rule for rule in given)
