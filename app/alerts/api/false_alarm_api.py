"""The measured rate of false alarms of each rule, and the budget of all rules together."""

from __future__ import annotations

from typing import Any, get_args

from flask import Response
from marshmallow import fields

from app.alerts.flows import measure_rules
from app.alerts.flows.share_budget import ALARM_BUDGET, LEAST, MOST, THE_BUDGET
from app.core import changes
from app.market.domain.market import SubjectKind
from app.web import access
from app.web.api import api_lists
from app.web.api.api_shapes import Between, Flag, Id, Instant, Json, Number, OneOf, Shape, Whole, page_of
from app.web.api.openapi import blueprint, route

group = blueprint("measured", about="How often rules are wrong, and how often they may be.")


class MeasuredShape(Shape):
    """People's judgements of the alerts of so many weeks; false alarms a week lie between `low` and `high`."""

    weeks = Number()
    n_fired = Whole()
    n_false = Whole()
    n_useful = Whole()
    n_open = Whole(metadata={"description": "Alerts of which nobody said what they were."})
    low = Number()
    high = Number()


class CheckShape(Shape):
    """The number of alarms that a rule would have raised over stored history, true and false together."""

    since = Instant()
    until = Instant()
    n_alarms = Whole()
    n_subjects = Whole()
    n_known = Whole()
    a_week = Number()


class RecordShape(Shape):
    """A rule beside its measured rate; `allowed` is null for a rule without a budget."""

    rule = Id("rul", attribute="rule_id")
    allowed = Number(allow_none=True)
    measured = fields.Nested(MeasuredShape)
    backtest = fields.Nested(CheckShape, attribute="check", allow_none=True)


class BudgetShape(Shape):
    """The false alarms a week that all rules of surges together may raise."""

    a_week = Number()
    version = Whole()


class ReckoningShape(Shape):
    """Every rule, and all together, beside the budget of the dashboard."""

    budget = fields.Nested(BudgetShape)
    rules = fields.List(fields.Nested(RecordShape))
    whole = fields.Nested(MeasuredShape)
    n_missed = Whole()
    backtest_a_week = Number(allow_none=True)


class NewBudgetShape(Shape):
    """The number of false alarms a week to allow."""

    a_week = Number(required=True, validate=Between(LEAST, MOST))


class RareShape(Shape):
    """A subject with too few stories a day for a rule of surges; a rule for every mention serves it better."""

    subject_kind = fields.String(validate=OneOf(get_args(SubjectKind)))
    subject_id = fields.String()
    stories_a_day = Number()
    is_mention_watched = Flag()


@route(group, "/alarm-budget", needs="rules:read", returns=ReckoningShape)
def show_budget() -> Any:
    """The false alarms that the dashboard may raise, and those that each rule raised in the last 28 days."""
    return measure_rules.reckoning(access.services())


@route(
    group,
    "/alarm-budget",
    method="PATCH",
    needs="rules:write",
    reads=NewBudgetShape,
    returns=BudgetShape,
    is_versioned=True,
)
def change_budget(payload: Json) -> Response:
    """Allow so many false alarms a week; the rules of surges share them from the next evaluation on."""
    version = api_lists.expected_version()
    found = changes.change(
        access.services().db, ALARM_BUDGET, THE_BUDGET, payload, viewer=access.viewer(), version=version
    ).row
    return api_lists.tagged(BudgetShape, found, version=found.version)


@route(group, "/rare-subjects", needs="rules:read", returns=page_of(RareShape, "RareSubjects"))
def list_rare() -> Json:
    """List the subjects that rules of surges watch and that have too few stories to be judged within hours."""
    return api_lists.whole(measure_rules.rare_subjects(access.services(), viewer=access.viewer()))
