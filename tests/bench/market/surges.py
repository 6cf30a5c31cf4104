"""Surges of bad news in a simulated market: what is found, how soon, and how often nothing was there.

`python -m tests.bench surges` writes results/surges.json. Thresholds are set every night for 0.25 false alarms a
subject and week; the usual tests stand beside, at the thresholds they are sold with. See market/simulator.py.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

import numpy as np

from app.alerts.decide.count_grid import Grid, rolled
from app.alerts.decide.history_scoring import history, notifications, thresholds
from app.alerts.decide.robust_fit import fit, usual_rate
from app.alerts.decide.surge import RARE_A_DAY, Flags, windows_for
from app.alerts.decide.tail_probabilities import beta_binomial
from app.core.durations import HOUR_MS
from app.market.decide.bucketing import tally
from app.market.domain.series import Saying
from tests.bench.machine import machine
from tests.bench.market.simulator import LENGTH, QUIET_WEEKS, USUAL_SHARE, WEEK, World, world

RESULT = Path(__file__).parents[1] / "results" / "surges.json"
RATES = (1, 5, 30)
N_SUBJECTS, N_WEEKS, SEED = 240, 10, 20251124
BUDGET_A_WEEK = 0.25
COPIES = 50
MERGE, REPEAT = 6, 24


def ours(grid: Grid) -> tuple[Flags, int]:
    """Where the product's own detector raises alarms [s, t], and the longest window it looks at."""
    a_day = float(grid.stories[:, : QUIET_WEEKS * WEEK].mean()) * 24
    widths = [window // HOUR_MS for window in windows_for(a_day, bin_ms=HOUR_MS)]
    scored = history(grid, widths=widths)
    cut = thresholds(scored, alarms_a_day=BUDGET_A_WEEK / 7, bins_a_day=24)
    return scored.alarms(cut), max(widths)


def _home_made(grid: Grid) -> tuple[Flags, int]:
    stories, negative = rolled(grid.stories, 4), rolled(grid.negative, 4)
    return (negative > 1.8 * USUAL_SHARE * stories) & (stories >= 10), 4


def _binomial(grid: Grid) -> tuple[Flags, int]:
    stories, negative = rolled(grid.stories, 4), rolled(grid.negative, 4)
    found = beta_binomial(negative.ravel(), stories.ravel(), share=USUAL_SHARE, rho=1e-6)
    return found.reshape(stories.shape) >= 3.0, 4


def _beta_binomial(grid: Grid) -> tuple[Flags, int]:
    quiet = slice(0, QUIET_WEEKS * WEEK)
    past, slots = grid.stories[:, quiet], grid.slots[quiet]
    usual = fit(past, grid.negative[:, quiet], slots=slots, width=4, rate=usual_rate(past, slots=slots))
    stories, negative = rolled(grid.stories, 4), rolled(grid.negative, 4)
    n_bins = stories.shape[1]
    found = beta_binomial(
        negative.ravel(), stories.ravel(), share=np.repeat(usual.share, n_bins), rho=np.repeat(usual.rho, n_bins)
    )
    return found.reshape(stories.shape) >= 3.0, 4


DETECTORS: dict[str, Callable[[Grid], tuple[Flags, int]]] = {
    "bellwether": ours,
    "beta-binomial p < 0.001": _beta_binomial,
    "binomial p < 0.001": _binomial,
    "share > 1.8 × usual, n ≥ 10": _home_made,
}


def judged(made: World, alarms: Flags, *, width: int) -> dict[str, object]:
    """What alarms are worth: an event is met by an alarm from its first hour until its last window has passed.

    By chance as many bursts are met as such stretches are at the same hour of the subject's quiet weeks.
    """
    alarms = alarms.copy()
    alarms[:, : QUIET_WEEKS * WEEK] = False
    near = np.zeros_like(alarms)
    met: dict[bool, list[int]] = {True: [], False: []}
    for event in made.events:
        around = slice(event.hour, event.hour + LENGTH + width)
        near[event.subject, around] = True
        raised = np.flatnonzero(alarms[event.subject, around])
        if raised.size:
            met[event.is_surge].append(int(raised[0]) + 1)
    told = [(row, at) for row in range(len(alarms)) for at in notifications(alarms[row], merge=MERGE, repeat=REPEAT)]
    n_surges = sum(event.is_surge for event in made.events)
    n_bursts = len(made.events) - n_surges
    weeks = alarms.shape[0] * (alarms.shape[1] / WEEK - QUIET_WEEKS)
    n_false = sum(not near[row, at] for row, at in told)
    quiet = ~near[:, QUIET_WEEKS * WEEK :]
    by_chance = float(alarms[:, QUIET_WEEKS * WEEK :][quiet].mean())
    return {
        "subject_weeks": weeks,
        "false_alarms": n_false,
        "false_a_week": round(n_false / weeks, 3),
        "surges": n_surges,
        "found": len(met[True]),
        "recall": round(len(met[True]) / n_surges, 3),
        "median_delay_hours": statistics.median(met[True]) if met[True] else None,
        "bursts": n_bursts,
        "bursts_told": len(met[False]),
        "bursts_expected_by_chance": round(n_bursts * _in_quiet_weeks(made, alarms, near=near, width=width), 1),
        "quiet_hours_in_alarm": round(by_chance, 5),
    }


def _in_quiet_weeks(made: World, alarms: Flags, *, near: Flags, width: int) -> float:
    """How often an alarm falls into a stretch as long as a burst's, at the same hour of weeks without an event."""
    met = []
    for event in made.events:
        for begin in range(event.hour % WEEK, alarms.shape[1], WEEK):
            around = slice(begin, begin + LENGTH + width)
            if not event.is_surge and begin >= QUIET_WEEKS * WEEK and not near[event.subject, around].any():
                met.append(bool(alarms[event.subject, around].any()))
    return float(np.mean(met))


def reposted(made: World, alarms: Flags) -> dict[str, int]:
    """One negative story told 50 times within an hour of each subject: alarms that were not there without it."""
    hour = (QUIET_WEEKS + 1) * WEEK + 12
    stories, negative = made.grid.stories.copy(), made.grid.negative.copy()
    copies = [
        Saying(
            subject_kind="entity",
            subject_id="1",
            post_id=number,
            at=hour * HOUR_MS + number,
            story_id=1,
            sentiment="negative",
            sentiment_score=-1.0,
        )
        for number in range(1, COPIES + 1)
    ]
    for bucket in tally(copies):
        stories[:, hour] += bucket.n_stories
        negative[:, hour] += bucket.n_negative
    again, _ = ours(
        Grid(first_at=0, bin_ms=HOUR_MS, stories=stories, negative=negative, slots=made.grid.slots),
    )
    window = slice(hour, hour + 24)
    new = (again & ~alarms)[:, window].any(axis=1) & ~alarms[:, window].any(axis=1)
    return {"posts": COPIES * len(alarms), "subjects": len(alarms), "alarms": int(new.sum())}


def main() -> None:
    """Measure and write the result."""
    began, rows = perf_counter(), {}
    again: dict[str, int] = {}
    for rate in RATES:
        made = world(stories_an_hour=rate, n_subjects=N_SUBJECTS, n_weeks=N_WEEKS, seed=SEED)
        for name, detect in DETECTORS.items():
            alarms, width = detect(made.grid)
            rows[f"{rate} an hour: {name}"] = judged(made, alarms, width=width)
            print(rate, name, rows[f"{rate} an hour: {name}"], flush=True)
            if name == "bellwether" and rate == 5:
                again = reposted(made, alarms)
    result = {
        "budget_a_week": BUDGET_A_WEEK,
        "target": {"false_a_week": [0.18, 0.33], "recall": {"5": 0.66, "30": 0.93}},
        "told_to_be_rare": [rate for rate in RATES if rate * 24 < RARE_A_DAY],
        "rows": rows,
        "reposted_story": again,
        "seconds": round(perf_counter() - began, 1),
        "machine": machine(),
    }
    RESULT.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
