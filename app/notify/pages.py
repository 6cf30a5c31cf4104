"""The pages of receivers: their routes, every attempt to deliver, and a test message."""

from __future__ import annotations

from zoneinfo import available_timezones

from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from app.core import changes
from app.core.durations import HOUR_MS, MINUTE_MS, SECOND_MS
from app.core.errors import Conflict, InputError
from app.core.nouns import Fields
from app.notify.domain.notification import Notification, Receiver
from app.notify.flows import deliver_notifications, keep_receivers, show_receivers
from app.notify.flows.keep_receivers import RECEIVER
from app.notify.forms import EditReceiver, clock_text, minutes
from app.web import problem_sentences
from app.web.access import requires, services, viewer
from app.web.display.translation import gettext as _
from app.web.template_context import refused, tell, tell_changed

blueprint = Blueprint("pages_receivers", __name__)

Shown = str | Response | tuple[str, int]
SHOWN_ATTEMPTS = 10
SAME_FIELDS = ("name", "group_by", "zone", "locale", "is_active")
TIMES = ("quiet_from", "quiet_until", "digest_at")
UNITS = {
    "group_wait_seconds": ("group_wait_ms", SECOND_MS),
    "repeat_hours": ("repeat_ms", HOUR_MS),
    "escalate_minutes": ("escalate_ms", MINUTE_MS),
}
"""The field of a receiver that each of these fields of the form is about, and its unit."""


@blueprint.get("/receivers")
@requires("receivers:read")
def index() -> str:
    """Every receiver with its route and its latest notification."""
    found = show_receivers.list_receivers(services())
    return render_template(
        "receivers/index.html",
        receivers=found,
        latest=show_receivers.latest_notifications(services(), found),
        shown_url=keep_receivers.shown_url,
        fault=_fault,
        may_write=viewer().may("receivers:write"),
    )


def _fault(notification: Notification, receiver: Receiver) -> str:
    code = notification.last_error or ""
    return problem_sentences.fault_of_call(code, keep_receivers.shown_url(receiver)) if code else ""


def _form_values(receiver: Receiver) -> Fields:
    """Return a receiver in the units of the form; its address may hold secrets and is not shown again."""
    return {
        **{name: getattr(receiver, name) for name in ("kind", *SAME_FIELDS)},
        **{name: clock_text(getattr(receiver, name)) for name in TIMES},
        **{field: getattr(receiver, name) // unit for field, (name, unit) in UNITS.items()},
        "url": "",
        "verbs": ", ".join(receiver.verbs),
        "matchers": "\n".join('{name} {op} "{value}"'.format(**matcher) for matcher in receiver.matchers),
    }


def _given(form: EditReceiver) -> Fields:
    """Return the fields of the receiver that a form describes; an address that is left empty stays as it is."""
    url = (form.url.data or "").strip()
    return {
        **({"url": url} if url else {}),
        **{name: form[name].data for name in SAME_FIELDS},
        **{name: minutes(form[name].data) for name in TIMES},
        **{name: (form[field].data or 0) * unit for field, (name, unit) in UNITS.items()},
        "verbs": tuple(verb.strip() for verb in (form.verbs.data or "").split(",") if verb.strip()),
        "matchers": form.matchers.data or "",
    }


def _form_page(form: EditReceiver, *, receiver: Receiver | None = None) -> str:
    page = receiver and show_receivers.list_notifications(
        services(), receiver.id, limit=SHOWN_ATTEMPTS, after=request.args.get("after")
    )
    return render_template(
        "receivers/show.html",
        form=form,
        receiver=receiver,
        page=page,
        attempts={one.id: show_receivers.list_attempts(services(), one.id) for one in page.items} if page else {},
        shown_url=keep_receivers.shown_url(receiver) if receiver else "",
        reason=problem_sentences.reason,
        zones=sorted(available_timezones()),
        secret=session.pop("receiver_secret", "") if receiver else "",
        may_write=viewer().may("receivers:write"),
    )


@blueprint.route("/receivers/new", methods=["GET", "POST"])
@requires("receivers:write")
def new() -> Shown:
    """Add a receiver."""
    form = EditReceiver(data=_form_values(Receiver(id=0, name="", kind="apprise", url="")))
    if not form.is_submitted():
        return _form_page(form)
    if not form.validate():
        return _form_page(form), 422
    try:
        made = changes.add(services().db, RECEIVER, {**_given(form), "kind": form.kind.data}, viewer=viewer()).row
    except InputError as error:
        return refused(error, lambda: _form_page(form))
    if made.kind in ("webhook", "alertmanager"):
        session["receiver_secret"] = made.secret
    flash(_("“%(name)s” is told from now on. Send a test message to see that it arrives.", name=made.name), "good")
    return redirect(url_for("pages_receivers.show", receiver_id=made.id))


@blueprint.get("/receivers/<number:receiver_id>")
@requires("receivers:read")
def show(receiver_id: int) -> str:
    """A receiver's route, and what it was told."""
    receiver = RECEIVER.get(services().db, receiver_id, viewer=viewer())
    return _form_page(EditReceiver(formdata=None, data=_form_values(receiver)), receiver=receiver)


@blueprint.post("/receivers/<number:receiver_id>")
@requires("receivers:write")
def edit(receiver_id: int) -> Shown:
    """Change a receiver's route."""
    receiver = RECEIVER.get(services().db, receiver_id, viewer=viewer())
    form = EditReceiver()
    form.kind.data = receiver.kind
    if not form.validate():
        return _form_page(form, receiver=receiver), 422
    try:
        made = changes.change(services().db, RECEIVER, receiver_id, _given(form), viewer=viewer())
    except InputError as error:
        return refused(error, lambda: _form_page(form, receiver=receiver))
    back = url_for("pages_receivers.show", receiver_id=receiver_id)
    tell_changed(_("Saved."), event=made.event, back=back)
    return redirect(back)


@blueprint.post("/receivers/<number:receiver_id>/test")
@requires("receivers:write")
def test(receiver_id: int) -> Response:
    """Send a message that alarms nobody."""
    keep_receivers.queue_test(services(), receiver_id, viewer=viewer())
    flash(_("A test message is on its way; how it went is listed below in a moment."), "good")
    return redirect(url_for("pages_receivers.show", receiver_id=receiver_id))


@blueprint.post("/receivers/<number:receiver_id>/delete")
@requires("receivers:write")
def delete(receiver_id: int) -> Response:
    """Remove a receiver with what is queued for it."""
    changes.remove(services().db, RECEIVER, receiver_id, viewer=viewer())
    flash(_("The receiver is removed."), "good")
    return redirect(url_for("pages_receivers.index"))


@blueprint.post("/receivers/notifications/<number:notification_id>/again")
@requires("receivers:write")
def again(notification_id: int) -> Response:
    """Send a notification once more."""
    receiver_id = show_receivers.get_notification(services(), notification_id).receiver_id
    try:
        deliver_notifications.send_again(services(), notification_id, viewer=viewer())
        flash(_("It is sent again, under the same key."), "good")
    except Conflict as error:
        tell(error)
    return redirect(url_for("pages_receivers.show", receiver_id=receiver_id))
