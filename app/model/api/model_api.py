"""The model in force: its tasks, and what was in force before."""

from __future__ import annotations

from marshmallow import fields

from app.model.flows import deploy_model
from app.web import access
from app.web.api.api_shapes import Id, Instant, Json, Shape
from app.web.api.openapi import blueprint, route

group = blueprint("models", about="Which model answers, what it can tell, and what was in force before.")


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


@route(group, "/models", needs="models:read", returns=ModelsShape)
def show_models() -> Json:
    """The model in force."""
    services = access.services()
    tasks = [
        {"name": task.name, "role": task.role, "kind": task.kind, "labels": deploy_model.labels(services, task.name)}
        for task in deploy_model.tasks(services)
    ]
    live = services.engine.model().artifact.manifest.id
    return {"live": live, "tasks": tasks, "deployments": deploy_model.list_deployments(services)}
