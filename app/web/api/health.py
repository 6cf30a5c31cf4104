"""Whether the process lives, and whether it can do its work."""

from __future__ import annotations

import logging
from typing import Any

from flask import Response
from marshmallow import fields

from app.errors import BellwetherError, NotReady
from app.web import auth, errors
from app.web.openapi import blueprint, route
from app.web.schema import Shape

LOG = logging.getLogger("bellwether")

group = blueprint("health", about="Liveness and readiness, for whoever restarts or balances.", prefix="/health")


class HealthShape(Shape):
    """The parts that work, each `ok` or the code of what is wrong."""

    status = fields.String()
    database = fields.String()
    model = fields.String()


@route(group, "/live", needs=auth.PUBLIC, returns=HealthShape)
def live() -> dict[str, str]:
    """Whether the process answers at all."""
    return {"status": "ok"}


@route(group, "/ready", needs=auth.PUBLIC, returns=HealthShape)
def ready() -> dict[str, str] | Response:
    """Whether the model answers and the database can be written to; 503 says which does not and why."""
    return _ready()


@route(group, "", needs=auth.PUBLIC, returns=HealthShape)
def health() -> dict[str, str] | Response:
    """The same as /health/ready."""
    return _ready()


def _ready() -> dict[str, str] | Response:
    services = auth.services()
    database = _fault(lambda: services.db.check())
    model = _fault(lambda: services.engine.model())
    worst = database or model
    if worst is None:
        return {"status": "ok", "database": "ok", "model": "ok"}
    parts = {"database": _code(database), "model": _code(model)}
    # Anybody may ask, so folders and files stay in the log; the code says what is wrong.
    LOG.warning("Not ready: %s %s", worst.code, dict(worst.params))
    return errors.as_json(errors.of(NotReady(), **parts))


def _fault(check: Any) -> BellwetherError | None:
    try:
        check()
    except BellwetherError as error:
        return error
    return None


def _code(error: BellwetherError | None) -> str:
    return "ok" if error is None else error.code
