"""Alerts: the list, and one with its figures, its stories and what people did about it."""

from __future__ import annotations

from typing import cast, get_args

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from app.alerts.domain.alert import OPEN_STATES, Alert, AlertFilter, AlertState
from app.alerts.flows import act_on_alert, keep_rules, keep_silences, show_alerts
from app.alerts.flows.act_on_alert import ALERT
from app.alerts.forms import Missed, NewSilence
from app.core import clock
from app.core.durations import DAY_MS, HOUR_MS
from app.core.errors import Conflict, InputError, NotFound
from app.market.domain.market import SubjectKind
from app.market.flows import find_posts
from app.market.pages import subject_trend
from app.market.pages.market_page import title_of
from app.market.pages.subject_trend import Stretch
from app.web import access, query_string
from app.web.access import requires, services, viewer
from app.web.display.translation import gettext as _
from app.web.template_context import tell

blueprint = Blueprint("pages_alerts", __name__)

STATES: dict[str, tuple[AlertState, ...]] = {
    "open": OPEN_STATES,
    "resolved": ("resolved",),
    "all": ("pending", "firing", "recovering", "resolved", "inactive"),
}
LEAD_MS = 14 * DAY_MS


@blueprint.get("/alerts")
@requires("alerts:read")
def index() -> str:
    """Alerts by state, newest first, with the silences in force."""
    state = request.args.get("state", "open")
    wanted = AlertFilter(states=STATES.get(state, OPEN_STATES))
    shown = show_alerts.list_alerts(services(), wanted, after=request.args.get("after"), viewer=viewer())
    silences = keep_silences.silences_in_force(services())
    return render_template(
        "alerts/index.html",
        page=shown,
        state=state if state in STATES else "open",
        subjects={alert.id: title_of(alert.subject_kind, alert.subject_id) for alert in shown.items},
        rules=keep_rules.rule_names(services()),
        silences=silences,
        names=show_alerts.silencers(services(), silences),
        silenced={silence.id: _silenced(silence.subject_kind, silence.subject_id) for silence in silences},
        link=lambda **changes: url_for("pages_alerts.index", **query_string.kept(request.args, **changes)),
    )


def _silenced(kind: SubjectKind | None, subject_id: str | None) -> str:
    if kind is None or subject_id is None:
        return _("all alerts")
    try:
        return title_of(kind, subject_id)
    except NotFound:
        return subject_id


def _around(alert: Alert) -> Stretch:
    """Two weeks before the alert began until a little after it ended, in steps of half a day."""
    now = clock.now_ms()
    until = min(now, (alert.resolved_at or now) + DAY_MS) // DAY_MS * DAY_MS + DAY_MS
    since = (alert.firing_at or alert.started_at) // DAY_MS * DAY_MS - LEAD_MS
    step_ms = 12 * HOUR_MS if until - since <= 28 * DAY_MS else DAY_MS
    return Stretch(days=(until - since) // DAY_MS, since=since, until=until, step_ms=step_ms)


def _page(alert: Alert, *, form: NewSilence) -> str:
    me = viewer()
    record = show_alerts.show_record(services(), alert, viewer=me)
    around = find_posts.surroundings(services().db, record.stories, viewer=me)
    return render_template(
        "alerts/show.html",
        alert=alert,
        title=title_of(alert.subject_kind, alert.subject_id),
        entity=around.entities.get(int(alert.subject_id)) if alert.subject_kind == "entity" else None,
        rule=keep_rules.rule_names(services())[alert.rule_id],
        course=subject_trend.course(alert.subject_kind, alert.subject_id, stretch=_around(alert), past=[alert]),
        form=form,
        may_write=me.may("alerts:write"),
        **vars(record),
        **vars(around),
    )


@blueprint.get("/alerts/<number:alert_id>")
@requires("alerts:read")
def show(alert_id: int) -> str:
    """One alert, explaining itself."""
    return _page(ALERT.get(services().db, alert_id, viewer=viewer()), form=NewSilence(formdata=None))


@blueprint.post("/alerts/<number:alert_id>/acknowledge")
@requires("alerts:write")
def acknowledge(alert_id: int) -> Response:
    """Somebody has seen it, and says what is being done."""
    try:
        act_on_alert.acknowledge(services(), alert_id, viewer=viewer(), note=request.form.get("note", ""))
        flash(_("Acknowledged: others see that you have it."), "good")
    except Conflict as error:
        tell(error)
    return redirect(url_for("pages_alerts.show", alert_id=alert_id))


@blueprint.post("/alerts/<number:alert_id>/remark")
@requires("alerts:write")
def judge(alert_id: int) -> Response:
    """Was it useful, or a false alarm?"""
    remark = request.form.get("remark")
    if remark not in ("useful", "false_alarm"):
        raise InputError("invalid_input")
    act_on_alert.judge(services(), alert_id, viewer=viewer(), remark="useful" if remark == "useful" else "false_alarm")
    flash(_("Noted. The measured rate of false alarms counts it."), "good")
    return redirect(url_for("pages_alerts.show", alert_id=alert_id))


@blueprint.post("/alerts/missed/<kind>/<subject_id>")
@requires("alerts:write")
def missed(kind: str, subject_id: str) -> Response:
    """Bad news came, and nobody was told."""
    if kind not in get_args(SubjectKind):
        raise NotFound(noun="subject", id=kind)
    form = Missed()
    title_of(cast(SubjectKind, kind), subject_id)
    if form.validate_on_submit():
        act_on_alert.report_missed(
            services(),
            viewer=viewer(),
            subject_kind=cast(SubjectKind, kind),
            subject_id=subject_id,
            at=clock.now_ms() - int(form.hours.data) * HOUR_MS,
            comment=form.comment.data or "",
        )
        flash(_("Noted. The measured rate of missed surges counts it."), "good")
    else:
        flash(_("Say in a few words what happened."), "error")
    return redirect(access.safe_next(request.form.get("next"), fallback=url_for("pages_alerts.index")))


@blueprint.post("/alerts/<number:alert_id>/silence")
@requires("alerts:write")
def silence(alert_id: int) -> str | Response | tuple[str, int]:
    """Silence a subject for a while; the person and the reason are kept."""
    alert, form = ALERT.get(services().db, alert_id, viewer=viewer()), NewSilence()
    if not form.validate_on_submit():
        return _page(alert, form=form), 422
    given = {
        "subject_kind": alert.subject_kind,
        "subject_id": alert.subject_id,
        "until": clock.now_ms() + int(form.hours.data) * HOUR_MS,
        "comment": form.comment.data or "",
    }
    keep_silences.begin_silence(services().db, given, viewer=viewer())
    flash(_("Silenced: the alert stays on this page, and nobody is told until the silence ends."), "good")
    return redirect(url_for("pages_alerts.show", alert_id=alert_id))


@blueprint.post("/alerts/silences/<number:silence_id>/end")
@requires("alerts:write")
def end_silence(silence_id: int) -> Response:
    """End a silence now."""
    keep_silences.end_silence(services(), silence_id, viewer=viewer())
    flash(_("The silence has ended."), "good")
    return redirect(url_for("pages_alerts.index"))
