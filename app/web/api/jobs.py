"""Long work, and the models in force."""

from __future__ import annotations

from typing import Any

from marshmallow import fields

from app.pipeline import models
from app.store import deployments, jobs
from app.web import auth
from app.web.api import lists
from app.web.openapi import blueprint, route
from app.web.schema import Id, Instant, PageQuery, Shape, Whole, page_of

group = blueprint("jobs", about="Long work: how far it is, and what failed.")
models_group = blueprint("models", about="Which model answers, what it can tell, and what was in force before.")


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


class LabelShape(Shape):
    """A label."""

    id = fields.String()
    title = fields.String()


class TaskShape(Shape):
    """A task of the model in force."""

    name = fields.String()
    role = fields.String()
    kind = fields.String()
    labels = fields.List(fields.Nested(LabelShape))


class DeploymentShape(Shape):
    """An artifact put into a slot."""

    id = Id("dep")
    model = fields.String()
    slot = fields.String()
    at = Instant()


class ModelsShape(Shape):
    """The model that answers, its tasks, and the history."""

    live = fields.String()
    tasks = fields.List(fields.Nested(TaskShape))
    deployments = fields.List(fields.Nested(DeploymentShape))


@route(group, "/jobs", needs="jobs:read", query=PageQuery, returns=page_of(JobShape, "JobPage"))
def list_jobs(query: dict[str, Any]) -> dict[str, Any]:
    """One's own jobs, newest first; administrators see everybody's."""
    viewer = auth.viewer()
    found = jobs.page(
        auth.services().db,
        limit=query["limit"],
        after=query["after"],
        user_id=None if viewer.may("*:*") else viewer.user_id or 0,
    )
    return lists.page(found, found.items)


@route(group, "/jobs/<id(job):job_id>", needs="jobs:read", returns=JobShape)
def show_job(job_id: int) -> Any:
    """One job."""
    return jobs.get(auth.services().db, job_id, viewer=auth.viewer())


@route(models_group, "/models", needs="models:read", returns=ModelsShape)
def show_models() -> dict[str, Any]:
    """The model in force."""
    services = auth.services()
    tasks = [
        {"name": task.name, "role": task.role, "kind": task.kind, "labels": models.labels(services, task.name)}
        for task in models.tasks(services)
    ]
    live = services.engine.model().artifact.manifest.id
    return {"live": live, "tasks": tasks, "deployments": deployments.every(services.db)}
