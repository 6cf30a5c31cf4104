"""Tickets: filed as JSON or mail, listed, shown, changed, answered and corrected."""

from __future__ import annotations

from typing import Any, ClassVar, get_args

from flask import Response
from marshmallow import ValidationError, fields

from app.core import changes
from app.core.errors import Stale
from app.core.nouns import Fields
from app.desk.api.ticket_filter_fields import PRIORITIES, STATUSES, FilterShape, filter_of, queue_id
from app.desk.api.ticket_shapes import (
    TicketDetailShape,
    TicketPageShape,
    TicketShape,
    detail_out,
    ticket_out,
    tickets_out,
)
from app.desk.domain.ticket import Channel, Sort, Tier
from app.desk.flows import act_on_ticket, correct_message, file_ticket, find_ticket_parts, read_drafts, show_inbox
from app.desk.flows.act_on_ticket import TICKET
from app.desk.flows.mail import take_mail
from app.intents.flows import correct_prediction
from app.web import access, error_rendering
from app.web.api import api_lists
from app.web.api import request_body as body
from app.web.api.api_shapes import (
    ChangeShape,
    Fault,
    Flag,
    GivenId,
    GivenInstant,
    Id,
    Instant,
    Json,
    OneOf,
    PageQuery,
    Shape,
    Size,
)
from app.web.api.openapi import blueprint, route

group = blueprint("tickets", about="Customers' messages: what they want, how they feel, where they go.")

MAIL = "message/rfc822"


class TicketQuery(PageQuery, FilterShape):
    """A filter of tickets and their order; the same words as in the inbox's address."""

    sort = fields.String(load_default="risk", validate=OneOf(get_args(Sort)))


class OwnName(fields.Raw):
    """The id of a ticket in another system: text, or a number."""

    described: ClassVar[Json] = {
        "anyOf": [{"type": "string", "maxLength": read_drafts.LONGEST_ID}, {"type": "integer"}]
    }

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> Any:
        if isinstance(value, bool) or not isinstance(value, str | int | float) or value != value:
            raise ValidationError(Fault("not_text"))
        if isinstance(value, float) and not value.is_integer():
            raise ValidationError(Fault("not_text"))
        return value


class NewCustomerShape(Shape):
    """The customer who writes."""

    name = fields.String(allow_none=True, validate=Size(max=200))
    email = fields.String(allow_none=True, validate=Size(max=320))
    tier = fields.String(allow_none=True, validate=OneOf((*get_args(Tier), None)))


class NewTicketShape(Shape):
    """A ticket to file; its text stands in one of four fields. Mail goes in as `message/rfc822`."""

    needs_one = BODIES = ("body", "text", "description", "message")

    subject = fields.String(allow_none=True, validate=Size(max=500))
    body = fields.String(validate=Size(min=1))
    text = fields.String(validate=Size(min=1))
    description = fields.String(validate=Size(min=1))
    message = fields.String(validate=Size(min=1))
    channel = fields.String(allow_none=True, validate=OneOf((*get_args(Channel), None)))
    queue = fields.String(
        allow_none=True, validate=Size(max=100), metadata={"description": "The slug of the queue it arrives in."}
    )
    external_id = OwnName(allow_none=True, metadata={"description": "Yours; the same again is an update."})
    is_html = Flag(allow_none=True)
    customer = fields.Nested(NewCustomerShape, allow_none=True)
    occurred_at = GivenInstant(allow_none=True)


class TicketChangeShape(ChangeShape):
    """The fields of a ticket to change; the others stay."""

    subject = fields.String(validate=Size(min=1, max=500))
    status = fields.String(validate=OneOf(STATUSES))
    priority = fields.String(validate=OneOf(PRIORITIES))
    queue = fields.String(validate=Size(min=1))
    assignee = GivenId("usr", allow_none=True)
    tags = fields.List(fields.String(validate=Size(min=1, max=60)), validate=Size(max=50))


class NewMessageShape(Shape):
    """A reply to the customer, or a note that only agents see."""

    kind = fields.String(load_default="outgoing", validate=OneOf(("outgoing", "note")))
    body = fields.String(required=True, validate=Size(min=1, max=100_000))
    macro = GivenId("mac", load_default=None)
    macro_actions = Flag(load_default=False, metadata={"description": "Whether the macro's actions are done too."})
    status = fields.String(load_default=None, validate=OneOf(STATUSES))


class NewCorrectionShape(Shape):
    """The right label of a prediction, named by its id or by its task."""

    needs_one = ("prediction", "task")

    label = fields.String(required=True, validate=Size(min=1, max=200))
    prediction = GivenId("prd")
    task = fields.String(validate=Size(min=1, max=100))


class CorrectionShape(Shape):
    """A person's label in place of the model's."""

    id = Id("cor")
    prediction = Id("prd", attribute="prediction_id")
    task = fields.String()
    label_before = fields.String()
    label = fields.String()
    model = fields.String()
    created_at = Instant()


class ReceiptShape(Shape):
    """The receipt for a message that joined a ticket out of the sender's sight."""

    id = Id("tkt")
    is_reduced = Flag()


@route(group, "/tickets", needs="tickets:read", query=TicketQuery, returns=TicketPageShape)
def list_tickets(query: Json) -> Json:
    """List the tickets in sight, those at the highest risk first."""
    services, viewer = access.services(), access.viewer()
    chosen, paging = filter_of(query), {name: query[name] for name in ("limit", "after", "sort")}
    found = show_inbox.page(services, chosen, viewer=viewer, **paging)
    return api_lists.page(found, tickets_out(services, found.items))


@route(
    group,
    "/tickets",
    method="POST",
    needs="messages:write",
    returns=TicketShape,
    status=201,
    is_large=True,
    docs={
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": NewTicketShape}, MAIL: {"schema": {"type": "string"}}},
        }
    },
)
def add_ticket() -> Response:
    """File a ticket; 201 for a new one, 200 when it belongs to one that is there already.

    Who may not read the ticket that a mail belongs to gets its id and nothing else.
    """
    services, viewer = access.services(), access.viewer()
    if body.media_type() == MAIL:
        received = take_mail.take_mail(services, body.raw(), viewer=viewer, source="API")
    else:
        draft = read_drafts.ticket_from_json(body.read_shape(NewTicketShape(), accepted=(body.JSON, MAIL)))
        received = file_ticket.receive(services, draft, viewer=viewer)
    status = 201 if received.is_new else 200
    if not received.is_in_sight:
        return api_lists.tagged(ReceiptShape, {"id": received.ticket.id, "is_reduced": True}, version=0, status=status)
    made = ticket_out(services, received.ticket)
    answer = api_lists.tagged(TicketShape, made, version=received.ticket.version, status=status)
    answer.headers["Location"] = f"/api/v1/tickets/tkt_{received.ticket.id}"
    return answer


@route(group, "/tickets/<id(tkt):ticket_id>", needs="tickets:read", returns=TicketDetailShape)
def show_ticket(ticket_id: int) -> Response:
    """Show a ticket with its messages and their predictions."""
    services = access.services()
    view = file_ticket.show(services, ticket_id, viewer=access.viewer())
    return api_lists.tagged(TicketDetailShape, detail_out(services, view), version=view.ticket.version)


@route(
    group,
    "/tickets/<id(tkt):ticket_id>",
    method="PATCH",
    needs="tickets:write",
    reads=TicketChangeShape,
    is_versioned=True,
    returns=TicketShape,
)
def change_ticket(payload: Json, *, ticket_id: int) -> Response:
    """Change a ticket; 412 with the current ticket and the difference when `If-Match` names an older version."""
    services, viewer = access.services(), access.viewer()
    wanted = _wanted(payload)
    try:
        version = api_lists.expected_version()
        ticket = changes.change(services.db, TICKET, ticket_id, wanted, viewer=viewer, version=version).row
    except Stale as error:
        current = ticket_out(services, TICKET.get(services.db, ticket_id, viewer=viewer))
        shown = TicketShape().dump(current)
        difference = {name: {"sent": payload[name], "current": shown[name]} for name in payload if name in shown}
        return error_rendering.as_json(error_rendering.of(error, current=shown, difference=difference))
    return api_lists.tagged(TicketShape, ticket_out(services, ticket), version=ticket.version)


@route(
    group,
    "/tickets/<id(tkt):ticket_id>/messages",
    method="POST",
    needs="tickets:write",
    reads=NewMessageShape,
    is_versioned=True,
    returns=TicketShape,
    status=201,
)
def add_message(payload: Json, *, ticket_id: int) -> Response:
    """Reply to the customer, or add a note."""
    services, viewer, version = access.services(), access.viewer(), api_lists.expected_version()
    if payload["kind"] == "note":
        made = act_on_ticket.note(services, ticket_id, viewer=viewer, body=payload["body"], version=version)
    else:
        made = act_on_ticket.reply(
            services,
            ticket_id,
            viewer=viewer,
            body=payload["body"],
            macro_id=payload["macro"],
            with_actions=payload["macro_actions"],
            status=payload["status"],
            version=version,
        )
    return api_lists.tagged(TicketShape, ticket_out(services, made.row), version=made.row.version, status=201)


@route(
    group,
    "/tickets/<id(tkt):ticket_id>/corrections",
    method="POST",
    needs="tickets:write",
    reads=NewCorrectionShape,
    returns=CorrectionShape,
    status=201,
)
def correct(payload: Json, *, ticket_id: int) -> Any:
    """Correct a prediction; the correction becomes a training example."""
    services, viewer = access.services(), access.viewer()
    label, prediction_id = payload["label"], payload.get("prediction")
    if prediction_id is None:
        return correct_message.correct(services, ticket_id, viewer=viewer, label=label, task=payload.get("task")).row
    said = find_ticket_parts.prediction(services, prediction_id, viewer=viewer, ticket_id=ticket_id)
    return correct_prediction.correct_stored(services, said.stored, viewer=viewer, label=label).row


def _wanted(payload: Json) -> Fields:
    fields_of = {"queue": "queue_id", "assignee": "assignee_id"}
    wanted = {fields_of.get(name, name): value for name, value in payload.items()}
    if "queue" in payload:
        wanted["queue_id"] = queue_id(payload["queue"], pointer="/queue")
    return wanted
