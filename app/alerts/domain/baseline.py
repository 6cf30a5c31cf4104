"""Baselines: the usual figures of a subject, against which surges are measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from app.market.domain.market import SubjectKind

Measure = Literal["surge", "volume"]


@dataclass(frozen=True, kw_only=True)
class Usual:
    """One subject's baseline for windows of `width_ms`, learnt from its own weeks.

    `rate` is stories an hour by hour of the week (168), `share` the negative share with correlation `rho`, `phi` the
    variance over mean of the counts that are judged: negative stories for a surge, all for volume. `location` and
    `scale` are the law of the highest score of a day, learnt from `n_days`. `is_daily`: posts only have a date.
    """

    subject_kind: SubjectKind
    subject_id: str
    measure: Measure
    width_ms: int
    rate: tuple[float, ...]
    share: float
    rho: float
    phi: float
    location: float
    scale: float
    n_days: int
    stories_a_day: float
    is_daily: bool
    fitted_at: int


@dataclass(frozen=True, kw_only=True)
class Counts:
    """Stories with a class and negative ones in a window, and the negative ones of it and the three before it."""

    stories: float
    negative: float
    recent: float
