"""Confidence intervals of shares."""

from __future__ import annotations

import math
from dataclasses import dataclass

Z95 = 1.96
"""Two-sided 95 %, in standard deviations."""

Z95_ONE_SIDED = 1.6449
"""One-sided 95 %: only the lower end of the interval counts."""


@dataclass(frozen=True, kw_only=True)
class Range:
    """The 95 % range of a figure."""

    low: float
    high: float


def interval(k: float, n: float, *, rho: float = 0.0, z: float = Z95) -> tuple[float, float]:
    """Return Wilson's interval of the share k / n (Wilson 1927, JASA 22), 95 % by default; 0 to 1 where n is 0.

    `rho` is the correlation of what was counted: `n` then counts as n / (1 + (n − 1) ρ).
    """
    if n <= 0:
        return 0.0, 1.0
    worth, share = n / (1 + (n - 1) * rho), k / n
    middle = (share + z**2 / (2 * worth)) / (1 + z**2 / worth)
    half = z / (1 + z**2 / worth) * math.sqrt(share * (1 - share) / worth + z**2 / (4 * worth**2))
    return max(0.0, middle - half), min(1.0, middle + half)
