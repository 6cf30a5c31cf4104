"""Long work, and the models in force."""

from __future__ import annotations

from typing import Any

from marshmallow import fields

from app.core.jobs import job_rows
from app.model.flows import deploy_model
from app.model.store import deployments
from app.web import access
from app.web.api import api_lists
from app.web.api.api_shapes import Id, Instant, PageQuery, Shape, Whole, page_of
from app.web.api.openapi import blueprint, route

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
    viewer = access.viewer()
    found = job_rows.page(
        access.services().db,
        limit=query["limit"],
        after=query["after"],
        user_id=None if viewer.may("*:*") else viewer.user_id or 0,
    )
    return api_lists.page(found, found.items)


@route(group, "/jobs/<id(job):job_id>", needs="jobs:read", returns=JobShape)
def show_job(job_id: int) -> Any:
    """One job."""
    return job_rows.get(access.services().db, job_id, viewer=access.viewer())


@route(models_group, "/models", needs="models:read", returns=ModelsShape)
def show_models() -> dict[str, Any]:
    """The model in force."""
    services = access.services()
    tasks = [
        {"name": task.name, "role": task.role, "kind": task.kind, "labels": deploy_model.labels(services, task.name)}
        for task in deploy_model.tasks(services)
    ]
    live = services.engine.model().artifact.manifest.id
    return {"live": live, "tasks": tasks, "deployments": deployments.every(services.db)}
