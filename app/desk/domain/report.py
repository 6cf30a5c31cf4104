"""Figures of the desk over a period."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Figures:
    """Sums over a stretch of time; `first_ms` and `solved_ms` add the calendar time from arrival.

    `n_rerouted` of the `n_routed` tickets that a rule moved were moved again by a person.
    """

    n_arrived: int = 0
    n_first: int = 0
    first_ms: int = 0
    n_first_late: int = 0
    n_solved: int = 0
    solved_ms: int = 0
    n_solved_late: int = 0
    n_reopened: int = 0
    n_moved_in: int = 0
    n_moved_out: int = 0
    n_routed: int = 0
    n_rerouted: int = 0

    @property
    def mean_first_ms(self) -> int | None:
        """Mean time to the first response."""
        return self.first_ms // self.n_first if self.n_first > 0 else None

    @property
    def mean_solved_ms(self) -> int | None:
        """Mean time to the resolution."""
        return self.solved_ms // self.n_solved if self.n_solved > 0 else None

    @property
    def first_met_rate(self) -> float | None:
        """Share of first responses that came in time."""
        return _rate(self.n_first - self.n_first_late, self.n_first)

    @property
    def solved_met_rate(self) -> float | None:
        """Share of resolutions that came in time."""
        return _rate(self.n_solved - self.n_solved_late, self.n_solved)

    @property
    def automation_rate(self) -> float | None:
        """Share of arrivals that a rule moved to their queue and no person moved again."""
        return _rate(self.n_routed - self.n_rerouted, self.n_arrived)

    @property
    def growth(self) -> int:
        """By how much the number of open tickets changed."""
        return self.n_arrived + self.n_moved_in - self.n_solved - self.n_moved_out


@dataclass(frozen=True, kw_only=True)
class Step:
    """One day or week: from `since` to before `until` in milliseconds UTC; `backlog` is what was open at its end."""

    since: int
    until: int
    figures: Figures
    backlog: int


@dataclass(frozen=True, kw_only=True)
class IntentFigures:
    """The number of tickets read as an intent, and of those that a person corrected."""

    intent: str
    n_read: int
    n_corrected: int

    @property
    def correction_rate(self) -> float | None:
        """Share that was corrected."""
        return _rate(self.n_corrected, self.n_read)


@dataclass(frozen=True, kw_only=True)
class AgentFigures:
    """The work of one person."""

    user_id: int
    n_replies: int
    n_solved: int


@dataclass(frozen=True, kw_only=True)
class Report:
    """A stretch of time in steps, with its sums; `n_open` is what is open now."""

    steps: tuple[Step, ...]
    total: Figures
    n_open: int
    intents: tuple[IntentFigures, ...] = field(default=())
    agents: tuple[AgentFigures, ...] = field(default=())


def _rate(part: int, whole: int) -> float | None:
    return max(min(part / whole, 1.0), 0.0) if whole > 0 else None
