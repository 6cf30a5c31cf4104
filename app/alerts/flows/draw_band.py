"""The expected band of a chart of the market, from the weeks that surges are measured against."""

from __future__ import annotations

from collections.abc import Sequence

from app.alerts.decide import expected_band
from app.alerts.decide.history_scoring import BASELINE_DAYS, GUARD_DAYS
from app.core import clock
from app.core.durations import DAY_MS
from app.core.permissions import Viewer
from app.core.services import Services
from app.market.domain.market import SubjectKind
from app.market.domain.series import Expected, Point
from app.market.flows import find_silent_feeds, show_market


def draw_band(
    services: Services,
    drawn: Sequence[Point],
    *,
    subject_kind: SubjectKind,
    subject_id: str,
    step_ms: int,
    viewer: Viewer | None,
) -> tuple[Expected, ...]:
    """Return the expected range of a subject in each step that is drawn; raise NotFound for a feed out of sight."""
    now = clock.now_ms()
    until = now - now % DAY_MS - GUARD_DAYS * DAY_MS
    since = until - BASELINE_DAYS * DAY_MS
    past = show_market.hours(services, subject_kind, subject_id, since=since, until=until, viewer=viewer)
    is_daily = find_silent_feeds.daily(services, subject_kind, now=now)(subject_id)
    return expected_band.expected_ranges(
        past, since=since, until=until, points=drawn, step_ms=step_ms, now=now, zone=services.policy.zone,
        is_daily=is_daily,
    )  # fmt: skip
