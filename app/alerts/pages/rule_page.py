"""Rules: the list, and a form to change one or make another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import cast, get_args

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from app.alerts.domain.alert import Rule
from app.alerts.domain.backtest import Backtest, later_by
from app.alerts.flows import backtest_rule, keep_rules, measure_rules, share_budget, show_alerts
from app.alerts.flows.keep_rules import RULE
from app.alerts.flows.share_budget import ALARM_BUDGET, THE_BUDGET
from app.alerts.forms import BudgetForm, EditRule
from app.core import changes
from app.core.durations import DAY_MS, HOUR_MS, MINUTE_MS
from app.core.errors import Conflict, InputError, NotFound
from app.core.events.event import Event
from app.core.nouns import Fields
from app.market.domain.market import SubjectKind
from app.market.pages.market_page import title_of
from app.web.access import requires, services, viewer
from app.web.display.translation import gettext as _
from app.web.template_context import refused, tell, tell_changed

blueprint = Blueprint("pages_rules", __name__)

SHOWN = 50
LONGEST_NAME = 120
SAME_FIELDS = ("name", "kind", "subject_kind", "min_stories", "min_negative", "severity", "is_active")
UNITS = {
    "window_hours": ("window_ms", HOUR_MS),
    "baseline_days": ("baseline_ms", DAY_MS),
    "pending_minutes": ("pending_ms", MINUTE_MS),
    "recovering_hours": ("recovering_ms", HOUR_MS),
    "cooldown_hours": ("cooldown_ms", HOUR_MS),
}
"""The field of a rule that each of these fields of the form is about, and its unit."""

Shown = str | Response | tuple[str, int]


@blueprint.get("/rules")
@requires("rules:read")
def index() -> str:
    """Every rule beside what it may raise and what it did."""
    budget = ALARM_BUDGET.read(services().db, THE_BUDGET)
    return _list(BudgetForm(formdata=None, data={"a_week": Decimal(str(budget.a_week))}))


def _list(form: BudgetForm) -> str:
    reckoning = measure_rules.reckoning(services())
    rare = measure_rules.rare_subjects(services(), viewer=viewer())
    return render_template(
        "rules/index.html",
        rules=keep_rules.list_rules(services()),
        n_open=show_alerts.count_open_by_rule(services()),
        may_write=viewer().may("rules:write"),
        reckoning=reckoning,
        records={one.rule_id: one for one in reckoning.rules},
        learning=measure_rules.rules_without_baseline(services()),
        rare=[(one, title_of(one.subject_kind, one.subject_id)) for one in rare[:SHOWN]],
        n_rare=len(rare),
        form=form,
    )


def _to_list(message: str, *, event: Event | None) -> Response:
    """Answer a change with the list of rules, where it can be undone."""
    back = url_for("pages_rules.index")
    tell_changed(message, event=event, back=back)
    return redirect(back)


@blueprint.post("/rules/budget")
@requires("rules:write")
def budget() -> Shown:
    """Allow so many false alarms a week over all rules."""
    form = BudgetForm()
    if not form.validate_on_submit():
        return _list(form), 422
    given = {"a_week": float(form.a_week.data or 0)}
    made = changes.change(services().db, ALARM_BUDGET, THE_BUDGET, given, viewer=viewer())
    return _to_list(_("Saved. The next evaluation uses it."), event=made.event)


@blueprint.post("/rules/mentions")
@requires("rules:write")
def mentions() -> Response:
    """Add a rule that notifies of every mention of a subject, or of every negative one."""
    kind, subject_id = request.form.get("kind", ""), request.form.get("subject_id", "")
    if kind not in get_args(SubjectKind):
        raise NotFound(noun="subject", id=kind)
    title, is_negative = title_of(cast(SubjectKind, kind), subject_id), request.form.get("only") == "negative"
    name = _("Every bad word on %(name)s", name=title) if is_negative else _("Every mention of %(name)s", name=title)
    try:
        made = keep_rules.watch_mentions(
            services(),
            viewer=viewer(),
            subject_kind=cast(SubjectKind, kind),
            subject_id=subject_id,
            name=name[:LONGEST_NAME],
            is_negative=is_negative,
        )
    except (InputError, Conflict) as error:
        tell(error)
        return redirect(url_for("pages_rules.index"))
    return _to_list(_in_force(made.row), event=made.event)


def _in_force(rule: Rule) -> str:
    return _("The rule “%(name)s” is in force from the next evaluation.", name=rule.name)


def _form_values(rule: Rule) -> Fields:
    """Return a rule in the units of the form."""
    return {
        **{name: getattr(rule, name) for name in SAME_FIELDS},
        **{field: getattr(rule, name) // unit for field, (name, unit) in UNITS.items()},
        "subject_id": rule.subject_id or "",
        "budget": Decimal(str(rule.budget)),
        "lift": Decimal(str(rule.lift)),
        "share": round(100 * rule.share),
    }


def _given(form: EditRule) -> Fields:
    """Return the fields of the rule that a form describes."""
    return {
        **{name: form[name].data for name in SAME_FIELDS},
        **{name: (form[field].data or 0) * unit for field, (name, unit) in UNITS.items()},
        "subject_id": form.subject_id.data or None,
        "budget": float(form.budget.data or 0),
        "lift": float(form.lift.data or 0),
        "share": (form.share.data or 0) / 100,
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
    titles = {one: title_of(kind, one) if kind != "feed" or viewer().sees_feed(int(one)) else one for one in ids}
    return _Tested(name=name, result=result, titles=titles)


def _back_test(form: EditRule, *, rule: Rule | None) -> Shown:
    """Show the back-test of the rule in the form beside that of the one in force; nothing is saved."""
    days = 90 if request.form.get("backtest") == "90" else 30
    wanted = replace(rule or Rule(id=0, name=""), **_given(form))
    try:
        tested = [_tested(wanted, name=_("With these values"), days=days)]
        if rule is not None and rule.kind != "absence":
            tested.append(_tested(rule, name=_("As it is in force"), days=days))
    except InputError as error:
        return refused(error, lambda: _form_page(form, rule=rule))
    later = later_by(tested[0].result, than=tested[1].result) if len(tested) > 1 else None
    return render_template("rules/edit.html", form=form, rule=rule, tested=tested, days=days, later=later, shown=SHOWN)


def _form_page(form: EditRule, *, rule: Rule | None) -> str:
    return render_template("rules/edit.html", form=form, rule=rule)


def _edited(form: EditRule, *, rule: Rule | None) -> Shown:
    """Answer a form of a rule, or of a new one: show it, test it, or save it."""
    if not form.is_submitted():
        return _form_page(form, rule=rule)
    if not form.validate():
        return _form_page(form, rule=rule), 422
    if "backtest" in request.form:
        return _back_test(form, rule=rule)
    db, given = services().db, _given(form)
    try:
        if rule is None:
            made = changes.add(db, RULE, given, viewer=viewer())
        else:
            made = changes.change(db, RULE, rule.id, given, viewer=viewer())
    except (InputError, Conflict) as error:
        return refused(error, lambda: _form_page(form, rule=rule))
    message = _in_force(made.row) if rule is None else _("Saved. The next evaluation uses it.")
    return _to_list(message, event=made.event)


@blueprint.route("/rules/new", methods=["GET", "POST"])
@requires("rules:write")
def new() -> Shown:
    """Make a rule, starting from the defaults."""
    return _edited(EditRule(data=_form_values(Rule(id=0, name="", kind="surge"))), rule=None)


@blueprint.route("/rules/<number:rule_id>", methods=["GET", "POST"])
@requires("rules:write")
def edit(rule_id: int) -> Shown:
    """Change a rule."""
    rule = RULE.get(services().db, rule_id, viewer=viewer())
    return _edited(EditRule(data=_form_values(rule)), rule=rule)


@blueprint.post("/rules/<number:rule_id>/delete")
@requires("rules:write")
def delete(rule_id: int) -> Response:
    """Delete a rule that never raised an alert."""
    try:
        made = changes.remove(services().db, RULE, rule_id, viewer=viewer())
    except Conflict as error:
        tell(error)
        return redirect(url_for("pages_rules.index"))
    return _to_list(_("The rule is deleted."), event=made.event)
