"""The market as it is drawn: series, an overview of subjects, and the list of watched companies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from app.core.errors import FieldError, InputError, NotFound
from app.core.events import history
from app.core.permissions import Viewer
from app.core.registry import Registry
from app.core.services import Services
from app.core.text.file_rows import RowFault
from app.market.decide.bucketing import MARKET, bucket_at, points
from app.market.domain.market import Entity, SubjectKind
from app.market.domain.series import Bucket, Expected, Point, Window
from app.market.domain.topic import own_id
from app.market.flows import look_up_alerts
from app.market.flows.look_up_alerts import ALERTS
from app.market.sources.company_list import from_csv as gazetteer_rows
from app.market.store import buckets, companies, feeds, topics

_EDITABLE = frozenset({"ticker", "name", "sector", "aliases", "ambiguous", "competitors"})


@dataclass(frozen=True, kw_only=True)
class SubjectSummary:
    """A subject over a stretch of time; `net_sentiment` is None where nothing with a class was said."""

    subject_kind: SubjectKind
    subject_id: str
    title: str
    window: Window
    net_sentiment: float | None
    n_firing: int


@dataclass(frozen=True, kw_only=True)
class Imported:
    """What became of a list of companies."""

    n_created: int
    n_updated: int
    n_unchanged: int
    faults: tuple[RowFault, ...] = ()


def hours(
    services: Services, kind: SubjectKind, subject_id: str, *, since: int, until: int, viewer: Viewer | None
) -> tuple[Bucket, ...]:
    """A subject's buckets; the whole market is, for who sees some feeds only, what these add up to. Raises NotFound."""
    if kind == "feed":
        feeds.get(services.db, _number(subject_id, noun="feed"), viewer=viewer)
    if kind == "market" and viewer is not None and not feeds.are_all_seen(services.db, viewer=viewer):
        return buckets.of_feeds(services.db, viewer.feed_ids or (), since=since, until=until)
    return buckets.of_subject(services.db, subject_kind=kind, subject_id=subject_id, since=since, until=until)


def window(
    services: Services,
    *,
    subject_kind: SubjectKind,
    subject_id: str,
    since: int,
    until: int,
    viewer: Viewer | None = None,
) -> Window:
    """Sums of a subject over the hours that begin in [since, until), within the viewer's feeds; raises NotFound."""
    found = hours(services, subject_kind, subject_id, since=since, until=until, viewer=viewer)
    names = ("n_posts", "n_stories", "n_negative", "n_neutral", "n_positive", "score_sum")
    return Window(since=since, until=until, **{name: sum(getattr(one, name) for one in found) for name in names})


def series(
    services: Services,
    *,
    subject_kind: SubjectKind,
    subject_id: str,
    since: int,
    until: int,
    step_ms: int,
    viewer: Viewer | None = None,
) -> tuple[Point, ...]:
    """Points of a subject from the hour of `since` to before `until`; `step_ms` a whole number of hours.

    Within the viewer's feeds (None: all); raises NotFound for a feed out of sight.
    """
    found = hours(services, subject_kind, subject_id, since=bucket_at(since), until=until, viewer=viewer)
    return points(found, since=since, until=until, step_ms=step_ms)


class UsualOf(Protocol):
    """Says what is usual of a subject in each of the steps that are drawn, within the viewer's feeds (None: all)."""

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
        """One for each point, which is `step_ms` long; raises NotFound for a feed out of sight."""


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
    """What is usual of a subject in each of the steps that are drawn, by the weeks that surges are measured against."""
    return USUAL[ALERTS](
        services, drawn, subject_kind=subject_kind, subject_id=subject_id, step_ms=step_ms, viewer=viewer
    )


def overview(services: Services, *, since: int, until: int, viewer: Viewer | None = None) -> tuple[SubjectSummary, ...]:
    """The whole market, then companies and topics by how much was said; every watched company is there."""
    firing = [alert for alert in look_up_alerts.open_ones(services) if alert.state in ("firing", "recovering")]
    kinds: tuple[SubjectKind, ...] = ("market", "entity", "topic")
    found: list[SubjectSummary] = []
    for kind in kinds:
        windows = _windows(services, kind, since=bucket_at(since), until=until, viewer=viewer)
        titles = _titles(services, kind, subject_ids=list(windows))
        summaries = [
            _summary(kind, subject_id, title=title, window=windows.get(subject_id, Window(since=since, until=until)))
            for subject_id, title in titles.items()
        ]
        found += sorted(summaries, key=lambda one: (-one.window.n_stories, one.title))
    n_firing = {(one.subject_kind, one.subject_id): 0 for one in firing}
    for alert in firing:
        n_firing[(alert.subject_kind, alert.subject_id)] += 1
    return tuple(_fired(one, n_firing.get((one.subject_kind, one.subject_id), 0)) for one in found)


def _windows(
    services: Services, kind: SubjectKind, *, since: int, until: int, viewer: Viewer | None
) -> dict[str, Window]:
    if kind == "market":
        whole = window(services, subject_kind=kind, subject_id=MARKET, since=since, until=until, viewer=viewer)
        return {MARKET: whole}
    return buckets.windows(services.db, subject_kind=kind, since=since, until=until)


def _summary(kind: SubjectKind, subject_id: str, *, title: str, window: Window) -> SubjectSummary:
    n_scored = window.n_negative + window.n_neutral + window.n_positive
    return SubjectSummary(
        subject_kind=kind,
        subject_id=subject_id,
        title=title,
        window=window,
        net_sentiment=window.score_sum / n_scored if n_scored else None,
        n_firing=0,
    )


def _fired(summary: SubjectSummary, n_firing: int) -> SubjectSummary:
    if not n_firing:
        return summary
    return SubjectSummary(**{**vars(summary), "n_firing": n_firing})


def _titles(services: Services, kind: SubjectKind, *, subject_ids: Sequence[str]) -> dict[str, str]:
    if kind == "entity":
        return {str(entity.id): entity.name for entity in companies.every(services.db)}
    if kind == "market":
        return {MARKET: ""}
    own = {topic.subject_id: topic.title for topic in topics.every(services.db)}
    return {subject_id: own.get(subject_id, subject_id) for subject_id in subject_ids}


def subject_title(services: Services, subject_kind: str, subject_id: str, *, viewer: Viewer | None = None) -> str:
    """The name of a subject; a topic's is its label id, the whole market's is empty.

    Raises NotFound when it is gone, and for a feed out of the viewer's sight.
    """
    if subject_kind == "entity":
        return companies.get(services.db, _number(subject_id, noun="entity")).name
    if subject_kind == "feed":
        return feeds.get(services.db, _number(subject_id, noun="feed"), viewer=viewer).name
    topic_id = own_id(subject_id) if subject_kind == "topic" else None
    if topic_id is not None:
        return topics.get(services.db, topic_id).title
    return "" if subject_kind == "market" else subject_id


def _number(subject_id: str, *, noun: str) -> int:
    if not subject_id.isdecimal():
        raise NotFound(noun=noun, id=subject_id)
    return int(subject_id)


def add_entity(
    services: Services,
    *,
    viewer: Viewer,
    ticker: str,
    name: str,
    sector: str = "",
    aliases: Sequence[str] = (),
    ambiguous: Sequence[str] = (),
    competitors: Sequence[str] = (),
) -> Entity:
    """Watch a company from now on; raises Conflict when the ticker is taken."""
    values = {
        "ticker": ticker,
        "name": name,
        "sector": sector,
        "aliases": tuple(aliases),
        "ambiguous": tuple(ambiguous),
        "competitors": tuple(competitors),
    }
    with services.db.transaction() as tx:
        entity_id = companies.insert(tx, values=_checked(values))
        after = {"ticker": ticker, "name": name}
        history.record(tx, actor=history.of(viewer), verb="created", noun="entity", noun_id=entity_id, after=after)
        return companies.get(tx, entity_id)


def import_entities(services: Services, content: bytes, *, viewer: Viewer) -> Imported:
    """Watch the companies of a CSV list; a ticker that is known takes the list's values.

    Raises InputError when the file is empty or has no known column; bad rows are told and leave the others alone.
    """
    counts = {"created": 0, "updated": 0, "unchanged": 0}
    faults: list[RowFault] = []
    for row in gazetteer_rows(content):
        if isinstance(row, RowFault):
            faults.append(row)
            continue
        counts[_imported(services, row[1], viewer=viewer)] += 1
    return Imported(**{f"n_{state}": count for state, count in counts.items()}, faults=tuple(faults))


def _imported(services: Services, values: Mapping[str, Any], *, viewer: Viewer) -> str:
    known = companies.find_by_ticker(services.db, str(values["ticker"]))
    if known is None:
        add_entity(services, viewer=viewer, **values)
        return "created"
    # An empty cell of a list says nothing; what is known stays.
    changes = {key: value for key, value in values.items() if value and value != getattr(known, key)}
    if not changes:
        return "unchanged"
    change_entity(services, known.id, viewer=viewer, changes=changes)
    return "updated"


def change_entity(
    services: Services, entity_id: int, *, viewer: Viewer, changes: Mapping[str, Any], version: int | None = None
) -> Entity:
    """Change how a company is known; posts that came before keep their mentions. Raises NotFound, Stale."""
    with services.db.transaction() as tx:
        was = companies.get(tx, entity_id)
        wanted = _checked(changes)
        entity = companies.update(tx, entity_id, changes=wanted, version=version)
        before = {key: getattr(was, key) for key in wanted}
        history.record(
            tx,
            actor=history.of(viewer),
            verb="edited",
            noun="entity",
            noun_id=entity_id,
            before=before,
            after=wanted,
        )
        return entity


def remove_entity(services: Services, entity_id: int, *, viewer: Viewer) -> None:
    """Stop watching a company; raises Conflict `entity_in_use` while posts mention it."""
    with services.db.transaction() as tx:
        was = companies.get(tx, entity_id)
        companies.delete(tx, entity_id)
        before = {"ticker": was.ticker, "name": was.name}
        history.record(tx, actor=history.of(viewer), verb="deleted", noun="entity", noun_id=entity_id, before=before)


def _checked(values: Mapping[str, Any]) -> dict[str, Any]:
    unknown = sorted(set(values) - _EDITABLE)
    if unknown:
        raise InputError("unknown_field", field=unknown[0])
    found = dict(values)
    for key in ("ticker", "name"):
        if key in found and not str(found[key]).strip():
            raise InputError("empty_field", fields=[FieldError(pointer=f"/{key}", code="empty")], field=key)
    if "ticker" in found:
        found["ticker"] = str(found["ticker"]).strip().lstrip("$").upper()
    return found
