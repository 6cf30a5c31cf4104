"""Routing: rules in their order, tried on past tickets before they are switched on, and the model's own routing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from app.core import changes
from app.core.errors import Conflict, InputError, NotFound
from app.core.nouns import Changed, Fields
from app.desk.domain.routing_rule import OPERATORS, Condition, RoutingAction, RoutingRule
from app.desk.flows import keep_queues, show_queues
from app.desk.flows import keep_routing_rules as flow
from app.desk.flows.keep_routing_rules import ROUTING_RULE
from app.web import query_string
from app.web.access import requires, services, viewer
from app.web.display.label_titles import label_title
from app.web.display.translation import gettext as _
from app.web.template_context import refused, tell, tell_changed

blueprint = Blueprint("pages_routing", __name__)

Shown = str | Response | tuple[str, int]
N_CONDITIONS = 4
N_TRIED = (50, 200, 1000)
PRECISIONS = (80, 90, 95, 98)


@blueprint.get("/routing")
@requires("routing:read")
def index() -> str:
    """Show the rules in the order they are asked."""
    return render_template(
        "routing/index.html",
        rules=show_queues.rules(services()),
        titles={queue.slug: queue.title for queue in show_queues.every(services())},
        may_write=viewer().may("routing:write"),
    )


def _given() -> Fields:
    """The fields of the rule in the form; conditions without a value are left out."""
    form = request.form
    conditions = []
    for at in range(N_CONDITIONS):
        name, operator = form.get(f"field-{at}", ""), form.get(f"operator-{at}", "")
        value = form.get(f"value-{at}", "").strip()
        if name and value:
            conditions.append(Condition(field=cast(Any, name), operator=cast(Any, operator), value=value[:200]))
    actions = [
        RoutingAction(type=cast(Any, kind), value=form.get(kind, "").strip()[:60])
        for kind in ("route", "set_priority", "add_tag")
        if form.get(kind, "").strip()
    ]
    return {
        "name": form.get("name", "").strip()[:120],
        "conditions": tuple(conditions),
        "actions": tuple(actions),
        "is_stop": bool(form.get("is_stop")),
    }


def _page(rule: RoutingRule) -> str:
    blank = Condition(field="intent", operator="is", value="")
    rows = [*rule.conditions, *([blank] * N_CONDITIONS)][:N_CONDITIONS]
    return render_template(
        "routing/edit.html",
        rule=rule,
        rows=rows,
        chosen={action.type: action.value for action in rule.actions},
        fields=list(OPERATORS),
        operators=list(dict.fromkeys(one for several in OPERATORS.values() for one in several)),
        queues=show_queues.every(services()),
        is_new=not rule.id,
    )


def _edited(rule: RoutingRule) -> Shown:
    if request.method == "GET":
        return _page(rule)
    given, db = _given(), services().db
    try:
        if rule.id:
            made = changes.change(db, ROUTING_RULE, rule.id, given, viewer=viewer())
        else:
            made = changes.add(db, ROUTING_RULE, given, viewer=viewer())
    except (InputError, Conflict) as error:
        return refused(error, lambda: _page(replace(rule, **given)))
    _tell(_("Saved. This is what it would have done so far."), made)
    return redirect(url_for("pages_routing.simulation", rule_id=made.row.id))


def _tell(message: str, made: Changed[RoutingRule]) -> None:
    tell_changed(message, event=made.event, back=url_for("pages_routing.index"))


@blueprint.route("/routing/new", methods=["GET", "POST"])
@requires("routing:write")
def new() -> Shown:
    """Add a rule; it is off until it is switched on."""
    return _edited(RoutingRule(id=0, name=""))


@blueprint.route("/routing/<number:rule_id>", methods=["GET", "POST"])
@requires("routing:write")
def edit(rule_id: int) -> Shown:
    """Change a rule."""
    return _edited(ROUTING_RULE.get(services().db, rule_id, viewer=viewer()))


@blueprint.get("/routing/<number:rule_id>/simulation")
@requires("routing:read")
def simulation(rule_id: int) -> str:
    """Show what a rule, together with those that are on, would have done with the last tickets."""
    n = query_string.whole(request.args.get("n")) or N_TRIED[1]
    tried = flow.simulate(services(), viewer=viewer(), rule_id=rule_id, n=n if n in N_TRIED else N_TRIED[1])
    return render_template(
        "routing/simulation.html",
        rule=ROUTING_RULE.get(services().db, rule_id, viewer=viewer()),
        tried=tried,
        n=n,
        sizes=N_TRIED,
        titles={queue.slug: queue.title for queue in show_queues.every(services())},
        may_write=viewer().may("routing:write"),
    )


@blueprint.post("/routing/<number:rule_id>/switch")
@requires("routing:write")
def switch(rule_id: int) -> Response:
    """Switch a rule on or off."""
    is_active = bool(request.form.get("is_active"))
    try:
        made = changes.change(services().db, ROUTING_RULE, rule_id, {"is_active": is_active}, viewer=viewer())
    except InputError as error:
        tell(error)
        return redirect(url_for("pages_routing.simulation", rule_id=rule_id))
    name = made.row.name
    _tell(_("“%(name)s” is on.", name=name) if is_active else _("“%(name)s” is off.", name=name), made)
    return redirect(url_for("pages_routing.index"))


@blueprint.post("/routing/<number:rule_id>/move")
@requires("routing:write")
def move(rule_id: int) -> Response:
    """Move a rule up or down in the order."""
    made = flow.move_rule(services().db, rule_id, viewer=viewer(), by=-1 if request.form.get("by") == "-1" else 1)
    if made.event is not None:
        _tell(_("“%(name)s” is moved.", name=made.row.name), made)
    return redirect(url_for("pages_routing.index"))


@blueprint.post("/routing/<number:rule_id>/delete")
@requires("routing:write")
def delete(rule_id: int) -> Response:
    """Remove a rule; its effects on tickets stay."""
    _tell(_("The rule is deleted."), changes.remove(services().db, ROUTING_RULE, rule_id, viewer=viewer()))
    return redirect(url_for("pages_routing.index"))


@blueprint.get("/routing/trust")
@requires("routing:read")
def trust() -> str:
    """Show what the model would have routed, how often that was right, and the switch of each intent."""
    wanted = query_string.whole(request.args.get("precision"))
    precision = wanted if wanted in PRECISIONS else 95
    return render_template(
        "routing/trust.html",
        report=flow.trust_report(services(), precision=precision / 100),
        precision=precision,
        precisions=PRECISIONS,
        routes=show_queues.routes(services()),
        titles=show_queues.titles(services()),
        may_write=viewer().may("routing:write"),
        is_on=services().policy.is_routing,
    )


@blueprint.post("/routing/trust")
@requires("routing:write")
def set_trust() -> Response:
    """Let the model route an intent by itself, or stop it."""
    form = request.form
    is_trusted = bool(form.get("is_trusted"))
    back = url_for("pages_routing.trust", precision=form.get("precision", "95"))
    try:
        made = keep_queues.set_trust(
            services().db,
            viewer=viewer(),
            task=form.get("task", ""),
            intent=form.get("intent", ""),
            is_trusted=is_trusted,
            least_probability=float(form.get("least") or 0),
        )
    except ValueError:
        tell(InputError("unknown_value", value=form.get("least", "")))
        return redirect(back)
    except (InputError, NotFound) as error:
        tell(error)
        return redirect(back)
    title = label_title(form.get("intent"))
    on, off = _("“%(intent)s” is routed by the model now."), _("“%(intent)s” is back in the shadow.")
    tell_changed((on if is_trusted else off) % {"intent": title}, event=made.event, back=back)
    return redirect(back)
