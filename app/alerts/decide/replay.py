"""Replay of stored history: the evaluation and the state machine of a rule, run over past hours."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from app.alerts.decide.alert_states import next_state
from app.alerts.decide.baseline_learning import group_rows, select_rows
from app.alerts.decide.count_grid import Array, Grid
from app.alerts.decide.history_scoring import LAW_DAYS, Scored, daily_maxima, history
from app.alerts.decide.rule_conditions import evaluate, windows
from app.alerts.decide.threshold_calibration import law
from app.alerts.domain.alert import Alert, Rule, Transition
from app.alerts.domain.backtest import Episode
from app.alerts.domain.baseline import Measure
from app.core.durations import HOUR_MS
from app.market.decide.bucketing import Timeline
from app.market.domain.series import Bucket


def backtest(
    rule: Rule, *, buckets: Sequence[Bucket], since: int, until: int, step_ms: int = HOUR_MS
) -> tuple[Transition, ...]:
    """Return the transitions of one subject's alert, with the rule evaluated every `step_ms` from `since` to `until`.

    `buckets` are one subject's, from `since` less window and baseline on; where they begin later the baseline is
    unknown at first.
    """
    if not buckets:
        return ()
    timeline = Timeline(buckets)
    alert: Alert | None = None
    transitions: list[Transition] = []
    for now in range(since, until, step_ms):
        window, baseline = windows(rule, timeline=timeline, now=now)
        alert, transition = next_state(
            alert,
            rule=rule,
            verdict=evaluate(rule, window=window, baseline=baseline),
            now=now,
            subject_kind=buckets[0].subject_kind,
            subject_id=buckets[0].subject_id,
            model="",
        )
        if transition is not None:
            transitions.append(transition)
    return tuple(transitions)


def episodes(transitions: Sequence[Transition], *, subject_id: str, until: int) -> tuple[Episode, ...]:
    """Return the alerts that fired among one subject's transitions; one that goes on ends at `until`."""
    found: list[Episode] = []
    for step in transitions:
        if step.after == "firing" and step.reason == "fired":
            found.append(Episode(subject_id=subject_id, started_at=step.at, ended_at=until))
        elif step.after in ("recovering", "resolved") and found:
            found[-1] = Episode(subject_id=subject_id, started_at=found[-1].started_at, ended_at=step.at)
    return tuple(found)


def surges(rule: Rule, *, grid: Grid, subject_ids: Sequence[str], first_day: int) -> tuple[Episode, ...]:
    """Return the alerts of a rule of surges in the days of an hourly grid from `first_day` on.

    Each day is judged by the baselines and thresholds of the night before it.
    """
    measure: Measure = "volume" if rule.kind == "volume" else "surge"
    parts = []
    maxima = np.full((grid.n_subjects, grid.n_bins // 24), np.nan)
    for (is_daily, lengths), rows in group_rows(grid, measure=measure).items():
        some = select_rows(grid, rows, is_daily=is_daily)
        widths = [length // some.bin_ms for length in lengths]
        begin = max(0, first_day - LAW_DAYS)
        scored = history(some, widths=widths, first_day=begin, is_hourly=not is_daily, measure=measure)
        highest = daily_maxima(scored.scores, bins_a_day=some.bins_a_day)
        maxima[rows, begin : begin + highest.shape[1]] = highest
        parts.append((rows, some, begin, scored))
    cuts = _thresholds(maxima, a_day=rule.budget / 7 / max(1, grid.n_subjects), measure=measure)
    return tuple(
        one
        for rows, some, begin, scored in parts
        for place, row in enumerate(rows)
        for one in _surges(
            rule,
            grid=some,
            begin=begin,
            first_day=first_day,
            scored=scored,
            place=place,
            cuts=cuts[row],
            subject_id=subject_ids[row],
        )
    )


def _thresholds(maxima: Array, *, a_day: float, measure: Measure) -> Array:
    """Return the threshold [s, d] in force on each day, set by the days before it."""
    found = np.empty_like(maxima)
    for day in range(maxima.shape[1]):
        known = law(maxima[:, max(0, day - LAW_DAYS) : day], is_trimming=measure == "surge")
        found[:, day] = known.thresholds(a_day)
    return found


def _surges(
    rule: Rule,
    *,
    grid: Grid,
    begin: int,
    first_day: int,
    scored: Scored,
    place: int,
    cuts: Array,
    subject_id: str,
) -> Iterator[Episode]:
    """Yield one subject's alerts: begun at the threshold, held above half of it, over after the time to recover."""
    a_day = grid.bins_a_day
    scores, enough = scored.scores[place], scored.passes[place]
    started: int | None = None
    last = 0
    for index in range((first_day - begin) * a_day, len(scores)):
        at = grid.first_at + (begin * a_day + index + 1) * grid.bin_ms
        cut = cuts[min(begin + index // a_day, len(cuts) - 1)]
        if started is not None and at - last > rule.recovering_ms + grid.bin_ms:
            yield Episode(subject_id=subject_id, started_at=started, ended_at=last)
            started = None
        if (scores[index] >= cut and enough[index]) or (started is not None and scores[index] >= cut / 2):
            started = at if started is None else started
            last = at
    if started is not None:
        yield Episode(subject_id=subject_id, started_at=started, ended_at=last)
