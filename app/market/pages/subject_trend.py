"""The trend of a subject of the market: its points, their charts, and its figures beside the period before."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial

from flask import request

from app.core import clock
from app.core.durations import DAY_MS, HOUR_MS
from app.market.domain.dashboard import DAYS
from app.market.domain.market import SubjectKind
from app.market.domain.series import Expected, Point
from app.market.flows import find_alerts, show_market
from app.market.flows.find_alerts import SubjectAlert
from app.web.access import services, viewer
from app.web.display import charts, formats
from app.web.display.translation import gettext as _

DEFAULT_DAYS = 28
STEPS_MS = dict(zip(DAYS, (HOUR_MS, 6 * HOUR_MS, 12 * HOUR_MS, DAY_MS, DAY_MS), strict=True))
"""The step in which a period of so many days is drawn: 24 to 84 of them."""


@dataclass(frozen=True, kw_only=True)
class Stretch:
    """A stretch of time in ms UTC, cut into steps, and the one of the same length before it."""

    days: int
    since: int
    until: int
    step_ms: int

    @property
    def before(self) -> int:
        """When the stretch before began."""
        return 2 * self.since - self.until


@dataclass(frozen=True, kw_only=True)
class Course:
    """A subject's points, what is usual of each, and their three charts."""

    points: tuple[Point, ...]
    usual: tuple[Expected, ...]
    sentiment: charts.Plot
    share: charts.Plot
    volume: charts.Plot


@dataclass(frozen=True, kw_only=True)
class Figures:
    """A subject in one line: net sentiment and negative share now and before, unique stories and posts."""

    net: float | None
    net_before: float | None
    share: float | None
    share_before: float | None
    n_stories: int
    n_posts: int


def periods() -> list[tuple[int, str]]:
    """Return the periods to choose from, in days."""
    names = {2: _("2 days"), 7: _("7 days"), 14: _("14 days"), 28: _("4 weeks"), 84: _("12 weeks")}
    return list(names.items())


def chosen_stretch() -> Stretch:
    """Return the period that the address asks for, ending with the present step."""
    text = request.args.get("days", "")
    days = int(text) if text in {str(days) for days in STEPS_MS} else DEFAULT_DAYS
    step_ms = STEPS_MS[days]
    until = clock.now_ms() // step_ms * step_ms + step_ms
    return Stretch(days=days, since=until - days * DAY_MS, until=until, step_ms=step_ms)


def points_of(kind: SubjectKind, subject_id: str, *, stretch: Stretch) -> tuple[Point, ...]:
    """Return the subject's points over the stretch."""
    return show_market.series(
        services(),
        kind,
        subject_id,
        since=stretch.since,
        until=stretch.until,
        step_ms=stretch.step_ms,
        viewer=viewer(),
    )


def alerts_of(kind: SubjectKind, subject_id: str) -> Sequence[SubjectAlert]:
    """Return the newest alerts of the subject that the reader may see."""
    return find_alerts.of_subject(services(), kind, subject_id, viewer=viewer())


def usual_of(kind: SubjectKind, subject_id: str, points: tuple[Point, ...], *, step_ms: int) -> tuple[Expected, ...]:
    """Return the usual figures of the subject at each of its points."""
    return show_market.usual(
        services(), points, subject_kind=kind, subject_id=subject_id, step_ms=step_ms, viewer=viewer()
    )


def _title(point: Point, usual: Expected, *, stamp: charts.Stamp) -> str:
    seen = _(
        "%(at)s: net %(net)s, %(negative)s negative of %(stories)s stories",
        at=stamp(point.at),
        net=formats.signed(point.net_sentiment),
        negative=point.n_negative,
        stories=point.n_stories,
    )
    if usual.stories is None:
        return seen
    known = _(
        "usually net %(net)s, %(share)s negative, %(stories)s stories",
        net=formats.signed_range(usual.net),
        share=formats.percent_range(usual.share),
        stories=formats.count_range(usual.stories),
    )
    return f"{seen} ({known})"


def course(kind: SubjectKind, subject_id: str, *, stretch: Stretch, past: Iterable[SubjectAlert] = ()) -> Course:
    """Draw a subject over the stretch before its usual range; alerts are marked where they were firing."""
    points, step_ms = points_of(kind, subject_id, stretch=stretch), stretch.step_ms
    usual = usual_of(kind, subject_id, points, step_ms=step_ms)
    exact = formats.day if step_ms >= DAY_MS else formats.day_hour
    stamp = formats.day if step_ms > HOUR_MS else formats.day_hour
    now = clock.now_ms()
    frame = charts.Frame(
        stamp=stamp,
        titles=[_title(point, one, stamp=exact) for point, one in zip(points, usual, strict=True)],
        spans=[(alert.firing_at, alert.resolved_at or now) for alert in past if alert.firing_at],
        usual=usual,
    )
    return Course(
        points=points,
        usual=usual,
        sentiment=charts.sentiment_plot(points, frame=frame),
        share=charts.share_plot(points, frame=frame),
        volume=charts.volume_plot(points, frame=frame),
    )


def figures(kind: SubjectKind, subject_id: str, *, stretch: Stretch) -> Figures:
    """Return a subject's sums over the stretch, beside those of the stretch before."""
    window = partial(show_market.window, services(), kind, subject_id, viewer=viewer())
    now, before = (
        window(since=since, until=until)
        for since, until in ((stretch.since, stretch.until), (stretch.before, stretch.since))
    )
    return Figures(
        net=now.net_sentiment,
        net_before=before.net_sentiment,
        share=now.negative_share,
        share_before=before.negative_share,
        n_stories=now.n_stories,
        n_posts=now.n_posts,
    )
