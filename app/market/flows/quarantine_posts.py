"""Rows of feeds and files that could not be stored as posts, put into quarantine."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from app.core.errors import BellwetherError
from app.core.quarantine import keep_in_quarantine
from app.core.quarantine.arrival import Arrival
from app.core.services import Services
from app.market.domain.market import Feed
from app.market.flows.ingest_posts import PostResult


def kept(
    services: Services, feed: Feed, results: Iterable[PostResult], *, source: str, user_id: int | None = None
) -> Iterator[PostResult]:
    """The results as they come; the first of those that failed are in quarantine once the last was taken."""
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
