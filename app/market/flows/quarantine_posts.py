"""Posts in quarantine: rows that could not be stored are kept there, and stored out of it as they came."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from app.core import clock
from app.core.errors import BellwetherError
from app.core.permissions import SYSTEM, Viewer
from app.core.quarantine import keep_in_quarantine
from app.core.quarantine.arrival import Arrival, Quarantined
from app.core.quarantine.try_again import Filed, only_row, raw_form
from app.core.services import Services
from app.core.text.file_rows import RowFault
from app.market.domain.market import Feed, PostDraft, PostResult
from app.market.flows import ingest_posts
from app.market.flows.read_posts import posts_from_file
from app.market.store import feeds


def keep_failed(
    services: Services, feed: Feed, results: Iterable[PostResult], *, source: str, user_id: int | None = None
) -> Iterator[PostResult]:
    """Yield results as they come; the first of those that failed are in quarantine once the last was taken."""
    faults: list[tuple[Arrival, BellwetherError]] = []
    try:
        for result in results:
            if result.error and result.raw and len(faults) < keep_in_quarantine.MOST_OF_A_FILE:
                faults.append(
                    (
                        _arrival(feed, result, source=source, user_id=user_id),
                        keep_in_quarantine.row_error(result.error, result.params),
                    )
                )
            yield result
    finally:
        keep_in_quarantine.put(services, faults)


def _arrival(feed: Feed, result: PostResult, *, source: str, user_id: int | None) -> Arrival:
    return Arrival(
        kind="post",
        form=result.form,
        source=source,
        place=f"feed:{feed.id}",
        raw=result.raw.encode("latin-1" if result.form == "rss" else "utf-8", errors="replace"),
        feed_id=feed.id,
        row=result.row,
        user_id=user_id,
    )


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
    return posts_from_file(raw, form=item.form, zone=feed.zone, now=clock.now_ms())
