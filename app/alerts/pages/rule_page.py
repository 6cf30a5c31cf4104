"""Rules: the list, and a form to change one or make another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, cast, get_args

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from app.alerts.domain.alert import Rule
from app.alerts.domain.backtest import Backtest, later_by
from app.alerts.flows import backtest_rule, measure_rules, share_budget
from app.alerts.flows import tick_rules as flow
from app.alerts.forms import BudgetForm, EditRule
from app.alerts.store import alert_rules, alerts
from app.core.durations import DAY_MS, HOUR_MS, MINUTE_MS
from app.core.errors import Conflict, InputError, NotFound
from app.market.domain.market import SubjectKind
from app.market.pages.market_page import title_of
from app.web.access import requires, services, viewer
from app.web.display.translation import gettext as _
from app.web.template_context import refused, tell

blueprint = Blueprint("pages_rules", __name__)

SHOWN = 50
LONGEST_NAME = 120

Shown = str | Response | tuple[str, int]


@blueprint.get("/rules")
@requires("rules:read")
def index() -> str:
    """Every rule beside what it may raise and what it did."""
    return _list(BudgetForm(formdata=None, data={"a_week": Decimal(str(measure_rules.budget(services()).a_week))}))


def _list(form: BudgetForm) -> str:
    db = services().db
    n_open: dict[int, int] = {}
    for alert in alerts.open_ones(db):
        n_open[alert.rule_id] = n_open.get(alert.rule_id, 0) + 1
    reckoning = measure_rules.reckoning(services())
    rare = [one for one in measure_rules.rare(services()) if one.subject_kind != "feed" or _is_seen(one.subject_id)]
    return render_template(
        "rules/index.html",
        rules=alert_rules.every(db),
        n_open=n_open,
        may_write=viewer().may("rules:write"),
        reckoning=reckoning,
        records={one.rule_id: one for one in reckoning.rules},
        learning=measure_rules.not_learnt(services()),
        rare=[(one, title_of(one.subject_kind, one.subject_id)) for one in rare[:SHOWN]],
        n_rare=len(rare),
        form=form,
    )


def _is_seen(feed_id: str) -> bool:
    seen = viewer().feed_ids
    return seen is None or int(feed_id) in seen


@blueprint.post("/rules/budget")
@requires("rules:write")
def budget() -> Shown:
    """Allow so many false alarms a week over all rules."""
    form = BudgetForm()
    if not form.validate_on_submit():
        return _list(form), 422
    share_budget.change(services(), viewer=viewer(), a_week=float(form.a_week.data or 0))
    flash(_("Saved. The next evaluation uses it."), "good")
    return redirect(url_for("pages_rules.index"))


@blueprint.post("/rules/mentions")
@requires("rules:write")
def mentions() -> Response:
    """Tell of every mention of a subject, or of every negative one, from now on."""
    kind, subject_id = request.form.get("kind", ""), request.form.get("subject_id", "")
    if kind not in get_args(SubjectKind):
        raise NotFound(noun="subject", id=kind)
    title, is_negative = title_of(cast(SubjectKind, kind), subject_id), request.form.get("only") == "negative"
    name = _("Every bad word on %(name)s", name=title) if is_negative else _("Every mention of %(name)s", name=title)
    try:
        rule = measure_rules.watch_mentions(
            services(),
            viewer=viewer(),
            subject_kind=cast(SubjectKind, kind),
            subject_id=subject_id,
            name=name[:LONGEST_NAME],
            is_negative=is_negative,
        )
        flash(_("The rule “%(name)s” is in force from the next evaluation.", name=rule.name), "good")
    except (InputError, Conflict) as error:
        tell(error)
    return redirect(url_for("pages_rules.index"))


def _values(rule: Rule) -> dict[str, Any]:
    """The rule in the units of the form."""
    return {
        "name": rule.name,
        "kind": rule.kind,
        "budget": Decimal(str(rule.budget)),
        "subject_kind": rule.subject_kind,
        "subject_id": rule.subject_id or "",
        "window_hours": rule.window_ms // HOUR_MS,
        "baseline_days": rule.baseline_ms // DAY_MS,
        "min_stories": rule.min_stories,
        "min_negative": rule.min_negative,
        "share": round(100 * rule.share),
        "lift": Decimal(str(rule.lift)),
        "pending_minutes": rule.pending_ms // MINUTE_MS,
        "recovering_hours": rule.recovering_ms // HOUR_MS,
        "cooldown_hours": rule.cooldown_ms // HOUR_MS,
        "severity": rule.severity,
        "is_active": rule.is_active,
    }


def _changes(form: EditRule) -> dict[str, Any]:
    """The form in the units of the rule."""
    return {
        "name": form.name.data,
        "kind": form.kind.data,
        "budget": float(form.budget.data or 0),
        "subject_kind": form.subject_kind.data,
        "subject_id": form.subject_id.data or None,
        "window_ms": (form.window_hours.data or 0) * HOUR_MS,
        "baseline_ms": (form.baseline_days.data or 0) * DAY_MS,
        "min_stories": form.min_stories.data,
        "min_negative": form.min_negative.data,
        "share": (form.share.data or 0) / 100,
        "lift": float(form.lift.data or 0),
        "pending_ms": (form.pending_minutes.data or 0) * MINUTE_MS,
        "recovering_ms": (form.recovering_hours.data or 0) * HOUR_MS,
        "cooldown_ms": (form.cooldown_hours.data or 0) * HOUR_MS,
        "severity": form.severity.data,
        "is_active": form.is_active.data,
    }


@dataclass(frozen=True, kw_only=True)
class _Tested:
    """A back-test with the titles of its subjects."""

    name: str
    result: Backtest
    titles: Mapping[str, str]


def _tested(rule: Rule, *, name: str, days: int) -> _Tested:
    result = backtest_rule.back_test(services(), share_budget.as_in_force(services(), rule), days=days)
    kind, ids = rule.subject_kind, [one.subject_id for one in result.episodes[:SHOWN]]
    titles = {one: title_of(kind, one) if kind != "feed" or _is_seen(one) else one for one in ids}
    return _Tested(name=name, result=result, titles=titles)


def _back_test(form: EditRule, *, rule: Rule | None) -> Shown:
    """The rule as the form has it beside the one in force; nothing is saved."""
    days = 90 if request.form.get("backtest") == "90" else 30
    wanted = replace(rule or Rule(id=0, name=""), **_changes(form))
    try:
        tested = [_tested(wanted, name=_("With these values"), days=days)]
        if rule is not None and rule.kind != "absence":
            tested.append(_tested(rule, name=_("As it is in force"), days=days))
    except InputError as error:
        return refused(error, lambda: render_template("rules/edit.html", form=form, rule=rule))
    later = later_by(tested[0].result, than=tested[1].result) if len(tested) > 1 else None
    return render_template("rules/edit.html", form=form, rule=rule, tested=tested, days=days, later=later, shown=SHOWN)


@blueprint.route("/rules/new", methods=["GET", "POST"])
@requires("rules:write")
def new() -> Shown:
    """Make a rule, starting from the defaults."""
    form = EditRule(data=_values(Rule(id=0, name="", kind="surge")))
    if not form.is_submitted():
        return render_template("rules/edit.html", form=form, rule=None)
    if not form.validate():
        return render_template("rules/edit.html", form=form, rule=None), 422
    if "backtest" in request.form:
        return _back_test(form, rule=None)
    try:
        rule = flow.add_rule(services(), viewer=viewer(), **_changes(form))
    except (InputError, Conflict) as error:
        return refused(error, lambda: render_template("rules/edit.html", form=form, rule=None))
    flash(_("The rule “%(name)s” is in force from the next evaluation.", name=rule.name), "good")
    return redirect(url_for("pages_rules.index"))


@blueprint.route("/rules/<number:rule_id>", methods=["GET", "POST"])
@requires("rules:write")
def edit(rule_id: int) -> Shown:
    """Change a rule."""
    rule = alert_rules.get(services().db, rule_id)
    form = EditRule(data=_values(rule))
    if not form.is_submitted():
        return render_template("rules/edit.html", form=form, rule=rule)
    if not form.validate():
        return render_template("rules/edit.html", form=form, rule=rule), 422
    if "backtest" in request.form:
        return _back_test(form, rule=rule)
    try:
        flow.change_rule(services(), rule_id, viewer=viewer(), changes=_changes(form))
    except (InputError, Conflict) as error:
        return refused(error, lambda: render_template("rules/edit.html", form=form, rule=rule))
    flash(_("Saved. The next evaluation uses it."), "good")
    return redirect(url_for("pages_rules.index"))


@blueprint.post("/rules/<number:rule_id>/delete")
@requires("rules:write")
def delete(rule_id: int) -> Response:
    """Delete a rule; its open alerts end."""
    try:
        flow.remove_rule(services(), rule_id, viewer=viewer())
        flash(_("The rule is deleted."), "good")
    except Conflict as error:
        tell(error)
    return redirect(url_for("pages_rules.index"))
