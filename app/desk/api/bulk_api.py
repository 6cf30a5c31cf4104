"""One action on all tickets of a filter, counted first and undone as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, get_args

from flask import Response
from marshmallow import ValidationError, fields, validates_schema

from app.desk.api.ticket_filter_fields import PRIORITIES, STATUSES, FilterShape, filter_of, queue_id
from app.desk.domain.bulk import BulkAction, BulkOrder
from app.desk.flows import run_bulk_job
from app.web import access
from app.web.api import request_body
from app.web.api.api_shapes import Fault, Flag, GivenId, Json, OneOf, Shape, Size, Whole
from app.web.api.job_api import JobShape
from app.web.api.openapi import blueprint, route

group = blueprint("bulk", about="One action on all tickets of a filter.")


NEEDED: dict[BulkAction, tuple[str, ...]] = {
    "assign": ("assignee",),
    "route": ("queue",),
    "set_status": ("status",),
    "set_priority": ("priority",),
    "apply_macro": ("macro",),
    "correct": ("task", "label"),
}
"""The parameters that each action needs."""


class BulkParamsShape(Shape):
    """The parameters of an action; `assignee` null means nobody, `queue` is a slug."""

    assignee = GivenId("usr", allow_none=True)
    queue = fields.String()
    status = fields.String(validate=OneOf(STATUSES))
    priority = fields.String(validate=OneOf(PRIORITIES))
    macro = GivenId("mac")
    task = fields.String()
    label = fields.String()


class BulkShape(Shape):
    """A filter of tickets, in the words of the list's address, and the action on them."""

    told: ClassVar[Json] = {
        "anyOf": [
            {
                "required": ["params"],
                "properties": {"action": {"const": action}, "params": {"type": "object", "required": list(needed)}},
            }
            for action, needed in NEEDED.items()
        ]
    }

    filter = fields.Nested(FilterShape, load_default=dict)
    exclude_ids = fields.List(GivenId("tkt"), load_default=list, validate=Size(max=10_000))
    action = fields.String(required=True, validate=OneOf(get_args(BulkAction)))
    params = fields.Nested(BulkParamsShape, load_default=dict)
    dry_run = Flag(load_default=False, metadata={"description": "Only count the tickets."})

    @validates_schema
    def _knows_enough(self, data: Mapping[str, Any], **_: Any) -> None:
        missing = [name for name in NEEDED.get(data["action"], ()) if name not in data["params"]]
        if missing:
            raise ValidationError({"params": {name: [Fault("required")] for name in missing}})


class BulkAnswerShape(Shape):
    """The number of tickets and the job that changes them; no job for a dry run."""

    dry_run = Flag()
    total = Whole()
    job = fields.Nested(JobShape, allow_none=True)


@route(
    group,
    "/tickets/bulk",
    method="POST",
    needs="tickets:write",
    reads=BulkShape,
    returns=BulkAnswerShape,
    status=202,
    also=(404, 424),
)
def start_bulk(payload: Json) -> Response:
    """Start one action on all tickets of a filter as a job; with `dry_run` they are only counted."""
    services, viewer = access.services(), access.viewer()
    order = _order(payload)
    total = run_bulk_job.count(services, order, viewer=viewer)
    job = None if payload["dry_run"] else run_bulk_job.begin(services, order, viewer=viewer)
    answer = request_body.answer(BulkAnswerShape().dump({"dry_run": payload["dry_run"], "total": total, "job": job}))
    answer.status_code = 200 if job is None else 202
    if job is not None:
        answer.headers["Location"] = f"/api/v1/jobs/job_{job.id}"
    return answer


@route(group, "/jobs/<id(job):job_id>/undo", method="POST", needs="tickets:write", returns=JobShape, status=202)
def undo_bulk(job_id: int) -> Any:
    """Undo a whole bulk job by another job; tickets changed since stay as they are and are its errors."""
    return run_bulk_job.undo(access.services(), job_id, viewer=access.viewer())


def _order(payload: Json) -> BulkOrder:
    asked, params = payload["params"], {}
    for name, key in (("assignee", "assignee_id"), ("macro", "macro_id")):
        if name in asked:
            params[key] = asked[name]
    params |= {name: asked[name] for name in ("status", "priority", "task", "label") if name in asked}
    if "queue" in asked:
        params["queue_id"] = queue_id(asked["queue"], pointer="/params/queue")
    chosen = filter_of(FilterShape().load({}) | payload["filter"])
    return run_bulk_job.order_of(chosen, action=payload["action"], params=params, exclude_ids=payload["exclude_ids"])
