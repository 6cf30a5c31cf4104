"""People: add one, or let one in without a password."""

from __future__ import annotations

from typing import get_args

import click

from app.cli.shell import Group, services, settings, sign_in_url
from app.core.errors import NotFound
from app.core.permissions import SYSTEM, User, UserRole
from app.people.flows import keep_accounts, keep_sessions
from app.people.store import users

group = Group("user", help="People who sign in.")


def of_email(email: str) -> User:
    """The person with this address; NotFound names it."""
    found = users.find_by_email(services().db, email)
    if found is None:
        raise NotFound(noun="user", id=email)
    return found


@group.command("add")
@click.argument("email")
@click.option("--name", required=True, help="How others see them.")
@click.option("--role", type=click.Choice(get_args(UserRole)), required=True, help="What they may do.")
@click.option("--password", help="Left out: they get in by a one-time link and choose one.")
def add(email: str, name: str, role: UserRole, password: str | None) -> None:
    """Add a person and print a one-time sign-in link."""
    is_first = is_nobody_there()
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
    _print_link(of_email(email))


@group.command("sign-out")
@click.argument("email")
def sign_out(email: str) -> None:
    """End every session of a person."""
    found = of_email(email)
    n_ended = keep_sessions.end_all(services(), found.id, viewer=SYSTEM)
    click.echo(f"Ended sessions of {found.name}: {n_ended}.")


@group.command("list")
def show() -> None:
    """List people with their roles."""
    for user in users.every(services().db):
        click.echo(f"{user.email}  {user.name}  {user.role}{'' if user.is_active else '  (inactive)'}")


def _print_link(user: User) -> None:
    click.echo(f"Sign in once, within 30 minutes: {sign_in_url(keep_accounts.sign_in_link(services(), user.id))}")


def is_nobody_there() -> bool:
    """Whether the installation still waits for its first administrator."""
    return keep_accounts.needs_first_admin(services())
