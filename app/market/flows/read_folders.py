"""Watched folders: the files in the folder of a file feed are read once and put away."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from app.core import clock
from app.core.errors import BellwetherError, NotReady
from app.core.events import history
from app.core.permissions import SYSTEM
from app.core.services import Services
from app.market.domain.market import Feed
from app.market.flows import ingest_posts, quarantine_posts
from app.market.flows.read_posts import PostRow, posts_from_file
from app.market.sources import feed_process, watched_folder
from app.market.store import feeds

LOG = logging.getLogger(__name__)
LONGEST_LINE = 2_000_000
"""Bytes of a line that are read at once; a line that is longer is none that a file of posts has."""


def folder_of(services: Services, feed: Feed) -> Path | None:
    """Return the folder for files of a feed; None for feeds of other kinds, and where no folder is watched."""
    base = services.policy.feed_folder
    return base / feed.slug if base is not None and feed.kind == "file" else None


def read_all(services: Services) -> int:
    """Read every whole file in the folders of file feeds; returns how many were read."""
    n_read = 0
    for feed in feeds.every(services.db):
        where = folder_of(services, feed) if feed.is_active else None
        if where is None or not where.is_dir():
            continue
        for found in watched_folder.waiting(where, now=clock.now_ms(), is_alive=services.db.holder.is_alive):
            n_read += _take_and_read(services, feed, found, where=where)
    return n_read


def _take_and_read(services: Services, feed: Feed, found: Path, *, where: Path) -> bool:
    """Read a file unless another process takes it; a folder that cannot be written holds up no other feed."""
    try:
        taken = watched_folder.take(found, folder=where, now=clock.now_ms(), holder=services.db.holder.name)
        if taken is not None:
            _read(services, feed, taken, where=where)
    except OSError:
        LOG.exception("folder of %s: %s cannot be moved", feed.slug, found.name)
        return False
    return taken is not None


def _read(services: Services, feed: Feed, file: Path, *, where: Path) -> None:
    """Read a file and put it away; a fault of this installation puts it back, to be read again."""
    counts = {"created": 0, "updated": 0, "unchanged": 0, "failed": 0}
    fault: str | None = None
    try:
        results = ingest_posts.receive_each(services, feed.id, _drafts(file, feed=feed), viewer=SYSTEM)
        for result in quarantine_posts.keep_failed(services, feed, results, source=f"{feed.name}: {file.name}"):
            counts[result.state] += 1
    except NotReady as error:
        LOG.info("folder of %s: %s waits: %s", feed.slug, file.name, error.code)
        watched_folder.put_back(file, folder=where)
        return
    except BellwetherError as error:
        fault = error.code
    except Exception:
        LOG.exception("folder of %s: %s could not be read", feed.slug, file.name)
        fault = "unreadable"
    is_good = fault is None and counts["failed"] == 0
    kept = watched_folder.put_away(file, folder=where, is_good=is_good)
    _note(services, feed, file=kept, counts=counts, fault=fault)


def _drafts(file: Path, *, feed: Feed) -> Iterator[PostRow]:
    form = watched_folder.KINDS[file.suffix.lower()]
    with file.open("rb") as opened:
        # Line by line, so that a file of any size needs no more memory than a chunk; a feed is one document.
        lines = iter(partial(opened.readline, LONGEST_LINE), b"")
        content = opened.read(feed_process.MOST_BYTES + 1) if form == "rss" else lines
        yield from posts_from_file(content, form=form, zone=feed.zone, now=clock.now_ms())


def _note(services: Services, feed: Feed, *, file: Path, counts: dict[str, int], fault: str | None) -> None:
    after = {"file": file.name, "is_good": file.parent.name == watched_folder.DONE, "fault": fault, **counts}
    with services.db.transaction() as tx:
        feeds.note(tx, feed.id, columns={"last_error": fault, "last_fetched_at": clock.now_ms()})
        history.record(tx, actor=history.of(SYSTEM), verb="file_read", noun="feed", noun_id=feed.id, after=after)
