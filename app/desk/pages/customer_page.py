"""The page of a customer with their tickets, and the erasure of a customer."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from app.desk.flows import erase_customer, show_queues
from app.web.access import requires, services, viewer
from app.web.display.translation import ngettext

blueprint = Blueprint("pages_customers", __name__)


@blueprint.get("/customers/<number:customer_id>")
@requires("tickets:read")
def show(customer_id: int) -> str:
    """Show a customer with their tickets in sight."""
    me = viewer()
    return render_template(
        "customers/show.html",
        view=erase_customer.show(services(), customer_id, viewer=me),
        queues=show_queues.titles(services()),
        may_erase=me.may("*:*"),
    )


@blueprint.post("/customers/<number:customer_id>/erase")
@requires("settings:write")
def erase(customer_id: int) -> Response:
    """Erase a customer from the database for good."""
    n = erase_customer.erase(services(), customer_id, viewer=viewer())
    flash(ngettext("Erased, with %(num)s ticket of theirs.", "Erased, with %(num)s tickets of theirs.", n), "good")
    return redirect(url_for("pages_customers.show", customer_id=customer_id))
