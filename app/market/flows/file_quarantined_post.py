"""Posts out of quarantine: each is stored the way that it came."""

from __future__ import annotations

import json
from collections.abc import Iterable

from app.core import clock
from app.core.permissions import SYSTEM, Viewer
from app.core.quarantine import keep_in_quarantine
from app.core.quarantine.arrival import Quarantined
from app.core.quarantine.try_again import Filed, only_row, raw_form
from app.core.services import Services
from app.core.text.file_rows import RowFault
from app.market.domain.market import Feed, PostDraft
from app.market.flows import ingest_posts
from app.market.sources import feed_process
from app.market.sources import post_drafts as feed_files
from app.market.store import feeds


def file_quarantined_post(services: Services, item: Quarantined, viewer: Viewer) -> Filed:
    """Store a post again; it belongs to its feed, whoever tries."""
    feed = feeds.get(services.db, item.feed_id or 0)
    draft = only_row(_drafts(raw_form(services, item), item=item, feed=feed))
    (result,) = ingest_posts.receive(services, feed.id, [draft], viewer=SYSTEM)
    if result.id is None:
        raise keep_in_quarantine.row_error(result.error or "unreadable", result.params)
    return Filed(noun="post", id=result.id)


def _drafts(raw: bytes, *, item: Quarantined, feed: Feed) -> Iterable[PostDraft | RowFault]:
    if item.form == "draft":
        return [PostDraft(**json.loads(raw))]
    if item.form == "rss":
        return feed_process.drafts_of(raw, zone=feed.zone, now=clock.now_ms())
    reader = feed_files.from_csv if item.form == "csv" else feed_files.from_jsonl
    return reader(raw, zone=feed.zone, now=clock.now_ms())
