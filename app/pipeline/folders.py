"""Watched folders: what lies in the folder of a file feed is read once and put away."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from app import clock
from app.domain.market import Feed
from app.domain.people import SYSTEM
from app.errors import BellwetherError, DatabaseBusy
from app.ingest import feeds as files
from app.ingest import folder
from app.pipeline import history, posts
from app.pipeline.services import Services
from app.store import feeds

LOG = logging.getLogger(__name__)
MOST_RSS_BYTES = 10_000_000


def folder_of(services: Services, feed: Feed) -> Path | None:
    """Where files for a feed are to be put; None for feeds of other kinds, and where no folder is watched."""
    base = services.policy.feed_folder
    return base / feed.slug if base is not None and feed.kind == "file" else None


def read_all(services: Services) -> int:
    """Read every whole file in the folders of file feeds; how many were read."""
    n_read = 0
    for feed in feeds.every(services.db):
        where = folder_of(services, feed) if feed.is_active else None
        if where is None or not where.is_dir():
            continue
        holder = services.db.holder
        for found in folder.waiting(where, now=clock.now_ms(), is_alive=holder.is_alive):
            taken = folder.take(found, folder=where, now=clock.now_ms(), holder=holder.name)
            if taken is not None:
                _read(services, feed, taken, where=where)
                n_read += 1
    return n_read


def _read(services: Services, feed: Feed, file: Path, *, where: Path) -> None:
    """A busy database leaves the file where it is, to be read again; any other fault puts it among the failed."""
    counts = {"created": 0, "updated": 0, "unchanged": 0, "failed": 0}
    fault: str | None = None
    try:
        for result in posts.receive_each(services, feed.id, _drafts(file, feed=feed), viewer=SYSTEM):
            counts[result.state] += 1
    except DatabaseBusy:
        LOG.info("folder of %s: %s waits for the database", feed.slug, file.name)
        return
    except BellwetherError as error:
        fault = error.code
    except OSError:
        LOG.exception("folder of %s: %s could not be read", feed.slug, file.name)
        fault = "internal"
    is_good = fault is None and counts["failed"] == 0
    kept = folder.put_away(file, folder=where, is_good=is_good)
    _note(services, feed, file=kept, counts=counts, fault=fault)


def _drafts(file: Path, *, feed: Feed) -> Iterator[Any]:
    kind, now = folder.KINDS[file.suffix.lower()], clock.now_ms()
    if kind == "rss":
        with file.open("rb") as content:
            yield from files.from_rss(content.read(MOST_RSS_BYTES), zone=feed.zone, now=now)
        return
    # Line by line, so that a file of any size needs no more memory than a chunk.
    with file.open("rb") as lines:
        reader = files.from_csv if kind == "csv" else files.from_jsonl
        yield from reader(lines, zone=feed.zone, now=now)


def _note(services: Services, feed: Feed, *, file: Path, counts: dict[str, int], fault: str | None) -> None:
    after = {"file": file.name, "is_good": file.parent.name == folder.DONE, "fault": fault, **counts}
    with services.db.transaction() as tx:
        feeds.note(tx, feed.id, changes={"last_error": fault, "last_fetched_at": clock.now_ms()})
        history.record(tx, actor=history.of(SYSTEM), verb="file_read", noun="feed", noun_id=feed.id, after=after)
