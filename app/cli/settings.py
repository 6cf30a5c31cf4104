"""The command that prints the settings."""

from __future__ import annotations

from dataclasses import fields

import click
from flask.cli import with_appcontext

from app.cli import shell
from app.core import config


@click.command("settings")
@with_appcontext
def command() -> None:
    """Print every setting: the value in force, and what it does."""
    in_force = shell.settings()
    names = [entry.name for entry in fields(config.Settings)]
    for name, (variable, kind, default, text) in zip(names, config.table(), strict=True):
        value = str(getattr(in_force, name))
        if name == "secret_key" and value:
            value = "(set)"
        note = "" if value == default else f"  (default: {default or 'empty'})"
        click.echo(f"{variable}={value}{note}\n    {text} [{kind}]")
