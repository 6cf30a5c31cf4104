"""Deployments of artifacts, and the agreement of two models."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Difference:
    """The live model said `live` where the shadow said `shadow`, so many times."""

    live: str
    shadow: str
    n: int


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """The agreement of two models on a task's texts: equal labels, and the most frequent differences."""

    task: str
    n: int
    n_same: int
    differences: tuple[Difference, ...]

    @property
    def rate(self) -> float:
        """The share of texts with the same label, 0 to 1."""
        return self.n_same / self.n if self.n else 0.0


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """An artifact `name@version` put into a slot at a time, by whom; the newest row of a slot is in force."""

    id: int
    model: str
    slot: Literal["live", "shadow"]
    at: int
    actor_id: str
