"""Back-tests: the alerts that a rule would have raised over stored history."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.core.durations import DAY_MS


@dataclass(frozen=True, kw_only=True)
class Episode:
    """One alert that would have fired, from its first evaluation to its last."""

    subject_id: str
    started_at: int
    ended_at: int


@dataclass(frozen=True, kw_only=True)
class Backtest:
    """The alerts of a rule over a stretch of history, the latest first.

    `n_subjects` were judged, those most spoken of, out of `n_known`.
    """

    since: int
    until: int
    n_subjects: int
    n_known: int
    episodes: Sequence[Episode]

    @property
    def a_week(self) -> float:
        """The number of alerts a week."""
        return len(self.episodes) * 7 * DAY_MS / max(self.until - self.since, 1)


def later_by(one: Backtest, *, than: Backtest) -> float | None:
    """Return by how much later (ms, median) `one` fires on the alerts that both have; None when they share none."""
    delays = sorted(
        mine.started_at - theirs.started_at
        for mine in one.episodes
        for theirs in than.episodes
        if mine.subject_id == theirs.subject_id
        and mine.started_at <= theirs.ended_at + DAY_MS
        and theirs.started_at <= mine.ended_at + DAY_MS
    )
    middle = len(delays) // 2
    return None if not delays else (delays[middle] + delays[-1 - middle]) / 2
