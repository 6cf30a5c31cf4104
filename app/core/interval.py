"""The interval of a share that was counted."""

from __future__ import annotations

import math
from dataclasses import dataclass

Z95 = 1.96
"""Two-sided 95 %, in standard deviations."""


@dataclass(frozen=True, kw_only=True)
class Range:
    """Where a figure lies 19 times of 20."""

    low: float
    high: float


def interval(k: float, n: float, *, rho: float = 0.0) -> tuple[float, float]:
    """Wilson's 95 % interval of a share (Wilson 1927, JASA 22); 0 to 1 where nothing was counted.

    `n` counts as n / (1 + (n − 1) ρ) where what was counted moves together.
    """
    if n <= 0:
        return 0.0, 1.0
    worth, share = n / (1 + (n - 1) * rho), k / n
    middle = (share + Z95**2 / (2 * worth)) / (1 + Z95**2 / worth)
    half = Z95 / (1 + Z95**2 / worth) * math.sqrt(share * (1 - share) / worth + Z95**2 / (4 * worth**2))
    return max(0.0, middle - half), min(1.0, middle + half)
