"""Robust fit of each subject's baseline to weeks of its own history.

Stories by hour of the week, each mean shrunk to the hour of the day and that to the overall mean by what their own
scatter is worth (empirical Bayes); the negative share p₀ with its over-dispersion ρ and the counts' dispersion φ by
pooled moments of windows of the length that is judged (shorter ones would overstate ρ). Moments are winsorised at
z = 2.58 and past bursts weigh (2.58/z)², as in Noufaily et al. 2013, "An improved algorithm for outbreak detection in
multiple surveillance systems".
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from app.alerts.decide.count_grid import HOURS_OF_WEEK, Array, Slots, rolled
from app.alerts.decide.tail_probabilities import LEAST_PHI, LEAST_RHO

BURST_Z = 2.58
ROUNDS = 3
KEPT = 0.974
"""The part of a normal deviate's variance that winsorising and weighting at BURST_Z leave."""

LEAST_SHARE, MOST_RHO = 0.005, 0.3
_TINY = 1e-9


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """The baseline of s subjects: stories a bin by hour of the week [s, 168]; the others [s] are for one window length.

    `phi` and `phi_negative` are variance over mean of stories and negative stories in a window, `rho` the correlation
    of two stories of one window; `n_stories` is the number of stories of the fit.
    """

    width: int
    rate: Array
    share: Array
    rho: Array
    phi: Array
    phi_negative: Array
    n_stories: Array

    def expected(self, slots: Slots) -> Array:
        """Return the expected stories [s, t] of the windows that end with each of these bins."""
        return rolled(self.rate[:, slots], self.width)


def fit(stories: Array, negative: Array, *, slots: Slots, width: int, rate: Array) -> Baseline:
    """Return the baseline of windows of `width` bins from past bins [s, t]; `rate` [s, 168] is a bin's usual count."""
    whole = slice(min(width, stories.shape[1]) - 1, None)
    n = rolled(stories, width)[:, whole]
    k = rolled(negative, width)[:, whole]
    mean = np.maximum(rolled(rate[:, slots], width)[:, whole], _TINY)
    phi, usual = _dispersion(n, mean=mean)
    share = np.maximum(_pooled(k * usual, n * usual), LEAST_SHARE)
    for _ in range(ROUNDS):
        rho, weights = _correlation(k, n, share=share)
        share = np.maximum(_pooled(k * weights, n * weights), LEAST_SHARE)
    precision = _correlation_precision(n, share=share, rho=rho, weights=weights, width=width)
    rho = _shrink_to_mean(rho, precision=precision)
    phi_negative, _ = _dispersion(k, mean=mean * share[:, None])
    return Baseline(
        width=width,
        rate=rate,
        share=share,
        rho=np.clip(rho, LEAST_RHO, MOST_RHO),
        phi=phi,
        phi_negative=phi_negative,
        n_stories=stories.sum(axis=1),
    )


def usual_rate(counts: Array, *, slots: Slots, is_hourly: bool = True) -> Array:
    """Return the mean count [s, 168] of a bin in each hour of the week, or day of the week where `is_hourly` is false.

    An hour without data has the mean of the same hour of other days.
    """
    if not is_hourly:
        return np.repeat(usual_rate(counts, slots=slots // 24 * 24)[:, ::24], 24, axis=1)
    weights = np.ones_like(counts)
    rate = np.zeros((counts.shape[0], HOURS_OF_WEEK))
    for _ in range(ROUNDS):
        rate, phi = _shrunk(counts, weights=weights, slots=slots)
        mean = np.maximum(rate[:, slots], _TINY)
        z = (counts - mean) / np.sqrt(phi[:, None] * mean)
        weights = _down_weighted(z)
    return rate


def _shrunk(counts: Array, *, weights: Array, slots: Slots) -> tuple[Array, Array]:
    mass, sums = _by_slot(weights, slots=slots), _by_slot(weights * counts, slots=slots)
    overall = _pooled(weights * counts, weights)
    cell = sums / np.maximum(mass, _TINY)
    residual = weights * (counts - cell[:, slots]) ** 2
    freedom = np.maximum(1.0 - (mass > 0).sum(axis=1) / np.maximum(mass.sum(axis=1), 1.0), 0.1)
    noise = residual.sum(axis=1) / np.maximum(mass.sum(axis=1), _TINY) / freedom
    by_day = mass.reshape(-1, 7, 24).sum(axis=1)
    day = sums.reshape(-1, 7, 24).sum(axis=1) / np.maximum(by_day, _TINY)
    day = _shrink_to_parents(day, mass=by_day, noise=noise, parent=np.repeat(overall[:, None], 24, axis=1))
    rate = _shrink_to_parents(cell, mass=mass, noise=noise, parent=np.tile(day, (1, 7)))
    return rate, np.maximum(noise / np.maximum(overall, _TINY), 1.0)


def _by_slot(values: Array, *, slots: Slots) -> Array:
    """Return the sums [s, 168] of the bins [s, t] of each hour of the week."""
    order = np.argsort(slots, kind="stable")
    seen, starts = np.unique(slots[order], return_index=True)
    sums = np.zeros((values.shape[0], HOURS_OF_WEEK))
    sums[:, seen] = np.add.reduceat(values[:, order], starts, axis=1)
    return sums


def _shrink_to_parents(mean: Array, *, mass: Array, noise: Array, parent: Array) -> Array:
    """Return means shrunk towards those of their parents by the part of their scatter that is noise."""
    seen = mass > 0
    error = noise[:, None] / np.maximum(mass, _TINY)
    n_seen = np.maximum(seen.sum(axis=1), 1)
    scatter = np.where(seen, (mean - parent) ** 2, 0.0).sum(axis=1) / n_seen
    between = np.maximum(scatter - np.where(seen, error, 0.0).sum(axis=1) / n_seen, 0.0)[:, None]
    return np.where(seen, parent + between / np.maximum(between + error, _TINY) * (mean - parent), parent)


def _dispersion(counts: Array, *, mean: Array) -> tuple[Array, Array]:
    """Return the variance over mean [s], winsorised, and the weight [s, t] that each window keeps."""
    phi = np.maximum(_pooled((counts - mean) ** 2, mean), LEAST_PHI)
    weights = np.ones_like(counts)
    for _ in range(ROUNDS):
        scale = np.sqrt(phi[:, None] * mean)
        z = (counts - mean) / scale
        weights = _down_weighted(z)
        held = np.clip(z, -BURST_Z, BURST_Z) * scale
        phi = np.maximum(_pooled(weights * held**2, weights * mean), LEAST_PHI)
    return phi, weights


def _correlation(k: Array, n: Array, *, share: Array) -> tuple[Array, Array]:
    """Return the over-dispersion ρ [s] of the share by moments, winsorised, and the weight [s, t] of each window.

    Chance can leave a moment below 0; users of ρ keep it above.
    """
    p = share[:, None]
    spread = n * p * (1 - p)
    pairs = np.maximum(n - 1, 0.0) * spread
    rho = np.full(len(share), 0.02)
    weights = np.ones_like(n)
    for _ in range(ROUNDS):
        held_rho = np.clip(rho, LEAST_RHO, MOST_RHO)[:, None]
        scale = np.sqrt(np.maximum(spread + held_rho * pairs, _TINY))
        z = (k - n * p) / scale
        weights = _down_weighted(z) * (n > 1)
        held = np.clip(z, -BURST_Z, BURST_Z) * scale
        rho = _pooled(weights * (held**2 / KEPT - spread), weights * pairs)
    return rho, weights


def _correlation_precision(n: Array, *, share: Array, rho: Array, weights: Array, width: int) -> Array:
    """Return one over the variance [s] of ρ by chance alone, if all subjects had its median.

    A squared normal deviate has variance 2; overlapping windows share information over two thirds of their width.
    """
    p = share[:, None]
    spread = n * p * (1 - p)
    pairs = np.maximum(n - 1, 0.0) * spread
    variance = spread + np.clip(np.median(rho), LEAST_RHO, MOST_RHO) * pairs
    scatter = 2 * max(1.0, 2 * width / 3) * (weights * variance**2).sum(axis=1)
    found: Array = (weights * pairs).sum(axis=1) ** 2 / np.maximum(scatter, _TINY)
    return found


def _shrink_to_mean(values: Array, *, precision: Array) -> Array:
    """Return values [s] shrunk towards their common mean by the part of their scatter that is chance.

    DerSimonian & Laird 1986, "Meta-analysis in clinical trials".
    """
    total = max(precision.sum(), _TINY)
    centre = (precision * values).sum() / total
    surplus = (precision * (values - centre) ** 2).sum() - (np.count_nonzero(precision) - 1)
    between = max(0.0, surplus / max(total - (precision**2).sum() / total, _TINY))
    own = between * precision / (1.0 + between * precision)
    weights = precision / (1.0 + between * precision)
    drawn: Array = own * values + (1.0 - own) * (weights * values).sum() / max(weights.sum(), _TINY)
    return drawn


def _down_weighted(z: Array) -> Array:
    return np.minimum(1.0, (BURST_Z / np.maximum(z, _TINY)) ** 2)


def _pooled(values: Array, weights: Array) -> Array:
    pooled: Array = values.sum(axis=1) / np.maximum(weights.sum(axis=1), _TINY)
    return pooled
