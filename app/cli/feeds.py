"""Feeds: what there is, and a file replayed as if its posts came in now."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, TextIO

import click

from app import clock
from app.cli.shell import Group, services, table
from app.domain.market import PostDraft
from app.domain.people import SYSTEM
from app.errors import NotFound
from app.pipeline import intake, posts
from app.store import feeds

group = Group("feeds", help="Where posts come from.")
LONGEST_PAUSE_S = 5.0


@group.command("list")
def show() -> None:
    """List feeds with what was fetched last."""
    rows: list[tuple[object, ...]] = [
        (feed.slug, feed.kind, feed.name, feed.url, feed.last_error) for feed in feeds.every(services().db)
    ]
    table(("slug", "kind", "name", "address", "last error"), rows)


@group.command("replay")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--feed", "slug", required=True, help="Slug of the feed that the posts go to.")
@click.option("--speed", type=click.FloatRange(min=0), default=0.0, help="Hours of the file per second; 0: at once.")
def replay(file: Path, slug: str, speed: float) -> None:
    """Read posts of a CSV or JSONL FILE into a feed, at once or at a pace."""
    feed = feeds.find_by_slug(services().db, slug)
    if feed is None:
        raise NotFound(noun="feed", id=slug)
    counts: Counter[str] = Counter()
    with file.open(encoding="utf-8", errors="replace") as lines:
        rows = _paced(_rows(lines, file=file), speed=speed)
        with click.progressbar(posts.receive_each(services(), feed.id, rows, viewer=SYSTEM), label=slug) as results:
            for result in results:
                counts[result.state] += 1
    click.echo(", ".join(f"{count} {state}" for state, count in sorted(counts.items())) or "The file holds no posts.")


def _rows(lines: TextIO, *, file: Path) -> Iterator[Any]:
    return intake.posts_from_lines(lines, kind="csv" if file.suffix.lower() == ".csv" else "jsonl")


def _paced(rows: Iterator[Any], *, speed: float) -> Iterator[Any]:
    """Rows as they are (speed 0), or moved to the present and waited for, so that the file plays like live news."""
    before: int | None = None
    for one in rows:
        if speed and isinstance(one, PostDraft) and one.occurred_at is not None:
            if before is not None and one.occurred_at > before:
                time.sleep(min((one.occurred_at - before) / 3_600_000 / speed, LONGEST_PAUSE_S))
            before = max(before or 0, one.occurred_at)
            one = replace(one, occurred_at=clock.now_ms(), precision="second")
        yield one
