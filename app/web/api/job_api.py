"""Jobs: the progress and the errors of long work."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from marshmallow import fields

from app.core.jobs import job_rows
from app.core.jobs.job import Job
from app.web import access
from app.web.api import api_lists
from app.web.api.api_shapes import Id, Instant, Json, PageQuery, Shape, Whole, page_of, row
from app.web.api.openapi import blueprint, route

group = blueprint("jobs", about="Long work: how far it is, and what failed.")


class JobShape(Shape):
    """A long piece of work; `errors` are its rows that failed."""

    id = Id("job")
    kind = fields.String()
    state = fields.String()
    n_total = Whole()
    n_done = Whole()
    n_failed = Whole()
    n_known = Whole(metadata={"description": "Rows that were there already."})
    errors = fields.List(fields.Dict())
    created_at = Instant()
    finished_at = Instant(allow_none=True)


def _out(job: Job) -> Json:
    return row(job, errors=[asdict(one) for one in job.errors])


@route(group, "/jobs", needs="jobs:read", query=PageQuery, returns=page_of(JobShape, "JobPage"))
def list_jobs(query: Json) -> Json:
    """One's own jobs, newest first; administrators see everybody's."""
    viewer = access.viewer()
    found = job_rows.page(
        access.services().db,
        limit=query["limit"],
        after=query["after"],
        user_id=None if viewer.may("*:*") else viewer.user_id or 0,
    )
    return api_lists.page(found, map(_out, found.items))


@route(group, "/jobs/<id(job):job_id>", needs="jobs:read", returns=JobShape)
def show_job(job_id: int) -> Any:
    """One job."""
    return _out(job_rows.get(access.services().db, job_id, viewer=access.viewer()))
