"""Evidence of an alert: the figures seen and expected, and the stories and words behind them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from app.alerts.domain.alert import RuleKind

Remark = Literal["false_alarm", "useful", "missed"]


@dataclass(frozen=True, kw_only=True)
class Measured:
    """A figure seen, the one expected, and the 95 % interval of the one seen (`low`, `high`) and expected.

    `expected` and its interval are None while too little is known to expect anything.
    """

    seen: float
    low: float
    high: float
    expected: float | None = None
    expected_low: float | None = None
    expected_high: float | None = None


@dataclass(frozen=True, kw_only=True)
class Driver:
    """A story behind an alert: `part` is its part (0–1) of the negative stories, `n_posts` its copies and itself."""

    post_id: int
    title: str
    part: float
    n_posts: int
    sentiment_score: float | None = None


@dataclass(frozen=True, kw_only=True)
class RisenWord:
    """A word said more than usual: posts with it now and before, and the z-score of the log-odds ratio."""

    word: str
    n_now: int
    n_before: int
    z: float


@dataclass(frozen=True, kw_only=True)
class Precedent:
    """An earlier alert like this one and what people said of it; `likeness` is 0–1."""

    alert_id: int
    started_at: int
    likeness: float
    is_acknowledged: bool
    remark: Remark | None = None


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """The evidence that an alert was raised on, kept with it.

    `share` is the negative share (0–1), `negative` and `stories` are counts in the window. `share_part` is how much
    of the surplus of negative stories the share explains (0–1); the volume explains the rest. `score` passed
    `threshold`, both in decimal orders of improbability. `budget` is the false alarms a week that the threshold was
    set for, over the whole dashboard. `order` is the place of this subject among those of its tick (1: the clearest).
    """

    alert_id: int
    kind: RuleKind
    since: int
    until: int
    share: Measured | None = None
    negative: Measured | None = None
    stories: Measured | None = None
    n_posts: int = 0
    n_sources: int = 0
    share_part: float | None = None
    score: float | None = None
    threshold: float | None = None
    budget: float | None = None
    order: int = 1
    drivers: Sequence[Driver] = ()
    words: Sequence[RisenWord] = ()
    precedents: Sequence[Precedent] = ()
    model: str = ""
    made_at: int = 0
