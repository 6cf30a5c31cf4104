"""Bellwether's app: `create_app` builds the Flask application; the import of this package loads nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flask import Flask

    from app.core.config import Settings


def create_app(settings: Settings | None = None) -> Flask:
    """Build the web application with its commands; the database and the model are opened at their first use."""
    from app import cli, composition
    from app.core import config

    application = composition.build(settings or config.load())
    cli.install(application, load_demo=_load_demo, generate=_generate)
    return application


def _load_demo(services: Any, **progress: Any) -> Any:
    from app.demo.load import load

    return load(services, **progress)


def _generate(services: Any, **asked: Any) -> None:
    from app.demo.generate import generate

    generate(services, **asked)
