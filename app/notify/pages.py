"""Receivers: who is told of what by which route, how every attempt went, and a message to try one out."""

from __future__ import annotations

from typing import Any
from zoneinfo import available_timezones

from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from app.core.durations import HOUR_MS, MINUTE_MS
from app.core.errors import Conflict, InputError
from app.notify.domain.notification import Notification, Receiver
from app.notify.flows import deliver_notifications as delivery
from app.notify.flows import keep_receivers as flow
from app.notify.forms import EditReceiver, clock_text, minutes
from app.notify.store import notifications, receivers
from app.web import problem_sentences
from app.web.access import requires, services, viewer
from app.web.display.translation import gettext as _
from app.web.template_context import refused, tell

blueprint = Blueprint("pages_receivers", __name__)

Shown = str | Response | tuple[str, int]
SHOWN_ATTEMPTS = 10


@blueprint.get("/receivers")
@requires("receivers:read")
def index() -> str:
    """Every receiver with its route and its latest notification."""
    db = services().db
    found = receivers.every(db)
    latest = {one.id: notifications.page(db, receiver_id=one.id, limit=1).items for one in found}
    return render_template(
        "receivers/index.html",
        receivers=found,
        latest={receiver_id: items[0] for receiver_id, items in latest.items() if items},
        shown_url=flow.shown_url,
        fault=_fault,
        may_write=viewer().may("receivers:write"),
    )


def _fault(notification: Notification, receiver: Receiver) -> str:
    code = notification.last_error or ""
    return problem_sentences.fault_of_call(code, flow.shown_url(receiver)) if code else ""


def _values(receiver: Receiver) -> dict[str, Any]:
    """The receiver in the units of the form; its address may hold secrets and is not shown again."""
    return {
        "name": receiver.name,
        "kind": receiver.kind,
        "url": "",
        "verbs": ", ".join(receiver.verbs),
        "matchers": "\n".join('{name} {op} "{value}"'.format(**matcher) for matcher in receiver.matchers),
        "group_by": receiver.group_by,
        "group_wait_seconds": receiver.group_wait_ms // 1000,
        "repeat_hours": receiver.repeat_ms // HOUR_MS,
        "escalate_minutes": receiver.escalate_ms // MINUTE_MS,
        "quiet_from": clock_text(receiver.quiet_from),
        "quiet_until": clock_text(receiver.quiet_until),
        "digest_at": clock_text(receiver.digest_at),
        "zone": receiver.zone,
        "locale": receiver.locale,
        "is_active": receiver.is_active,
    }


def _fields(form: EditReceiver) -> dict[str, Any]:
    """The form in the units of the receiver; an address that was left empty stays as it is."""
    url = (form.url.data or "").strip()
    return {
        "name": form.name.data,
        **({"url": url} if url else {}),
        "verbs": tuple(verb.strip() for verb in (form.verbs.data or "").split(",") if verb.strip()),
        "matchers": flow.matchers_of(form.matchers.data or ""),
        "group_by": form.group_by.data,
        "group_wait_ms": (form.group_wait_seconds.data or 0) * 1000,
        "repeat_ms": (form.repeat_hours.data or 0) * HOUR_MS,
        "escalate_ms": (form.escalate_minutes.data or 0) * MINUTE_MS,
        "quiet_from": minutes(form.quiet_from.data),
        "quiet_until": minutes(form.quiet_until.data),
        "digest_at": minutes(form.digest_at.data),
        "zone": form.zone.data,
        "locale": form.locale.data,
        "is_active": bool(form.is_active.data),
    }


def _form_page(form: EditReceiver, *, receiver: Receiver | None = None) -> str:
    db = services().db
    page = (
        None
        if receiver is None
        else notifications.page(db, receiver_id=receiver.id, limit=SHOWN_ATTEMPTS, after=request.args.get("after"))
    )
    return render_template(
        "receivers/show.html",
        form=form,
        receiver=receiver,
        page=page,
        attempts={one.id: notifications.attempts(db, one.id) for one in page.items} if page else {},
        shown_url=flow.shown_url(receiver) if receiver else "",
        reason=problem_sentences.reason,
        zones=sorted(available_timezones()),
        secret=session.pop("receiver_secret", "") if receiver else "",
        may_write=viewer().may("receivers:write"),
    )


@blueprint.route("/receivers/new", methods=["GET", "POST"])
@requires("receivers:write")
def new() -> Shown:
    """Add a receiver."""
    form = EditReceiver(data=_values(Receiver(id=0, name="", kind="apprise", url="")))
    if not form.is_submitted():
        return _form_page(form)
    if not form.validate():
        return _form_page(form), 422
    try:
        made, secret = flow.add(services(), viewer=viewer(), kind=form.kind.data, **{"url": "", **_fields(form)})
    except InputError as error:
        return refused(error, lambda: _form_page(form))
    if made.kind in ("webhook", "alertmanager"):
        session["receiver_secret"] = secret
    flash(_("“%(name)s” is told from now on. Send a test message to see that it arrives.", name=made.name), "good")
    return redirect(url_for("pages_receivers.show", receiver_id=made.id))


@blueprint.get("/receivers/<number:receiver_id>")
@requires("receivers:read")
def show(receiver_id: int) -> str:
    """A receiver's route, and what it was told."""
    receiver = receivers.get(services().db, receiver_id)
    return _form_page(EditReceiver(formdata=None, data=_values(receiver)), receiver=receiver)


@blueprint.post("/receivers/<number:receiver_id>")
@requires("receivers:write")
def edit(receiver_id: int) -> Shown:
    """Change a receiver's route."""
    receiver = receivers.get(services().db, receiver_id)
    form = EditReceiver()
    form.kind.data = receiver.kind
    if not form.validate():
        return _form_page(form, receiver=receiver), 422
    try:
        flow.change(services(), receiver_id, viewer=viewer(), changes=_fields(form))
    except InputError as error:
        return refused(error, lambda: _form_page(form, receiver=receiver))
    flash(_("Saved."), "good")
    return redirect(url_for("pages_receivers.show", receiver_id=receiver_id))


@blueprint.post("/receivers/<number:receiver_id>/test")
@requires("receivers:write")
def test(receiver_id: int) -> Response:
    """Send a message that alarms nobody."""
    flow.test(services(), receiver_id, viewer=viewer())
    flash(_("A test message is on its way; how it went is listed below in a moment."), "good")
    return redirect(url_for("pages_receivers.show", receiver_id=receiver_id))


@blueprint.post("/receivers/<number:receiver_id>/delete")
@requires("receivers:write")
def delete(receiver_id: int) -> Response:
    """Remove a receiver with what is queued for it."""
    flow.remove(services(), receiver_id, viewer=viewer())
    flash(_("The receiver is removed."), "good")
    return redirect(url_for("pages_receivers.index"))


@blueprint.post("/receivers/notifications/<number:notification_id>/again")
@requires("receivers:write")
def again(notification_id: int) -> Response:
    """Send a notification once more."""
    receiver_id = notifications.get(services().db, notification_id).receiver_id
    try:
        delivery.send_again(services(), notification_id, viewer=viewer())
        flash(_("It is sent again, under the same key."), "good")
    except Conflict as error:
        tell(error)
    return redirect(url_for("pages_receivers.show", receiver_id=receiver_id))
