"""Tail probabilities: equal to scipy's where that is exact, and to the formula summed in full elsewhere."""

from __future__ import annotations

import numpy as np
from scipy import special, stats

from app.alerts.decide import tail_probabilities

RANDOM = np.random.default_rng(5)


def test_log_gamma_is_scipys() -> None:
    x = np.geomspace(1e-3, 1e6, 500)
    assert np.allclose(tail_probabilities.log_gamma(x), special.gammaln(x), rtol=1e-11, atol=1e-11)


def test_the_negative_binomial_tail_is_scipys() -> None:
    k, mean, phi = RANDOM.integers(1, 150, 400), RANDOM.uniform(0.1, 60, 400), RANDOM.uniform(1.001, 20, 400)
    want = -stats.nbinom.logsf(k - 1, mean / (phi - 1), 1 / phi) / np.log(10)
    is_exact = want < 250
    assert is_exact.sum() > 300
    assert np.allclose(tail_probabilities.negative_binomial(k, mean=mean, phi=phi)[is_exact], want[is_exact], atol=1e-6)


def test_without_dispersion_it_is_poisson() -> None:
    found = tail_probabilities.negative_binomial([3, 12, 40], mean=8.0, phi=1.0)
    assert np.allclose(found, -stats.poisson.logsf([2, 11, 39], 8.0) / np.log(10), atol=1e-3)


def test_the_beta_binomial_tail_is_the_sum_of_its_terms() -> None:
    n, share, rho = RANDOM.integers(2, 300, 60), RANDOM.uniform(0.02, 0.9, 60), RANDOM.uniform(1e-3, 0.2, 60)
    k = np.maximum(1, np.floor(n * RANDOM.uniform(0, 1, 60)))
    a, b = share * (1 - rho) / rho, (1 - share) * (1 - rho) / rho
    want = [-np.log10(stats.betabinom.pmf(np.arange(k[i], n[i] + 1), n[i], a[i], b[i]).sum()) for i in range(len(n))]
    assert np.allclose(tail_probabilities.beta_binomial(k, n, share=share, rho=rho), want, atol=1e-4)


def test_nothing_seen_is_no_surprise_and_all_seen_is_one_term() -> None:
    assert tail_probabilities.beta_binomial(0, 10, share=0.2, rho=0.01)[0] == 0
    assert tail_probabilities.negative_binomial(0, mean=3, phi=2)[0] == 0
    assert np.isclose(tail_probabilities.beta_binomial(3, 3, share=0.2, rho=1e-6)[0], -3 * np.log10(0.2), atol=1e-3)


def test_a_huge_window_claims_less_than_it_could() -> None:
    scaled = tail_probabilities.beta_binomial(3000, 10_000, share=0.22, rho=0.002)[0]
    assert 0 < scaled <= -stats.betabinom.logsf(2999, 10_000, 0.22 * 499, 0.78 * 499) / np.log(10)
