"""Commands of `flask --app wsgi`, one group per file; `install` adds them to the application."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Flask

LoadDemo = Callable[..., Any]


def install(app: Flask, *, load_demo: LoadDemo, generate: LoadDemo) -> None:
    """Add all groups; `flask demo` calls `load_demo` and `generate`."""
    from app.cli import demo, examples, feeds, imports, models, settings, tokens, users

    app.extensions["bellwether.demo"] = load_demo
    app.extensions["bellwether.generate"] = generate
    for command in (
        demo.group,
        examples.group,
        feeds.group,
        models.group,
        imports.command,
        settings.command,
        tokens.group,
        users.group,
    ):
        app.cli.add_command(command)
