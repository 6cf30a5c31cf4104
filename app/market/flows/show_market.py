"""The market as it is drawn: series of a subject, and an overview of all subjects."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from app.core.errors import NotFound
from app.core.permissions import SYSTEM, Viewer
from app.core.registry import Registry
from app.core.services import Services
from app.market.decide.bucketing import MARKET, Timeline, bucket_at, points
from app.market.domain.market import SubjectKind
from app.market.domain.series import Bucket, Expected, Point, Window
from app.market.domain.topic import own_id
from app.market.flows import find_alerts
from app.market.flows.find_alerts import ALERTS
from app.market.flows.keep_feeds import FEED
from app.market.store import buckets, companies, feeds, stories, topics


@dataclass(frozen=True, kw_only=True)
class SubjectSummary:
    """A subject over a stretch of time, with the number of its alerts that fire."""

    subject_kind: SubjectKind
    subject_id: str
    title: str
    window: Window
    n_firing: int = 0

    @property
    def net_sentiment(self) -> float | None:
        """Mean sentiment score; None where nothing with a class was said."""
        return self.window.net_sentiment


def hours(
    services: Services, kind: SubjectKind, subject_id: str, *, since: int, until: int, viewer: Viewer | None
) -> tuple[Bucket, ...]:
    """Return a subject's buckets; raises NotFound for a feed out of sight.

    For a viewer who sees some feeds only, the whole market is what these add up to.
    """
    if kind == "feed":
        FEED.get(services.db, _number(subject_id, noun="feed"), viewer=viewer or SYSTEM)
    if kind == "market" and viewer is not None and not feeds.are_all_seen(services.db, viewer=viewer):
        return buckets.of_feeds(services.db, viewer.feed_ids or (), since=since, until=until)
    return buckets.of_subject(services.db, subject_kind=kind, subject_id=subject_id, since=since, until=until)


def window(
    services: Services, kind: SubjectKind, subject_id: str, *, since: int, until: int, viewer: Viewer | None = None
) -> Window:
    """Return sums of a subject over the hours that begin in [since, until), in the viewer's feeds; raises NotFound."""
    found = hours(services, kind, subject_id, since=since, until=until, viewer=viewer)
    return Timeline(found).window(since=since, until=until)


def series(
    services: Services,
    kind: SubjectKind,
    subject_id: str,
    *,
    since: int,
    until: int,
    step_ms: int,
    viewer: Viewer | None = None,
) -> tuple[Point, ...]:
    """Return points of a subject from the hour of `since` to before `until`; `step_ms` a whole number of hours.

    Within the viewer's feeds (None: all); raises NotFound for a feed out of sight.
    """
    found = hours(services, kind, subject_id, since=bucket_at(since), until=until, viewer=viewer)
    return points(found, since=since, until=until, step_ms=step_ms)


class UsualOf(Protocol):
    """Returns the usual figures of a subject in each step that is drawn, within the viewer's feeds (None: all)."""

    def __call__(
        self,
        services: Services,
        drawn: Sequence[Point],
        *,
        subject_kind: SubjectKind,
        subject_id: str,
        step_ms: int,
        viewer: Viewer | None,
    ) -> tuple[Expected, ...]:
        """Return one for each point, which is `step_ms` long; raises NotFound for a feed out of sight."""


USUAL: Registry[UsualOf] = Registry()


def usual(
    services: Services,
    drawn: Sequence[Point],
    *,
    subject_kind: SubjectKind,
    subject_id: str,
    step_ms: int,
    viewer: Viewer | None = None,
) -> tuple[Expected, ...]:
    """Return the usual figures of a subject in each step that is drawn, which surges are measured against."""
    return USUAL[ALERTS](
        services, drawn, subject_kind=subject_kind, subject_id=subject_id, step_ms=step_ms, viewer=viewer
    )


def overview(services: Services, *, since: int, until: int, viewer: Viewer | None = None) -> tuple[SubjectSummary, ...]:
    """Return the whole market, then companies and topics by how much was said; every watched company is there."""
    firing = Counter(
        (alert.subject_kind, alert.subject_id)
        for alert in find_alerts.open_ones(services)
        if alert.state in ("firing", "recovering")
    )
    kinds: tuple[SubjectKind, ...] = ("market", "entity", "topic")
    found: list[SubjectSummary] = []
    for kind in kinds:
        windows = _windows(services, kind, since=bucket_at(since), until=until, viewer=viewer)
        summaries = [
            SubjectSummary(
                subject_kind=kind,
                subject_id=subject_id,
                title=title,
                window=windows.get(subject_id, Window(since=since, until=until)),
                n_firing=firing[(kind, subject_id)],
            )
            for subject_id, title in _titles(services, kind, subject_ids=list(windows)).items()
        ]
        found += sorted(summaries, key=lambda one: (-one.window.n_stories, one.title))
    return tuple(found)


def _windows(
    services: Services, kind: SubjectKind, *, since: int, until: int, viewer: Viewer | None
) -> dict[str, Window]:
    if kind == "market":
        return {MARKET: window(services, kind, MARKET, since=since, until=until, viewer=viewer)}
    return buckets.windows(services.db, subject_kind=kind, since=since, until=until)


def _titles(services: Services, kind: SubjectKind, *, subject_ids: Sequence[str]) -> dict[str, str]:
    if kind == "entity":
        return {str(entity.id): entity.name for entity in companies.every(services.db)}
    if kind == "market":
        return {MARKET: ""}
    own = {topic.subject_id: topic.title for topic in topics.every(services.db)}
    return {subject_id: own.get(subject_id, subject_id) for subject_id in subject_ids}


def subject_title(services: Services, subject_kind: str, subject_id: str, *, viewer: Viewer | None = None) -> str:
    """Return the name of a subject; a topic's is its label id, the whole market's is empty.

    Raises NotFound when it is gone, and for a feed out of the viewer's sight.
    """
    if subject_kind == "entity":
        return companies.get(services.db, _number(subject_id, noun="entity")).name
    if subject_kind == "feed":
        return FEED.get(services.db, _number(subject_id, noun="feed"), viewer=viewer or SYSTEM).name
    topic_id = own_id(subject_id) if subject_kind == "topic" else None
    if topic_id is not None:
        return topics.get(services.db, topic_id).title
    return "" if subject_kind == "market" else subject_id


def _number(subject_id: str, *, noun: str) -> int:
    if not subject_id.isdecimal():
        raise NotFound(noun=noun, id=subject_id)
    return int(subject_id)


def topics_of_company(
    services: Services, entity_id: int, *, since: int, until: int, viewer: Viewer
) -> tuple[tuple[str, int], ...]:
    """Return what a company was spoken of in a stretch of time: topics with their unique stories, most first."""
    return stories.topics_of_entity(services.db, entity_id, since=since, until=until, viewer=viewer)
