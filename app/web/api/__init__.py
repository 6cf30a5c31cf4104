"""The API: one file a noun; shapes are declared where they are used."""

from __future__ import annotations

from flask import Flask

from app.web import openapi


def install(app: Flask) -> None:
    """Register every group of operations, in the order of the description."""
    from app.web import stream
    from app.web.api import (
        account,
        alerts,
        analyze,
        bulk,
        codes,
        dashboards,
        exports,
        health,
        jobs,
        knowledge,
        market,
        measured,
        predict,
        receivers,
        recommend,
        routing,
        teaching,
        tickets,
        topics,
    )

    groups = (
        predict.group,
        analyze.group,
        tickets.group,
        bulk.group,
        teaching.group,
        exports.group,
        knowledge.group,
        routing.group,
        market.group,
        topics.group,
        dashboards.group,
        alerts.group,
        measured.group,
        receivers.group,
        recommend.group,
        stream.group,
        jobs.group,
        jobs.models_group,
        account.group,
        health.group,
        codes.group,
    )
    stream.install(app)
    openapi.install(app, groups)
