"""The shapes of tickets in the API, and their values."""

from __future__ import annotations

from collections.abc import Iterable

from marshmallow import fields

from app.core.prediction import StoredPrediction
from app.core.services import Services
from app.desk.domain.ticket import Ticket
from app.desk.flows import show_inbox, show_queues
from app.desk.flows.file_ticket import TicketView
from app.web.api.api_shapes import Flag, Id, Instant, Json, Number, Shape, Whole, page_of, row


class CustomerShape(Shape):
    """The customer who writes."""

    id = Id("cus")
    name = fields.String()
    email = fields.String(allow_none=True)
    tier = fields.String()


class IntentShape(Shape):
    """The intent in force; `source` is the model or an agent."""

    task = fields.String(allow_none=True)
    label = fields.String(allow_none=True)
    score = Number(allow_none=True)
    band = fields.String(allow_none=True)
    source = fields.String()


class SentimentShape(Shape):
    """The sentiment in force; `value` is P(positive) − P(negative)."""

    label = fields.String(allow_none=True)
    value = Number(allow_none=True)


class UrgencyPartShape(Shape):
    """One reason for an urgency."""

    code = fields.String()
    points = Whole()


class UrgencyShape(Shape):
    """Urgency 0–100, the sum of its parts."""

    points = Whole()
    priority = fields.String()
    parts = fields.List(fields.Nested(UrgencyPartShape))


class TicketShape(Shape):
    """A conversation with one customer about one matter."""

    id = Id("tkt")
    external_id = fields.String(allow_none=True)
    subject = fields.String()
    preview = fields.String()
    channel = fields.String()
    status = fields.String()
    priority = fields.String()
    queue = fields.String(metadata={"description": "The queue's slug."})
    customer = fields.Nested(CustomerShape)
    assignee = Id("usr", allow_none=True)
    intent = fields.Nested(IntentShape)
    sentiment = fields.Nested(SentimentShape)
    emotion = fields.String(allow_none=True)
    needs_person = Flag(metadata={"description": "The model abstained or cannot read the language."})
    language = fields.String()
    urgency = fields.Nested(UrgencyShape, allow_none=True)
    tags = fields.List(fields.String())
    n_messages = Whole()
    created_at = Instant()
    updated_at = Instant()
    first_response_due_at = Instant(allow_none=True)
    first_responded_at = Instant(allow_none=True)
    resolution_due_at = Instant(allow_none=True)
    solved_at = Instant(allow_none=True)
    version = Whole()


class ScoredLabelShape(Shape):
    """A label with its calibrated probability."""

    label = fields.String()
    score = Number(attribute="probability")


class PredictionShape(Shape):
    """A prediction of the model about one message."""

    id = Id("prd")
    task = fields.String()
    role = fields.String()
    model = fields.String()
    label = fields.String()
    score = Number(attribute="probability")
    band = fields.String()
    band_precision = Number(allow_none=True)
    abstained = Flag()
    ranking = fields.List(fields.Nested(ScoredLabelShape), attribute="top")


class DeliveryShape(Shape):
    """The delivery of an outgoing message by mail: waiting, sending, sent, failed or bounced."""

    state = fields.String()
    recipient = fields.String()
    n_attempts = Whole()
    error = fields.String(attribute="last_error", allow_none=True)
    sent_at = Instant(allow_none=True)


class MessageShape(Shape):
    """One message of a thread; in its `body` masks stand for what was redacted."""

    id = Id("msg")
    kind = fields.String()
    author_kind = fields.String()
    author_name = fields.String()
    body = fields.String()
    language = fields.String()
    is_supported = Flag()
    n_redactions = Whole()
    occurred_at = Instant()
    received_at = Instant()
    predictions = fields.List(fields.Nested(PredictionShape))
    delivery = fields.Nested(DeliveryShape, allow_none=True)


class SlaShape(Shape):
    """The state of the SLA clock: ok, at_risk, breached, paused or met."""

    name = fields.String()
    left_ms = Whole(allow_none=True)


class TicketDetailShape(TicketShape):
    """A ticket with its thread."""

    sla = fields.Nested(SlaShape)
    messages = fields.List(fields.Nested(MessageShape))


TicketPageShape = page_of(TicketShape, "TicketPage")


def tickets_out(services: Services, tickets: Iterable[Ticket]) -> list[Json]:
    """Tickets with their queues' slugs and their customers, looked up once for all of them."""
    listed = list(tickets)
    slugs, known = show_queues.slugs(services), show_inbox.customers_of(services, listed)
    return [
        row(
            ticket,
            queue=slugs.get(ticket.queue_id, ""),
            customer=known.get(ticket.customer_id),
            assignee=ticket.assignee_id,
            intent={
                "task": ticket.intent_task,
                "label": ticket.intent,
                "score": ticket.intent_probability,
                "band": ticket.intent_band,
                "source": ticket.intent_source,
            },
            sentiment={"label": ticket.sentiment, "value": ticket.sentiment_score},
        )
        for ticket in listed
    ]


def ticket_out(services: Services, ticket: Ticket) -> Json:
    """One ticket."""
    return tickets_out(services, [ticket])[0]


def prediction_out(stored: StoredPrediction) -> Json:
    """A stored prediction."""
    return row(stored.prediction, id=stored.id)


def detail_out(services: Services, view: TicketView) -> Json:
    """A ticket with its thread and its predictions."""
    messages = [
        row(
            message,
            predictions=[prediction_out(found) for found in view.predictions.get(message.id, ())],
            delivery=view.letters.get(message.id),
        )
        for message in view.messages
    ]
    return {**ticket_out(services, view.ticket), "sla": view.sla, "messages": messages}
