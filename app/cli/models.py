"""Commands about models: list, promote, roll back, shadow."""

from __future__ import annotations

import click

from app.cli.shell import Group, services
from app.core.permissions import SYSTEM
from app.model.flows import deploy_model, run_shadow

group = Group("model", help="Which model answers.")


@group.command("list")
def show() -> None:
    """List the models that are there; * marks the one that answers, ~ the one in shadow."""
    marks = {run_shadow.name(services()): "~", deploy_model.answering(services()): "*"}
    for name in deploy_model.available(services()):
        click.echo(f"{marks.get(name, ' ')} {name}")


@group.command("promote")
@click.argument("name")
def promote(name: str) -> None:
    """Let the model NAME (name@version) answer from now on."""
    made = deploy_model.promote(services(), name, viewer=SYSTEM)
    click.echo(f"{made.model} is live.")


@group.command("rollback")
def rollback() -> None:
    """Let the model before this one answer again."""
    made = deploy_model.rollback(services(), viewer=SYSTEM)
    click.echo(f"{made.model} is live again.")


@group.command("shadow-start")
@click.argument("name")
def shadow_start(name: str) -> None:
    """Let the model NAME (name@version) read along in shadow: nothing acts on it, and the model page compares."""
    made = run_shadow.start(services(), name, viewer=SYSTEM)
    click.echo(f"{made.model} reads along in shadow.")


@group.command("shadow-stop")
def shadow_stop() -> None:
    """End the shadow; what it said is kept."""
    run_shadow.stop(services(), viewer=SYSTEM)
    click.echo("No model is in shadow now.")
