"""Back-tests: a rule over the stored hours, before it is switched on."""

from __future__ import annotations

from collections.abc import Sequence

from app.alerts.decide import replay
from app.alerts.decide.count_grid import Grid
from app.alerts.decide.history_scoring import BASELINE_DAYS, GUARD_DAYS, LAW_DAYS
from app.alerts.domain.alert import Rule
from app.alerts.domain.backtest import Backtest, Episode
from app.alerts.flows.learn_baselines import grid_of
from app.core import clock
from app.core.durations import DAY_MS, HOUR_MS
from app.core.errors import InputError
from app.core.services import Services
from app.market.store import buckets

MOST_SUBJECTS = 100
"""The most spoken of are judged, so that an answer takes seconds."""

MOST_DAYS = 90


def back_test(services: Services, rule: Rule, *, days: int, now: int | None = None) -> Backtest:
    """Return the alerts that a rule would have raised in so many whole days before today.

    Raises InputError `no_backtest` for a rule that waits for silence: silence is not counted by the hour.
    """
    if rule.kind == "absence":
        raise InputError("no_backtest")
    today = clock.now_ms() if now is None else now
    until = today - today % DAY_MS
    since = until - min(max(days, 1), MOST_DAYS) * DAY_MS
    lead = LAW_DAYS + BASELINE_DAYS + GUARD_DAYS
    grid, subject_ids = grid_of(services, rule.subject_kind, until=until, n_days=(until - since) // DAY_MS + lead)
    known = [row for row, one in enumerate(subject_ids) if rule.subject_id in (None, one)]
    rows = sorted(known, key=lambda row: -float(grid.stories[row].sum()))[:MOST_SUBJECTS]
    chosen = [subject_ids[row] for row in rows]
    found: Sequence[Episode] = ()
    if rows and rule.kind in ("surge", "volume"):
        found = _surges(rule, grid=grid, rows=rows, subject_ids=chosen, since=since)
    elif rows:
        found = [one for subject_id in chosen for one in _counted(services, rule, subject_id, since=since, until=until)]
    return Backtest(
        since=since,
        until=until,
        n_subjects=len(rows),
        n_known=len(known),
        episodes=sorted(found, key=lambda one: -one.started_at),
    )


def _surges(rule: Rule, *, grid: Grid, rows: list[int], subject_ids: list[str], since: int) -> tuple[Episode, ...]:
    some = Grid(
        first_at=grid.first_at,
        bin_ms=grid.bin_ms,
        stories=grid.stories[rows],
        negative=grid.negative[rows],
        slots=grid.slots,
    )
    first_day = max(0, (since - grid.first_at) // DAY_MS)
    return replay.surges(rule, grid=some, subject_ids=subject_ids, first_day=first_day)


def _counted(services: Services, rule: Rule, subject_id: str, *, since: int, until: int) -> tuple[Episode, ...]:
    kept = buckets.of_subject(
        services.db,
        subject_kind=rule.subject_kind,
        subject_id=subject_id,
        since=since - rule.window_ms - rule.baseline_ms,
        until=until,
    )
    steps = replay.backtest(rule, buckets=kept, since=since, until=until, step_ms=HOUR_MS)
    return replay.episodes(steps, subject_id=subject_id, until=until)
