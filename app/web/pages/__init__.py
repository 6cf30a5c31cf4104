"""Pages for people: one blueprint a noun, server-rendered, readable and usable without JavaScript."""

from __future__ import annotations

from flask import Flask

from app.web.pages import (
    account,
    acts,
    admin,
    alerts,
    bulk,
    context,
    corrections,
    customers,
    dashboards,
    entities,
    exports,
    feeds,
    home,
    inbox,
    incoming,
    macros,
    market,
    models,
    moving,
    palette,
    posts,
    quarantine,
    receivers,
    reports,
    routing,
    rules,
    session,
    teach,
    tickets,
    topics,
    views,
    wall,
)

BLUEPRINTS = (
    home.blueprint,
    session.blueprint,
    account.blueprint,
    inbox.blueprint,
    bulk.blueprint,
    views.blueprint,
    incoming.blueprint,
    moving.blueprint,
    tickets.blueprint,
    acts.blueprint,
    corrections.blueprint,
    teach.blueprint,
    customers.blueprint,
    market.blueprint,
    entities.blueprint,
    exports.blueprint,
    wall.blueprint,
    dashboards.blueprint,
    posts.blueprint,
    feeds.blueprint,
    alerts.blueprint,
    rules.blueprint,
    topics.blueprint,
    receivers.blueprint,
    models.blueprint,
    reports.blueprint,
    admin.blueprint,
    quarantine.blueprint,
    palette.blueprint,
    macros.blueprint,
    routing.blueprint,
)


def register(app: Flask) -> None:
    """Put every page and what their templates use into the application."""
    context.install(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
