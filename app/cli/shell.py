"""The base of all commands: errors as sentences, the services, links, tables."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import click
from flask import Flask, current_app
from flask.cli import AppGroup, ScriptInfo

from app.core.config import Settings
from app.core.errors import BellwetherError
from app.core.services import Services


class Group(AppGroup):
    """A group whose commands end with a sentence on an error of this program."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; raises ClickException for errors of this program."""
        try:
            return super().invoke(ctx)
        except BellwetherError as error:
            app = ctx.ensure_object(ScriptInfo).load_app()
            raise click.ClickException(error_text(app, error)) from error


class Command(click.Command):
    """A command without a group that ends with a sentence on an error of this program."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command inside the application; raises ClickException for errors of this program."""
        app = ctx.ensure_object(ScriptInfo).load_app()
        try:
            with app.app_context():
                return super().invoke(ctx)
        except BellwetherError as error:
            raise click.ClickException(error_text(app, error)) from error


def error_text(app: Flask, error: BellwetherError) -> str:
    """Return the sentence of an error, and one for each faulty field."""
    sentence = cast("Callable[[str, Any], tuple[str, str]]", app.extensions["bellwether.sentence"])
    with app.app_context():
        lines = [sentence(error.code, error.params)[1]]
        lines += [f"{one.pointer}: {sentence(one.code, dict(one.params))[1]}" for one in error.fields]
    return "\n".join(lines)


def services() -> Services:
    """Return the services of the application that runs the command."""
    return cast(Services, current_app.extensions["bellwether"])


def settings() -> Settings:
    """Return the settings of the application that runs the command."""
    return cast(Settings, current_app.extensions["bellwether.settings"])


def sign_in_url(secret: str) -> str:
    """Return the address of a one-time sign-in."""
    return f"{settings().public_url}/sign-in/{secret}"


def table(head: tuple[str, ...], rows: list[tuple[object, ...]]) -> None:
    """Print rows in aligned columns."""
    cells = [head, *(tuple("" if cell is None else str(cell) for cell in row) for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    for row in cells:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
