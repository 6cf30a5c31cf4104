"""A market that never was: seeded stories an hour with surges of bad news and bursts of ordinary news in them.

Stories have a daily and a weekly season and a slowly varying rate, so that their counts are over-dispersed; the
negative share 0.22 wanders slowly too (beta-binomial correlation about 0.009 in windows of four hours, at which a plain
binomial test of p < 0.001 raises one false alarm a week at 30 stories an hour). A surge is 8 hours of share 0.45
and 1.8 times the stories, a burst 1.8 times the stories alone; both come 0.57 times a week after four quiet weeks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from app.alerts.decide.count_grid import Array, Grid
from app.core.durations import HOUR_MS

WEEK = 168
QUIET_WEEKS = 4
USUAL_SHARE, SURGE_SHARE = 0.22, 0.45
MORE, LENGTH = 1.8, 8
EVENTS_A_WEEK = 0.57
WANDER_SHARE, WANDER_RATE, MEMORY_HOURS = 0.009, 0.3, 6.0


@dataclass(frozen=True, kw_only=True)
class Event:
    """What happened to one subject from an hour on: a surge, or a burst of ordinary news."""

    subject: int
    hour: int
    is_surge: bool


@dataclass(frozen=True, kw_only=True)
class World:
    """The counts and what is true of them."""

    grid: Grid
    events: tuple[Event, ...]


def world(*, stories_an_hour: float, n_subjects: int, n_weeks: int, seed: int) -> World:
    """Subjects with so many stories an hour on average, over so many weeks."""
    random = np.random.default_rng([seed, round(10 * stories_an_hour)])
    n_hours = n_weeks * WEEK
    events = _events(random, n_subjects=n_subjects, n_weeks=n_weeks)
    is_surge, is_any = np.zeros((n_subjects, n_hours), bool), np.zeros((n_subjects, n_hours), bool)
    for event in events:
        hours = slice(event.hour, event.hour + LENGTH)
        is_any[event.subject, hours] = True
        is_surge[event.subject, hours] = event.is_surge
    wander = _wandering(random, shape=is_any.shape) * np.sqrt(WANDER_SHARE / (USUAL_SHARE * (1 - USUAL_SHARE)))
    usual = np.where(is_surge, SURGE_SHARE, USUAL_SHARE)
    share = 1 / (1 + np.exp(-(np.log(usual / (1 - usual)) + wander)))
    pace = np.exp(WANDER_RATE * _wandering(random, shape=is_any.shape) - WANDER_RATE**2 / 2)
    stories = random.poisson(stories_an_hour * _season(n_hours) * pace * np.where(is_any, MORE, 1.0))
    negative = random.binomial(stories, share)
    grid = Grid(
        first_at=0,
        bin_ms=HOUR_MS,
        stories=stories.astype(np.float64),
        negative=negative.astype(np.float64),
        slots=np.arange(n_hours, dtype=np.int64) % WEEK,
    )
    return World(grid=grid, events=events)


def _season(n_hours: int) -> Array:
    hour = np.arange(n_hours)
    shape = np.exp(0.8 * np.sin(2 * np.pi * (hour % 24 - 9) / 24)) * np.where(hour // 24 % 7 >= 5, 0.5, 1.0)
    season: Array = shape / shape.mean()
    return season


def _wandering(random: np.random.Generator, *, shape: tuple[int, int]) -> Array:
    """Unit noise with a memory of some hours."""
    keep = np.exp(-1 / MEMORY_HOURS)
    noise = random.standard_normal(shape)
    noise[:, 1:] *= np.sqrt(1 - keep**2)
    for hour in range(1, shape[1]):
        noise[:, hour] += keep * noise[:, hour - 1]
    return noise


def _events(random: np.random.Generator, *, n_subjects: int, n_weeks: int) -> tuple[Event, ...]:
    """At most one surge and one burst of a subject in a week, with a day between any two."""
    found: list[Event] = []
    for subject in range(n_subjects):
        taken: list[int] = []
        for week in range(QUIET_WEEKS, n_weeks):
            for is_surge in (True, False):
                hour = week * WEEK + int(random.integers(0, WEEK - LENGTH))
                if random.random() < EVENTS_A_WEEK and all(abs(hour - other) >= 24 + LENGTH for other in taken):
                    found.append(Event(subject=subject, hour=hour, is_surge=is_surge))
                    taken.append(hour)
    return tuple(found)
