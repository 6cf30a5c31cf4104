"""The false alarms that the whole dashboard may raise, shared among the rules of surges."""

from __future__ import annotations

from app.domain.alert import Rule
from app.domain.measured import AlarmBudget
from app.domain.people import Viewer
from app.errors import FieldError, InputError
from app.monitor.budget import shared
from app.pipeline import history
from app.pipeline.services import Services
from app.store import measured, rules

LEAST, MOST = 0.01, 1000.0


def in_force(services: Services) -> tuple[Rule, ...]:
    """Every rule with the budget that it may use."""
    return shared(rules.every(services.db), a_week=measured.budget(services.db).a_week)


def as_in_force(services: Services, rule: Rule) -> Rule:
    """A rule, saved or not, with the budget that it may use beside the others."""
    others = [one for one in rules.every(services.db) if one.id != rule.id]
    return shared([rule, *others], a_week=measured.budget(services.db).a_week)[0]


def change(services: Services, *, viewer: Viewer, a_week: float, version: int | None = None) -> AlarmBudget:
    """Allow so many false alarms a week over all rules; raises InputError out of 0.01 to 1000, Stale."""
    if not LEAST <= a_week <= MOST:
        code = "too_small" if a_week < LEAST else "too_large"
        raise InputError("invalid_input", fields=[FieldError(pointer="/a_week", code=code)])
    with services.db.transaction() as tx:
        was = measured.budget(tx)
        found = measured.set_budget(tx, a_week=a_week, version=version)
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
