"""Rules, alerts and their states."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from app.core.durations import DAY_MS, HOUR_MS
from app.market.domain.market import SubjectKind

AlertState = Literal["inactive", "pending", "firing", "recovering", "resolved"]
Severity = Literal["info", "warning", "critical"]
RuleKind = Literal["surge", "volume", "threshold", "absence", "mention"]

OPEN_STATES: tuple[AlertState, ...] = ("pending", "firing", "recovering")


@dataclass(frozen=True, kw_only=True)
class Rule:
    """The condition under which news of a subject is an alert. It judges each subject of `subject_kind`, or one.

    `surge`: the negative share is improbable for this subject and hour; `volume`: the number of stories is. Both keep
    `budget` false alarms a week over all their subjects, or less where the rules of the dashboard would add up to more
    than it allows, and choose their windows themselves; before seven days are known, a surge is judged as a threshold.
    `threshold`: a window of `window_ms` has at least `min_stories` stories and `min_negative` negative ones, and its
    negative share is at least `share` and at least `lift` times the baseline's. `absence`: no post for `window_ms`.
    `mention`: any story, or at least `min_negative` negative ones.

    The condition must hold for `pending_ms` before firing, and be gone for `recovering_ms` before the alert is
    resolved. After that nothing of this rule and subject fires for `cooldown_ms`.
    """

    id: int
    name: str
    kind: RuleKind = "threshold"
    budget: float = 1.0
    subject_kind: SubjectKind = "entity"
    subject_id: str | None = None
    window_ms: int = DAY_MS
    baseline_ms: int = 28 * DAY_MS
    min_stories: int = 8
    min_negative: int = 6
    share: float = 0.5
    lift: float = 1.5
    pending_ms: int = 0
    recovering_ms: int = 6 * HOUR_MS
    cooldown_ms: int = 2 * HOUR_MS
    severity: Severity = "warning"
    is_active: bool = True
    version: int = 1

    @property
    def is_calibrated(self) -> bool:
        """True for a rule that sets its own thresholds so that it keeps its budget."""
        return self.kind in ("surge", "volume")


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The finding of a rule at one moment, with the figures that explain it."""

    is_met: bool
    observed: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Alert:
    """One episode of a rule on a subject: its state, since when, and the figures behind it.

    `since_at` is when the present state began, `firing_at` when this episode fired, `clear_at` when the condition was
    last seen to end. `model` is the artifact whose predictions were counted. `muted_by` is the market-wide alert that
    speaks for this one.
    """

    id: int
    rule_id: int
    subject_kind: SubjectKind
    subject_id: str
    state: AlertState
    severity: Severity
    since_at: int
    started_at: int
    firing_at: int | None = None
    clear_at: int | None = None
    resolved_at: int | None = None
    acknowledged_at: int | None = None
    acknowledged_by: int | None = None
    acknowledged_note: str = ""
    muted_by: int | None = None
    is_no_data: bool = False
    observed: Mapping[str, Any] = field(default_factory=dict)
    model: str = ""
    version: int = 1


@dataclass(frozen=True, kw_only=True)
class AlertFilter:
    """The alerts of a list: in one of these states, on this subject (None: all)."""

    states: Sequence[AlertState] | None = None
    subject_kind: SubjectKind | None = None
    subject_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class Transition:
    """A step of an alert's state machine; `reason` is a code."""

    before: AlertState
    after: AlertState
    at: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class Silence:
    """Nobody is told about alerts of this subject (None: all) until `until`; who said so and why."""

    id: int
    subject_kind: SubjectKind | None
    subject_id: str | None
    since: int
    until: int
    user_id: int
    comment: str
    version: int = 1
