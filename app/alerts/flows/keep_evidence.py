"""Evidence: an alert that fires keeps the reasons, as they were then."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from app.alerts.decide.surge_drivers import likeness, risen_words, share_part
from app.alerts.domain.alert import Alert, Rule
from app.alerts.domain.evidence import Driver, Evidence, Measured, Precedent, RisenWord
from app.alerts.store import alert_feedback, alerts, evidence_rows
from app.core import clock
from app.core.db import Reads, Transaction
from app.core.durations import DAY_MS
from app.core.interval import Z95, interval
from app.core.permissions import SYSTEM, Viewer
from app.core.services import Services
from app.market.domain.market import PostFilter
from app.market.store import companies, feeds, posts, stories

MOST_DRIVERS, MOST_PRECEDENTS, LEAST_LIKENESS = 8, 3, 0.25
WORDS_BEFORE_MS = 14 * DAY_MS
MOST_TITLES = 400
LATEST = 100


def keep(tx: Transaction, alert: Alert, *, rule: Rule) -> None:
    """Keep the evidence of an alert that fires."""
    evidence_rows.put(tx, evidence_of(tx, alert, rule=rule))


def visible_evidence(services: Services, alert_id: int, *, viewer: Viewer) -> Evidence | None:
    """Return an alert's evidence with stories and words of the viewer's feeds alone; its figures are those of all."""
    db, found = services.db, evidence_rows.of_alert(services.db, alert_id)
    if found is None or feeds.are_all_seen(db, viewer=viewer):
        return found
    told = posts.by_ids(db, [one.post_id for one in found.drivers], viewer=viewer)
    said = PostFilter(since=found.since, until=found.until)
    return replace(
        found,
        drivers=tuple(one for one in found.drivers if one.post_id in told),
        words=tuple(
            one for one in found.words if posts.page(db, replace(said, query=one.word), viewer=viewer, limit=1).items
        ),
    )


def evidence_of(db: Reads, alert: Alert, *, rule: Rule) -> Evidence:
    """Return the evidence of an alert, from the figures it was judged on and the stories in its window."""
    seen = alert.observed
    since, until = int(seen.get("since", alert.started_at)), int(seen.get("until", alert.since_at))
    words = _words(db, alert, since=since, until=until)
    share, stories_n = seen.get("share"), float(seen.get("n_scored") or 0)
    usual, expected = seen.get("baseline_share"), seen.get("expected_stories")
    return Evidence(
        alert_id=alert.id,
        kind=rule.kind,
        since=since,
        until=until,
        share=None if share is None else _share(seen, n=stories_n),
        negative=_count(float(seen.get("n_negative") or 0), expected=seen.get("expected_negative"), phi=_phi(seen)),
        stories=_count(stories_n, expected=expected, phi=_phi(seen)),
        n_posts=int(seen.get("n_posts") or 0),
        n_sources=stories.n_sources(
            db,
            subject_kind=alert.subject_kind,
            subject_id=alert.subject_id,
            since=since,
            until=until,
            most=MOST_TITLES,
        ),
        share_part=None
        if usual is None or expected is None
        else share_part(
            stories=stories_n, negative=float(seen.get("n_negative") or 0), expected=float(expected), share=float(usual)
        ),
        score=seen.get("score"),
        threshold=seen.get("threshold_score"),
        budget=seen.get("budget"),
        order=int(seen.get("order") or 1),
        drivers=_drivers(db, alert, since=since, until=until),
        words=words,
        precedents=_precedents(db, alert, words=words),
        model=alert.model,
        made_at=clock.now_ms(),
    )


def _phi(seen: Any) -> float:
    return max(1.0, float(seen.get("phi") or 1.0))


def _share(seen: Any, *, n: float) -> Measured:
    share, usual, rho = float(seen["share"]), seen.get("baseline_share"), float(seen.get("rho") or 0.0)
    low, high = interval(share * n, n, rho=rho)
    if usual is None:
        return Measured(seen=share, low=low, high=high)
    half = Z95 * math.sqrt(usual * (1 - usual) * (1 / max(n, 1.0) + rho))
    return Measured(
        seen=share,
        low=low,
        high=high,
        expected=usual,
        expected_low=max(0.0, usual - half),
        expected_high=min(1.0, usual + half),
    )


def _count(seen: float, *, expected: Any, phi: float) -> Measured:
    low, high = _around(seen, phi=phi)
    if expected is None:
        return Measured(seen=seen, low=low, high=high)
    least, most = _around(float(expected), phi=phi)
    return Measured(seen=seen, low=low, high=high, expected=float(expected), expected_low=least, expected_high=most)


def _around(mean: float, *, phi: float) -> tuple[float, float]:
    """Return the 95 % interval of a count of variance φ × mean, on the scale of its square root, where it is even."""
    half = Z95 * math.sqrt(phi) / 2
    return max(0.0, math.sqrt(mean) - half) ** 2, (math.sqrt(mean) + half) ** 2


def _drivers(db: Reads, alert: Alert, *, since: int, until: int) -> tuple[Driver, ...]:
    """Return the negative stories, the worst first, each with its part of their total negative score."""
    told = stories.negative(
        db,
        subject_kind=alert.subject_kind,
        subject_id=alert.subject_id,
        since=since,
        until=until,
        viewer=SYSTEM,
        limit=MOST_TITLES,
    )
    sizes = posts.story_sizes(db, [post.story_id for post in told if post.story_id is not None])
    weights = {post.id: max(0.05, -(post.sentiment_score or 0.0)) for post in told}
    total = sum(weights.values())
    ranked = sorted(told, key=lambda post: (-weights[post.id], post.id))
    return tuple(
        Driver(
            post_id=post.id,
            title=post.title,
            part=weights[post.id] / total,
            n_posts=sizes.get(post.story_id or 0, 1),
            sentiment_score=post.sentiment_score,
        )
        for post in ranked[:MOST_DRIVERS]
    )


def _words(db: Reads, alert: Alert, *, since: int, until: int) -> tuple[RisenWord, ...]:
    now = _titles(db, alert, since=since, until=until)
    before = _titles(db, alert, since=since - WORDS_BEFORE_MS, until=since)
    return risen_words(now, before, leave_out=_names(db, alert))


def _titles(db: Reads, alert: Alert, *, since: int, until: int) -> tuple[str, ...]:
    return stories.titles(
        db,
        subject_kind=alert.subject_kind,
        subject_id=alert.subject_id,
        since=since,
        until=until,
        limit=MOST_TITLES,
    )


def _names(db: Reads, alert: Alert) -> tuple[str, ...]:
    if alert.subject_kind != "entity":
        return ()
    entity = companies.get(db, int(alert.subject_id))
    return entity.name, entity.ticker, *entity.aliases


def _precedents(db: Reads, alert: Alert, *, words: tuple[RisenWord, ...]) -> tuple[Precedent, ...]:
    before = {one.alert_id: one for one in evidence_rows.latest(db, limit=LATEST) if one.alert_id != alert.id}
    said = alert_feedback.of_alerts(db, before)
    found = []
    for other in alerts.of_ids(db, before):
        is_same = (other.subject_kind, other.subject_id) == (alert.subject_kind, alert.subject_id)
        like = likeness(is_same_subject=is_same, words=words, others=before[other.id].words)
        if like >= LEAST_LIKENESS:
            found.append(
                Precedent(
                    alert_id=other.id,
                    started_at=other.started_at,
                    likeness=round(like, 3),
                    is_acknowledged=other.acknowledged_at is not None,
                    remark=said.get(other.id),
                )
            )
    return tuple(sorted(found, key=lambda one: (-one.likeness, -one.started_at))[:MOST_PRECEDENTS])
