"""Tail probabilities of over-dispersed counts, whole arrays at a time.

    NB   Var = φ μ:              P(K ≥ k) of a negative binomial with r = μ / (φ − 1), success 1/φ
    BB   ρ = 1 / (a + b + 1):    P(K ≥ k | n) of a beta-binomial with a = p (1 − ρ)/ρ, b = (1 − p)(1 − ρ)/ρ

Counts may be sums of probabilities: the formulas hold between whole numbers. Upward sums start at k, so that they are
exact far out, where 1 − P(K < k) would be rounding alone. Results are −log₁₀ P.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

MOST_TRIALS = 4000.0
"""Larger windows are scaled down to so many trials: that claims less than the data, never more."""

LEAST_PHI, LEAST_RHO = 1.0 + 1e-6, 1e-6
_MOST_TERMS = 20_000
_HALF_LOG_TAU = 0.5 * np.log(2 * np.pi)


def log_gamma(x: ArrayLike) -> Array:
    """ln Γ(x) for x > 0, to about 1e-12: Stirling's series above 8, the recurrence below."""
    value = np.array(x, dtype=np.float64, copy=True, ndmin=1)
    lowered = np.zeros_like(value)
    for _ in range(8):
        small = value < 8.0
        lowered[small] += np.log(value[small])
        value[small] += 1.0
    inverse = 1.0 / value
    square = inverse * inverse
    series = inverse * (1 / 12 - square * (1 / 360 - square * (1 / 1260 - square * (1 / 1680 - square / 1188))))
    found: Array = (value - 0.5) * np.log(value) - value + _HALF_LOG_TAU + series - lowered
    return found


def negative_binomial(k: ArrayLike, *, mean: ArrayLike, phi: ArrayLike) -> Array:
    """−log₁₀ P(K ≥ k) where K has this mean and variance `phi` × mean (phi → 1: Poisson); 0 for k ≤ 0."""
    k, mean, phi = _shaped(k, mean, phi)
    mean, phi = np.maximum(mean, 1e-9), np.maximum(phi, LEAST_PHI)
    size, failure = mean / (phi - 1.0), 1.0 - 1.0 / phi
    first = np.maximum(k, 0.0)
    log_first = (
        log_gamma(first + size)
        - log_gamma(size)
        - log_gamma(first + 1.0)
        - size * np.log(phi)
        + first * np.log(failure)
    )
    total = np.ones_like(first)
    term, live = np.ones_like(first), np.flatnonzero(first > 0)
    for step in range(_MOST_TERMS):
        at = first[live] + step
        ratio = failure[live] * (at + size[live]) / (at + 1.0)
        term[live] *= ratio
        total[live] += term[live]
        live = live[_goes_on(term[live], total[live], ratio=ratio)]
        if not live.size:
            break
    return np.where(first > 0, _decades(log_first, total), 0.0)


def beta_binomial(k: ArrayLike, n: ArrayLike, *, share: ArrayLike, rho: ArrayLike) -> Array:
    """−log₁₀ P(K ≥ k) of `n` trials whose common share varies around `share` with correlation `rho`; 0 for k ≤ 0."""
    k, n, share, rho = _shaped(k, n, share, rho)
    scale = np.minimum(1.0, MOST_TRIALS / np.maximum(n, 1.0))
    k, n = np.minimum(k, n) * scale, n * scale
    rho = np.clip(rho, LEAST_RHO, 0.5)
    share = np.clip(share, 1e-4, 1 - 1e-4)
    a, b = share * (1 - rho) / rho, (1 - share) * (1 - rho) / rho
    first = np.maximum(k, 0.0)
    log_first = (
        log_gamma(n + 1.0)
        - log_gamma(first + 1.0)
        - log_gamma(n - first + 1.0)
        + log_gamma(first + a)
        + log_gamma(n - first + b)
        - log_gamma(n + a + b)
        + log_gamma(a + b)
        - log_gamma(a)
        - log_gamma(b)
    )
    total = np.ones_like(first)
    term, live = np.ones_like(first), np.flatnonzero((first > 0) & (n - first >= 1.0))
    for step in range(int(MOST_TRIALS)):
        if not live.size:
            break
        at, left = first[live] + step, n[live] - first[live] - step
        ratio = left * (at + a[live]) / ((at + 1.0) * (left - 1.0 + b[live]))
        term[live] *= ratio
        total[live] += term[live]
        live = live[(left >= 2.0) & _goes_on(term[live], total[live], ratio=ratio)]
    return np.where(first > 0, _decades(log_first, total), 0.0)


def _shaped(*values: ArrayLike) -> list[Array]:
    arrays = np.broadcast_arrays(*(np.atleast_1d(np.asarray(value, dtype=np.float64)) for value in values))
    return [array.copy() for array in arrays]


def _goes_on(term: Array, total: Array, *, ratio: Array) -> NDArray[np.bool_]:
    # What is left is at most a geometric series; below a part in 1e7 it changes no decision.
    return (ratio >= 1.0) | (term * ratio > 1e-7 * (1.0 - ratio) * total)


def _decades(log_first: Array, total: Array) -> Array:
    found: Array = np.maximum(0.0, -(log_first + np.log(total)) / np.log(10.0))
    return found
