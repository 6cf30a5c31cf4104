"""The false alarms that the whole dashboard may raise, shared among the rules of surges."""

from __future__ import annotations

import sqlite3

from app.alerts.decide.alarm_budget import shared
from app.alerts.domain.alert import Rule
from app.alerts.domain.false_alarms import AlarmBudget
from app.alerts.store import alert_rules, false_alarm_rows
from app.core.db import Transaction
from app.core.errors import FieldError, InputError
from app.core.nouns import Fields, Noun
from app.core.services import Services

LEAST, MOST = 0.01, 1000.0


class AlarmBudgetNoun(Noun[AlarmBudget]):
    """The one budget of false alarms a week, with the id 1."""

    name = "alarm_budget"
    permission = "rules:write"
    fields = frozenset({"a_week"})

    def make(self, row: sqlite3.Row) -> AlarmBudget:
        """Return the budget from its row."""
        return false_alarm_rows.as_budget(row)

    def check(self, tx: Transaction, given: Fields, was: AlarmBudget | None) -> Fields:
        """Return the false alarms a week; raise InputError out of 0.01 to 1000."""
        a_week = given["a_week"]
        if not LEAST <= a_week <= MOST:
            code = "too_small" if a_week < LEAST else "too_large"
            raise InputError("invalid_input", fields=[FieldError(pointer="/a_week", code=code)])
        return {"a_week": a_week}


ALARM_BUDGET, THE_BUDGET = AlarmBudgetNoun(), 1


def in_force(services: Services) -> tuple[Rule, ...]:
    """Return every rule with the budget that it may use."""
    return shared(alert_rules.every(services.db), a_week=false_alarm_rows.budget(services.db).a_week)


def as_in_force(services: Services, rule: Rule) -> Rule:
    """Return a rule, saved or not, with the budget that it may use beside the others."""
    others = [one for one in alert_rules.every(services.db) if one.id != rule.id]
    return shared([rule, *others], a_week=false_alarm_rows.budget(services.db).a_week)[0]
