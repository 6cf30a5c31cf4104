"""Which model answers."""

from __future__ import annotations

import click

from app.cli.shell import Group, services
from app.domain.people import SYSTEM
from app.pipeline import models

group = Group("model", help="Which model answers.")


@group.command("list")
def show() -> None:
    """List the models that are there; * marks the one that answers."""
    live = models.answering(services())
    for name in models.available(services()):
        click.echo(f"{'*' if name == live else ' '} {name}")


@group.command("promote")
@click.argument("name")
def promote(name: str) -> None:
    """Let the model NAME (name@version) answer from now on."""
    made = models.promote(services(), name, viewer=SYSTEM)
    click.echo(f"{made.model} is live.")


@group.command("rollback")
def rollback() -> None:
    """Let the model before this one answer again."""
    made = models.rollback(services(), viewer=SYSTEM)
    click.echo(f"{made.model} is live again.")
