"""The false alarms that the whole dashboard may raise, shared among the rules of surges."""

from __future__ import annotations

from app.alerts.decide.alarm_budget import shared
from app.alerts.domain.alert import Rule
from app.alerts.domain.false_alarms import AlarmBudget
from app.alerts.store import alert_rules, false_alarm_rows
from app.core.errors import FieldError, InputError
from app.core.events import history
from app.core.permissions import Viewer
from app.core.services import Services

LEAST, MOST = 0.01, 1000.0


def in_force(services: Services) -> tuple[Rule, ...]:
    """Every rule with the budget that it may use."""
    return shared(alert_rules.every(services.db), a_week=false_alarm_rows.budget(services.db).a_week)


def as_in_force(services: Services, rule: Rule) -> Rule:
    """A rule, saved or not, with the budget that it may use beside the others."""
    others = [one for one in alert_rules.every(services.db) if one.id != rule.id]
    return shared([rule, *others], a_week=false_alarm_rows.budget(services.db).a_week)[0]


def change(services: Services, *, viewer: Viewer, a_week: float, version: int | None = None) -> AlarmBudget:
    """Allow so many false alarms a week over all rules; raises InputError out of 0.01 to 1000, Stale."""
    if not LEAST <= a_week <= MOST:
        code = "too_small" if a_week < LEAST else "too_large"
        raise InputError("invalid_input", fields=[FieldError(pointer="/a_week", code=code)])
    with services.db.transaction() as tx:
        was = false_alarm_rows.budget(tx)
        found = false_alarm_rows.set_budget(tx, a_week=a_week, version=version)
        history.record(
            tx,
            actor=history.of(viewer),
            verb="edited",
            noun="alarm_budget",
            noun_id=1,
            before={"a_week": was.a_week},
            after={"a_week": a_week},
        )
        return found
