"""New tickets from a form and from saved mail."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from app.core.errors import InputError
from app.desk.flows import file_ticket, read_drafts, show_queues
from app.desk.flows.file_ticket import Received
from app.desk.flows.mail import take_mail
from app.desk.forms import MailFile, NewTicket
from app.web.access import requires, services, viewer
from app.web.display.translation import gettext as _
from app.web.security import large_body
from app.web.template_context import refused

blueprint = Blueprint("pages_incoming", __name__)

Shown = str | Response | tuple[str, int]
LONGEST_SOURCE = 120


def _form() -> NewTicket:
    form = NewTicket()
    form.queue.choices = [(queue.slug, queue.title) for queue in show_queues.every(services(), viewer=viewer())]
    return form


def _page(*, form: NewTicket | None = None, mail: MailFile | None = None) -> str:
    return render_template("tickets/new.html", form=form or _form(), mail=mail or MailFile(formdata=None))


@blueprint.get("/tickets/new")
@requires("tickets:write")
def new() -> Shown:
    """Show an empty form."""
    return _page()


def _led_to(received: Received) -> Response:
    if not received.is_in_sight:
        flash(_("The message joined a ticket of another team, which you cannot open."), "info")
        return redirect(url_for("pages_inbox.index"))
    if not received.is_new:
        flash(_("This was taken in before; here it is."), "info")
    elif received.ticket.n_messages > 1:
        flash(_("The message joined its thread."), "good")
    return redirect(url_for("pages_tickets.show", ticket_id=received.ticket.id))


@blueprint.post("/tickets/new")
@requires("tickets:write")
def take() -> Shown:
    """Take a ticket that was typed in."""
    form = _form()
    if not form.validate_on_submit():
        return _page(form=form), 422
    names = ("customer_name", "customer_email", "customer_tier", "queue", "subject", "body")
    fields = {name: form[name].data for name in names if form[name].data}
    try:
        return _led_to(file_ticket.receive(services(), read_drafts.ticket_from_form(fields), viewer=viewer()))
    except InputError as error:
        return refused(error, lambda: _page(form=form))


@blueprint.post("/tickets/mail")
@requires("tickets:write")
@large_body
def mail() -> Shown:
    """Take a saved mail message (RFC 5322)."""
    form = MailFile()
    if not form.validate_on_submit():
        return _page(mail=form), 422
    file = form.file.data
    source = file.filename[:LONGEST_SOURCE]
    try:
        return _led_to(take_mail.take_mail(services(), file.read(), viewer=viewer(), source=source))
    except InputError as error:
        return refused(error, lambda: _page(mail=form))
