"""Commands about people: add one, let one in without a password, sign one out, list them."""

from __future__ import annotations

from typing import get_args

import click

from app.cli.shell import Group, services, settings, sign_in_url
from app.core.permissions import SYSTEM, User, UserRole
from app.people.flows import keep_accounts, keep_sessions, show_people

group = Group("user", help="People who sign in.")


@group.command("add")
@click.argument("email")
@click.option("--name", required=True, help="How others see them.")
@click.option("--role", type=click.Choice(get_args(UserRole)), required=True, help="What they may do.")
@click.option("--password", help="Left out: they get in by a one-time link and choose one.")
def add(email: str, name: str, role: UserRole, password: str | None) -> None:
    """Add a person and print a one-time sign-in link."""
    is_first = keep_accounts.needs_first_admin(services())
    made = keep_accounts.add_user(
        services(),
        name=name,
        email=email,
        role=role,
        password=password,
        locale=settings().locale,
        zone=settings().zone,
        viewer=SYSTEM,
    )
    if is_first:
        keep_accounts.furnish(services())
    click.echo(f"Added {made.name} ({made.role}).")
    _print_link(made)


@group.command("link")
@click.argument("email")
def link(email: str) -> None:
    """Print a one-time sign-in link for a person."""
    _print_link(show_people.get_user_by_email(services().db, email))


@group.command("sign-out")
@click.argument("email")
def sign_out(email: str) -> None:
    """End every session of a person."""
    found = show_people.get_user_by_email(services().db, email)
    n_ended = keep_sessions.end_all(services(), found.id, viewer=SYSTEM)
    click.echo(f"Ended sessions of {found.name}: {n_ended}.")


@group.command("list")
def show() -> None:
    """List people with their roles."""
    for user in show_people.every_user(services().db):
        click.echo(f"{user.email}  {user.name}  {user.role}{'' if user.is_active else '  (inactive)'}")


def _print_link(user: User) -> None:
    click.echo(f"Sign in once, within 30 minutes: {sign_in_url(keep_accounts.sign_in_link(services(), user.id))}")
