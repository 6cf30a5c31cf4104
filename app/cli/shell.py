"""What every command shares: errors as sentences, the services, links, progress."""

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
    """A group whose commands end with one sentence where something of ours went wrong."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; our own errors become click's."""
        try:
            return super().invoke(ctx)
        except BellwetherError as error:
            app = ctx.ensure_object(ScriptInfo).load_app()
            raise click.ClickException(told(app, error)) from error


class Command(click.Command):
    """A command of its own, without a group, that ends in the same way."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command inside the application; our own errors become click's."""
        app = ctx.ensure_object(ScriptInfo).load_app()
        try:
            with app.app_context():
                return super().invoke(ctx)
        except BellwetherError as error:
            raise click.ClickException(told(app, error)) from error


def told(app: Flask, error: BellwetherError) -> str:
    """The sentence of an error, and one for each field at fault."""
    sentence = cast("Callable[[str, Any], tuple[str, str]]", app.extensions["bellwether.sentence"])
    with app.app_context():
        lines = [sentence(error.code, error.params)[1]]
        lines += [f"{one.pointer}: {sentence(one.code, dict(one.params))[1]}" for one in error.fields]
    return "\n".join(lines)


def services() -> Services:
    """The services of the application that runs the command."""
    return cast(Services, current_app.extensions["bellwether"])


def settings() -> Settings:
    """Its settings."""
    return cast(Settings, current_app.extensions["bellwether.settings"])


def sign_in_url(secret: str) -> str:
    """The address of a one-time sign-in."""
    return f"{settings().public_url}/sign-in/{secret}"


def table(head: tuple[str, ...], rows: list[tuple[object, ...]]) -> None:
    """Print rows in columns as wide as their widest cell."""
    cells = [head, *(tuple("" if cell is None else str(cell) for cell in row) for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    for row in cells:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
