"""Commands about the demo organisation."""

from __future__ import annotations

from typing import Any

import click
from flask import Flask, current_app

from app.cli.shell import Group, services, sign_in_url
from app.people.flows import keep_accounts

group = Group("demo", help="A story to look at.")


@group.command("load")
def load() -> None:
    """Fill an empty database with the demo organisation and print a one-time sign-in link."""
    click.echo(fill(current_app))


@group.command("generate")
@click.option("--tickets", "n_tickets", type=click.IntRange(1, 5_000_000), required=True, help="How many to add.")
@click.option("--seed", default=7, show_default=True, help="The same seed draws the same tickets.")
def generate(n_tickets: int, seed: int) -> None:
    """Add invented tickets with messages, predictions and history, a year of them: to try how large a desk may grow."""
    with click.progressbar(length=n_tickets, label="Tickets", show_pos=True) as bar:
        current_app.extensions["bellwether.generate"](
            services(), n_tickets=n_tickets, seed=seed, on_progress=bar.update
        )
    click.echo(f"{n_tickets} tickets are in.")


def fill(app: Flask) -> str:
    """Load the story with a progress bar; returns the lines to print. Raises Conflict where there is data already."""
    with click.progressbar(length=1, label="Two weeks of tickets, six weeks of posts", show_pos=True) as bar:

        def start(n_steps: int) -> None:
            bar.length = n_steps

        summary: Any = app.extensions["bellwether.demo"](services(), on_start=start, on_progress=bar.update)
    link = sign_in_url(keep_accounts.sign_in_link(services(), summary.admin.id))
    return (
        f"{summary.n_tickets} tickets and {summary.n_posts} posts are in.\n"
        f"Sign in as {summary.admin.name}, once, within 30 minutes: {link}"
    )
