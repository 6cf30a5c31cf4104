"""The filter of tickets in the address of the list, of exports and in bulk jobs."""

from __future__ import annotations

from typing import cast, get_args

from marshmallow import fields

from app.core.errors import InputError
from app.core.prediction import Band
from app.desk.domain.ticket import OPEN_STATUSES, Priority, SlaName, Status, TicketFilter
from app.desk.flows import show_queues
from app.web import access
from app.web.api.api_shapes import Flag, GivenId, Json, OneOf, Shape, Size, field_error

STATUSES = get_args(Status)
PRIORITIES = get_args(Priority)
ANY = "any"


class FilterShape(Shape):
    """A filter of tickets; the same words as in the inbox's address."""

    status = fields.String(
        load_default="",
        metadata={
            "description": "Comma separated, `any` for all; open ones.",
            "pattern": "^(any|{one}(, ?{one})*)?$".format(one="(" + "|".join(STATUSES) + ")"),
        },
    )
    queue = fields.String(load_default=None, validate=Size(min=1, max=100), metadata={"description": "A queue's slug."})
    intent = fields.String(load_default=None)
    sentiment = fields.String(load_default=None)
    priority = fields.String(load_default=None, validate=OneOf(PRIORITIES))
    band = fields.String(load_default=None, validate=OneOf(get_args(Band)))
    assignee = GivenId("usr", load_default=None)
    unassigned = Flag(load_default=False)
    needs_person = Flag(load_default=None)
    language = fields.String(load_default=None)
    sla = fields.String(load_default=None, validate=OneOf(get_args(SlaName)))
    q = fields.String(load_default="", validate=Size(max=200))


def filter_of(query: Json) -> TicketFilter:
    """The filter of a query or a body; raises InputError with the fields at fault."""
    return TicketFilter(
        status=_statuses(query["status"]),
        queue_id=None if query["queue"] is None else queue_id(query["queue"], pointer="/queue"),
        intent=query["intent"],
        sentiment=query["sentiment"],
        priority=query["priority"],
        band=query["band"],
        assignee_id=query["assignee"],
        is_unassigned=query["unassigned"],
        needs_person=query["needs_person"],
        language=query["language"],
        sla=query["sla"],
        query=query["q"],
    )


def _statuses(text: str) -> tuple[Status, ...]:
    if not text:
        return OPEN_STATUSES
    if text == ANY:
        return cast("tuple[Status, ...]", STATUSES)
    asked = tuple(part.strip() for part in text.split(","))
    for status in asked:
        if status not in STATUSES:
            fault = field_error("/status", "unknown_choice", value=status, choices=(*STATUSES, ANY))
            raise InputError(fields=(fault,))
    return cast("tuple[Status, ...]", asked)


def queue_id(slug: str, *, pointer: str) -> int:
    """The id of the queue with a slug; raises InputError that points at the field unless the queue is in sight."""
    found = show_queues.find(access.services(), slug, viewer=access.viewer())
    if found is None:
        raise InputError(fields=(field_error(pointer, "unknown_queue", value=slug),))
    return found.id
