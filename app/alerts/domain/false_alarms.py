"""False alarms: the allowed rate, the one that people's feedback gives, and back-tests."""

from __future__ import annotations

from dataclasses import dataclass

from app.core.durations import DAY_MS
from app.market.domain.market import SubjectKind


@dataclass(frozen=True, kw_only=True)
class AlarmBudget:
    """The false alarms a week that all rules of surges together may raise."""

    a_week: float
    id: int = 1
    version: int = 1


@dataclass(frozen=True, kw_only=True)
class Measured:
    """People's feedback on the alerts that a rule, or all, fired in so many weeks; the last word on each counts."""

    weeks: float
    n_fired: int = 0
    n_false: int = 0
    n_useful: int = 0

    @property
    def n_open(self) -> int:
        """The number of alerts without feedback."""
        return self.n_fired - self.n_false - self.n_useful

    @property
    def low(self) -> float:
        """False alarms a week, if all alerts without feedback were useful."""
        return self.n_false / self.weeks

    @property
    def high(self) -> float:
        """False alarms a week, if all alerts without feedback were false."""
        return (self.n_false + self.n_open) / self.weeks


@dataclass(frozen=True, kw_only=True)
class RuleCheck:
    """The alarms, true and false, that a rule as it is would have raised from `since` to `until`."""

    rule_id: int
    since: int
    until: int
    n_alarms: int
    n_subjects: int
    n_known: int

    @property
    def a_week(self) -> float:
        """The number of alarms a week."""
        return self.n_alarms * 7 * DAY_MS / max(self.until - self.since, 1)


@dataclass(frozen=True, kw_only=True)
class RuleRecord:
    """A rule beside its measured rate, the `allowed` one (None: it has no budget), and the last back-test."""

    rule_id: int
    allowed: float | None
    measured: Measured
    check: RuleCheck | None


@dataclass(frozen=True, kw_only=True)
class Reckoning:
    """All rules beside the budget of the dashboard; `n_missed` surges were reported that raised no alert."""

    budget: AlarmBudget
    rules: tuple[RuleRecord, ...]
    whole: Measured
    n_missed: int
    backtest_a_week: float | None


@dataclass(frozen=True, kw_only=True)
class Rare:
    """A subject with too few stories a day for a rule of surges; `is_mention_watched`: a rule alerts on mentions."""

    subject_kind: SubjectKind
    subject_id: str
    stories_a_day: float
    is_mention_watched: bool
