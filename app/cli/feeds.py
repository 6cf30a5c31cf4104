"""Commands about feeds: list them, replay a file into one, read their folders."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import click

from app.alerts.flows import tick_rules
from app.cli.shell import Group, services, table
from app.core.durations import HOUR_MS
from app.core.errors import NotFound
from app.core.permissions import SYSTEM
from app.market.domain.market import PostDraft
from app.market.flows import ingest_posts, read_folders, read_posts
from app.market.store import feeds

group = Group("feeds", help="Where posts come from.")
LONGEST_PAUSE_S = 5.0
MOST_AT_ONCE = 512


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
@click.option("--speed", type=click.FloatRange(min=0), default=0.0, help="Times real time, such as 600; 0: at once.")
@click.option("--rules", "is_ruled", is_flag=True, help="Evaluate rules as time passes in the file.")
def replay(file: Path, slug: str, speed: float, is_ruled: bool) -> None:
    """Read posts of a CSV or JSONL FILE into a feed, each at its own time, at once or at a pace."""
    feed = feeds.find_by_slug(services().db, slug)
    if feed is None:
        raise NotFound(noun="feed", id=slug)
    counts: Counter[str] = Counter()
    replayed = _Replay(speed=speed, is_ruled=is_ruled)
    with file.open(encoding="utf-8", errors="replace") as lines:
        for stretch in replayed.stretches(_rows(lines, file=file)):
            counts.update(
                result.state for result in ingest_posts.receive_each(services(), feed.id, stretch, viewer=SYSTEM)
            )
            replayed.evaluate()
    summary = ", ".join(f"{count} {state}" for state, count in sorted(counts.items()))
    click.echo(summary or "The file holds no posts.")
    if is_ruled:
        click.echo(f"{replayed.n_fired} alerts fired.")


def _rows(lines: TextIO, *, file: Path) -> Iterator[Any]:
    return iter(read_posts.posts_from_file(lines, form="csv" if file.suffix.lower() == ".csv" else "jsonl"))


@dataclass
class _Replay:
    """The course of time in the file: posts arrive in the file's order, one hour of their time after another."""

    speed: float
    is_ruled: bool
    at: int | None = None
    n_fired: int = 0

    def stretches(self, rows: Iterator[Any]) -> Iterator[list[Any]]:
        """Yield the rows of one hour after another, at the pace; late rows go with the hour that is read."""
        waiting: list[Any] = []
        for row in rows:
            hour = self._hour(row)
            is_later = hour is not None and self.at is not None and hour > self.at
            if waiting and (is_later or len(waiting) >= MOST_AT_ONCE):
                yield waiting
                waiting = []
            if hour is not None and (self.at is None or hour > self.at):
                self._wait(hour)
                self.at = hour
            waiting.append(row)
        if waiting:
            yield waiting

    def _hour(self, row: Any) -> int | None:
        if not isinstance(row, PostDraft) or row.occurred_at is None:
            return None
        return row.occurred_at // HOUR_MS * HOUR_MS

    def _wait(self, hour: int) -> None:
        if self.speed and self.at is not None:
            time.sleep(min((hour - self.at) / 1000 / self.speed, LONGEST_PAUSE_S))

    def evaluate(self) -> None:
        """Evaluate the rules as at the end of the last hour."""
        if self.is_ruled and self.at is not None:
            found = tick_rules.tick(services(), now=self.at + HOUR_MS)
            self.n_fired += sum(step.reason == "fired" for step in found)


@group.command("watch-folders")
def watch_folders() -> None:
    """Show where files are to be put for each file feed, and read what lies there."""
    rows: list[tuple[object, ...]] = [
        (feed.slug, where) for feed in feeds.every(services().db) if (where := read_folders.folder_of(services(), feed))
    ]
    table(("slug", "folder"), rows)
    click.echo(f"{read_folders.read_all(services())} files read.")
