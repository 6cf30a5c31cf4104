"""Alerts, the rules behind them, and silences."""

from __future__ import annotations

from typing import Any, get_args

from flask import Response
from marshmallow import fields

from app.alerts.domain.alert import Alert, AlertFilter, AlertState, RuleKind, Severity
from app.alerts.flows import act_on_alert, backtest_rule, keep_rules, keep_silences, share_budget, show_alerts
from app.alerts.flows.act_on_alert import ALERT
from app.alerts.flows.keep_rules import RULE
from app.core import changes, clock
from app.core.errors import InputError
from app.market.domain.market import SubjectKind
from app.market.flows import show_market
from app.web import access
from app.web.api import api_lists
from app.web.api.api_shapes import (
    Between,
    Flag,
    GivenInstant,
    Id,
    Instant,
    Json,
    Number,
    OneOf,
    PageQuery,
    Shape,
    Size,
    Whole,
    field_error,
    page_of,
    row,
)
from app.web.api.openapi import blueprint, route

group = blueprint("alerts", about="Surges of bad news: their states, who took note, and who need not be told.")

STATES = get_args(AlertState)
KINDS = get_args(SubjectKind)
SEVERITIES = get_args(Severity)
RULE_KINDS = get_args(RuleKind)


class SubjectShape(Shape):
    """The subject of an alert."""

    kind = fields.String()
    id = fields.String()
    title = fields.String()


class AlertShape(Shape):
    """One rule on one subject; `observed` holds the figures that explain it."""

    id = Id("alr")
    rule = Id("rul", attribute="rule_id")
    rule_name = fields.String()
    subject = fields.Nested(SubjectShape)
    state = fields.String()
    severity = fields.String()
    since_at = Instant()
    started_at = Instant()
    firing_at = Instant(allow_none=True)
    resolved_at = Instant(allow_none=True)
    acknowledged_at = Instant(allow_none=True)
    acknowledged_by = Id("usr", allow_none=True)
    acknowledged_note = fields.String()
    muted_by = Id("alr", allow_none=True)
    is_no_data = Flag()
    observed = fields.Dict()
    model = fields.String()
    version = Whole()


def _bounded(name: str) -> Between:
    return Between(*keep_rules.BOUNDS[name])


class ConditionShape(Shape):
    """The conditions of a rule: thresholds, baseline and times."""

    budget = Number(validate=_bounded("budget"))
    window_ms = Whole(validate=_bounded("window_ms"))
    baseline_ms = Whole(validate=_bounded("baseline_ms"))
    min_stories = Whole(validate=_bounded("min_stories"))
    min_negative = Whole(validate=_bounded("min_negative"))
    share = Number(validate=_bounded("share"))
    lift = Number(validate=_bounded("lift"))
    pending_ms = Whole(validate=_bounded("pending_ms"))
    recovering_ms = Whole(validate=_bounded("recovering_ms"))
    cooldown_ms = Whole(validate=_bounded("cooldown_ms"))


class RuleShape(ConditionShape):
    """When bad news of a subject is an alert."""

    id = Id("rul")
    name = fields.String()
    kind = fields.String()
    subject_kind = fields.String()
    subject_id = fields.String(allow_none=True)
    severity = fields.String()
    is_active = Flag()
    version = Whole()


class NewRuleShape(ConditionShape):
    """A rule to add; what is left out keeps the usual value."""

    name = fields.String(required=True, validate=Size(min=1, max=200))
    kind = fields.String(
        validate=OneOf(RULE_KINDS),
        metadata={"description": "`threshold` unless said; `surge` and `volume` use `budget`."},
    )
    subject_kind = fields.String(validate=OneOf(KINDS))
    subject_id = fields.String(allow_none=True)
    severity = fields.String(validate=OneOf(SEVERITIES))


class BacktestQuery(Shape):
    """The length of history to try a rule on."""

    days = Whole(load_default=30, validate=Between(1, backtest_rule.MOST_DAYS))


class EpisodeShape(Shape):
    """An alert that would have fired."""

    subject_id = fields.String()
    started_at = Instant()
    ended_at = Instant()


class BacktestShape(Shape):
    """The back-test of a rule: its alerts, the latest first, and their number a week."""

    since = Instant()
    until = Instant()
    n_subjects = Whole()
    n_known = Whole()
    a_week = Number()
    episodes = fields.List(fields.Nested(EpisodeShape))


class AlertQuery(PageQuery):
    """The filter of a list of alerts."""

    state = fields.String(load_default=None, validate=OneOf(STATES))
    kind = fields.String(load_default=None, validate=OneOf(KINDS))
    id = fields.String(load_default=None, metadata={"description": "The subject's id."})


class NoteShape(Shape):
    """The note of the person who acknowledges an alert."""

    note = fields.String(load_default="", validate=Size(max=1000))


class RemarkShape(Shape):
    """A person's judgement of an alert."""

    remark = fields.String(required=True, validate=OneOf(("useful", "false_alarm")))
    comment = fields.String(load_default="", validate=Size(max=1000))


class NewMissedShape(Shape):
    """Bad news of which no rule told."""

    subject_kind = fields.String(load_default="entity", validate=OneOf(KINDS))
    subject_id = fields.String(required=True, validate=Size(min=1, max=200))
    at = GivenInstant(required=True)
    comment = fields.String(load_default="", validate=Size(max=1000))


class NewSilenceShape(Shape):
    """Nobody is told about this subject until then; without a subject, about none."""

    subject_kind = fields.String(load_default=None, allow_none=True, validate=OneOf((*KINDS, None)))
    subject_id = fields.String(load_default=None, allow_none=True)
    until = GivenInstant(required=True)
    comment = fields.String(required=True, validate=Size(min=1, max=1000))


class SilenceShape(Shape):
    """A silence with its author and reason."""

    id = Id("sil")
    subject_kind = fields.String(allow_none=True)
    subject_id = fields.String(allow_none=True)
    since = Instant()
    until = Instant()
    user = Id("usr", attribute="user_id")
    comment = fields.String()


@route(group, "/alerts", needs="alerts:read", query=AlertQuery, returns=page_of(AlertShape, "AlertPage"))
def list_alerts(query: Json) -> Json:
    """Alerts, newest first."""
    wanted = AlertFilter(
        states=None if query["state"] is None else (query["state"],), subject_kind=query["kind"], subject_id=query["id"]
    )
    found = show_alerts.list_alerts(
        access.services(), wanted, viewer=access.viewer(), limit=query["limit"], after=query["after"]
    )
    return api_lists.page(found, [_alert_row(alert) for alert in found.items])


@route(group, "/alerts/<id(alr):alert_id>", needs="alerts:read", returns=AlertShape)
def show_alert(alert_id: int) -> Response:
    """One alert with the figures it was raised on."""
    found = ALERT.get(access.services().db, alert_id, viewer=access.viewer())
    return api_lists.tagged(AlertShape, _alert_row(found), version=found.version)


@route(
    group,
    "/alerts/<id(alr):alert_id>/acknowledge",
    method="POST",
    needs="alerts:write",
    reads=NoteShape,
    returns=AlertShape,
)
def acknowledge(payload: Json, alert_id: int) -> Response:
    """Take note of an alert: it stays as it is, and others see who looks after it and what is being done."""
    found = act_on_alert.acknowledge(access.services(), alert_id, viewer=access.viewer(), note=payload["note"]).row
    return api_lists.tagged(AlertShape, _alert_row(found), version=found.version)


@route(
    group,
    "/alerts/<id(alr):alert_id>/remark",
    method="POST",
    needs="alerts:write",
    reads=RemarkShape,
    returns=AlertShape,
)
def judge(payload: Json, alert_id: int) -> Response:
    """Say whether an alert was useful or a false alarm; the measured rate counts each person's last word."""
    found = act_on_alert.judge(access.services(), alert_id, viewer=access.viewer(), **payload)
    return api_lists.tagged(AlertShape, _alert_row(found), version=found.version)


@route(group, "/missed-alerts", method="POST", needs="alerts:write", reads=NewMissedShape, status=204)
def add_missed(payload: Json) -> Response:
    """Report bad news of which no rule told; the measured rate counts it."""
    act_on_alert.report_missed(access.services(), viewer=access.viewer(), **payload)
    return Response(status=204)


@route(group, "/rules", needs="rules:read", returns=page_of(RuleShape, "RulePage"))
def list_rules() -> Json:
    """The rules that raise alerts."""
    return api_lists.whole(keep_rules.list_rules(access.services()))


@route(group, "/rules", method="POST", needs="rules:write", reads=NewRuleShape, returns=RuleShape, status=201)
def add_rule(payload: Json) -> Response:
    """Add a rule; it is evaluated from the next tick on."""
    made = changes.add(access.services().db, RULE, payload, viewer=access.viewer()).row
    return api_lists.tagged(RuleShape, made, version=made.version, status=201)


@route(group, "/rules/<id(rul):rule_id>/backtest", needs="rules:read", query=BacktestQuery, returns=BacktestShape)
def back_test(query: Json, rule_id: int) -> Any:
    """Try a rule on stored history; the subjects with the most stories are judged."""
    kept = RULE.get(access.services().db, rule_id, viewer=access.viewer())
    rule = share_budget.as_in_force(access.services(), kept)
    return backtest_rule.back_test(access.services(), rule, days=query["days"])


@route(group, "/silences", needs="alerts:read", returns=page_of(SilenceShape, "SilencePage"))
def list_silences() -> Json:
    """Silences in force."""
    return api_lists.whole(keep_silences.silences_in_force(access.services()))


@route(group, "/silences", method="POST", needs="alerts:write", reads=NewSilenceShape, returns=SilenceShape, status=201)
def add_silence(payload: Json) -> Any:
    """Keep a subject quiet until a time, with the reason."""
    if payload["until"] <= clock.now_ms():
        raise InputError(fields=(field_error("/until", "in_the_past"),))
    return keep_silences.begin_silence(access.services().db, payload, viewer=access.viewer()).row


@route(group, "/silences/<id(sil):silence_id>", method="DELETE", needs="alerts:write", status=204)
def end_silence(silence_id: int) -> Response:
    """End a silence now."""
    keep_silences.end_silence(access.services(), silence_id, viewer=access.viewer())
    return Response(status=204)


def _alert_row(alert: Alert) -> Json:
    services = access.services()
    title = show_market.subject_title(services, alert.subject_kind, alert.subject_id)
    subject = {"kind": alert.subject_kind, "id": alert.subject_id, "title": title}
    return row(alert, subject=subject, rule_name=RULE.read(services.db, alert.rule_id).name)
