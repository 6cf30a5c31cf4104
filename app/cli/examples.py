"""Commands about training examples."""

from __future__ import annotations

from typing import TextIO

import click

from app.cli.shell import Group, services
from app.intents.flows.export_examples import export_examples

group = Group("examples", help="Training examples out of corrections.")


@group.command("export")
@click.option(
    "--output", type=click.File("w", encoding="utf-8", lazy=False), default="-", help="A file; left out: the screen."
)
def export(output: TextIO) -> None:
    """Write corrections as JSON lines that `python -m training fit` reads."""
    n_lines = 0
    for line in export_examples(services()):
        output.write(line.rstrip("\n") + "\n")
        n_lines += 1
    click.echo(f"{n_lines} examples.", err=True)
