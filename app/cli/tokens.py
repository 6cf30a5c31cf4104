"""Commands about API tokens."""

from __future__ import annotations

import click

from app.cli.shell import Group, services, table
from app.core import clock
from app.core.durations import DAY_MS
from app.core.errors import NotFound
from app.core.permissions import SYSTEM, TOKEN_SCOPES
from app.people.flows import keep_tokens, show_people

group = Group("token", help="Keys for programs.")


@group.command("add")
@click.argument("email")
@click.option("--name", required=True, help="What the token is for.")
@click.option("--scope", "scopes", type=click.Choice(sorted(TOKEN_SCOPES)), multiple=True, required=True)
@click.option("--days", type=click.IntRange(min=1), help="Days until it expires; left out: never.")
def add(email: str, name: str, scopes: tuple[str, ...], days: int | None) -> None:
    """Make an API token for a person and print it: it is shown once."""
    owner = show_people.get_user_by_email(services().db, email)
    expires_at = None if days is None else clock.now_ms() + days * DAY_MS
    _, secret = keep_tokens.make_token(
        services(), user_id=owner.id, name=name, scopes=scopes, expires_at=expires_at, viewer=SYSTEM
    )
    click.echo(secret)


@group.command("revoke")
@click.argument("prefix")
def revoke(prefix: str) -> None:
    """End the token that begins with PREFIX at once; its live streams end within a second."""
    found = [
        one for one in keep_tokens.every(services().db) if one.revoked_at is None and one.prefix == prefix.rstrip("…")
    ]
    if len(found) != 1:
        raise NotFound(noun="token", id=prefix)
    keep_tokens.revoke_token(services(), found[0].id, viewer=SYSTEM)
    click.echo(f"Revoked {found[0].name}.")


@group.command("list")
def show() -> None:
    """List tokens by their prefixes."""
    rows: list[tuple[object, ...]] = [
        (one.prefix, one.name, " ".join(one.scopes), "revoked" if one.revoked_at else "")
        for one in keep_tokens.every(services().db)
    ]
    table(("prefix", "name", "scopes", ""), rows)
