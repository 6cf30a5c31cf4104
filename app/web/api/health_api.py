"""Health checks: liveness and readiness."""

from __future__ import annotations

import logging
from typing import Any

from flask import Response
from marshmallow import fields

from app.core.errors import BellwetherError, NotReady
from app.web import access, error_rendering
from app.web.api.api_shapes import Shape
from app.web.api.openapi import blueprint, route

LOG = logging.getLogger("bellwether")

group = blueprint("health", about="Liveness and readiness, for whoever restarts or balances.", prefix="/health")


class HealthShape(Shape):
    """The parts that work, each `ok` or the code of what is wrong."""

    status = fields.String()
    database = fields.String()
    model = fields.String()


@route(group, "/live", needs=access.PUBLIC, returns=HealthShape)
def live() -> dict[str, str]:
    """Answer while the process is alive."""
    return {"status": "ok"}


@route(group, "/ready", needs=access.PUBLIC, returns=HealthShape)
def ready() -> dict[str, str] | Response:
    """Check that the model answers and the database can be written to; 503 says which does not, and why."""
    return _ready()


@route(group, "", needs=access.PUBLIC, returns=HealthShape)
def health() -> dict[str, str] | Response:
    """The same as /health/ready."""
    return _ready()


def _ready() -> dict[str, str] | Response:
    services = access.services()
    database = _fault(lambda: services.db.check())
    model = _fault(lambda: services.engine.model())
    worst = database or model
    if worst is None:
        return {"status": "ok", "database": "ok", "model": "ok"}
    parts = {"database": _code(database), "model": _code(model)}
    # Anybody may ask, so folders and files stay in the log; the code says what is wrong.
    LOG.warning("Not ready: %s %s", worst.code, dict(worst.params))
    return error_rendering.as_json(error_rendering.of(NotReady(), **parts))


def _fault(check: Any) -> BellwetherError | None:
    try:
        check()
    except BellwetherError as error:
        return error
    return None


def _code(error: BellwetherError | None) -> str:
    return "ok" if error is None else error.code
