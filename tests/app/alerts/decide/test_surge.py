"""Surges: baselines, scores, thresholds and history, on counts whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest

from app.alerts.decide.baseline_learning import judged, learn
from app.alerts.decide.count_grid import Grid, hours_of_week, rolled
from app.alerts.decide.history_scoring import daily_maxima, history, notifications, thresholds
from app.alerts.decide.robust_fit import Baseline, fit, usual_rate
from app.alerts.decide.surge import combined_score, passes, surge_parts, surge_scores, volume_windows, windows_for
from app.alerts.decide.threshold_calibration import FLOOR, PRIOR_LOCATION, PRIOR_SCALE, law
from app.alerts.domain.baseline import Counts, Measure
from app.core.durations import DAY_MS, HOUR_MS
from tests.bench.market.simulator import LENGTH, world

WEEK = 168


def _constant(stories: float, negative: float, *, n_weeks: int = 4, n_subjects: int = 1) -> Baseline:
    shape = (n_subjects, n_weeks * WEEK)
    slots = np.arange(shape[1]) % WEEK
    n, k = np.full(shape, stories), np.full(shape, negative)
    return fit(n, k, slots=slots, width=4, rate=usual_rate(n, slots=slots))


def test_the_baseline_of_constant_counts_is_those_counts() -> None:
    found = _constant(10.0, 2.0)
    assert np.allclose(found.rate, 10.0)
    assert found.share[0] == pytest.approx(0.2)
    assert found.expected(np.arange(8))[0, -1] == pytest.approx(40.0)
    assert found.rho[0] < 1e-5
    assert found.phi[0] == pytest.approx(1.0, abs=1e-3)


def test_a_baseline_finds_what_the_counts_were_drawn_from() -> None:
    random = np.random.default_rng(3)
    share = random.beta(0.22 * 49, 0.78 * 49, size=(40, 4 * WEEK))  # ρ = 0.02 an hour
    stories = random.negative_binomial(10, 1 / 3, size=share.shape).astype(float)  # mean 20, φ = 3
    negative = random.binomial(stories.astype(int), share).astype(float)
    slots = np.arange(share.shape[1]) % WEEK
    found = fit(stories, negative, slots=slots, width=1, rate=usual_rate(stories, slots=slots))
    assert found.share.mean() == pytest.approx(0.22, abs=0.01)
    assert found.rho.mean() == pytest.approx(0.02, abs=0.006)
    assert found.phi.mean() == pytest.approx(3.0, abs=0.4)
    assert np.abs(found.rate - 20).mean() < 2.0


def test_means_by_the_hour_are_kept_where_there_is_a_season_and_drawn_in_where_there_is_none() -> None:
    random = np.random.default_rng(4)
    slots = np.arange(4 * WEEK) % WEEK
    season = np.where(slots % 24 < 12, 4.0, 16.0)
    seen = usual_rate(random.poisson(season, size=(20, len(slots))).astype(float), slots=slots)
    flat = usual_rate(random.poisson(10.0, size=(20, len(slots))).astype(float), slots=slots)
    assert np.abs(seen[:, :12].mean() - 4.0) < 0.4
    assert np.abs(seen[:, 12:24].mean() - 16.0) < 0.8
    assert flat.std(axis=1).mean() < 0.6 < np.sqrt(10 / 4)


def test_a_past_burst_hardly_moves_the_baseline() -> None:
    random = np.random.default_rng(5)
    slots = np.arange(4 * WEEK) % WEEK
    stories = random.poisson(10.0, size=(1, len(slots))).astype(float)
    negative = random.binomial(stories.astype(int), 0.2).astype(float)
    calm = fit(stories, negative, slots=slots, width=4, rate=usual_rate(stories, slots=slots))
    stories[0, 300:312] *= 6
    negative[0, 300:312] = stories[0, 300:312] * 0.9
    burst = fit(stories, negative, slots=slots, width=4, rate=usual_rate(stories, slots=slots))
    assert burst.share[0] < calm.share[0] + 0.02
    assert burst.rate.mean() < 1.05 * calm.rate.mean()


def _score(stories: float, negative: float, *, expected: float, window_ms: int = 8 * HOUR_MS) -> float:
    counts = np.array([[float(stories)]]), np.array([[float(negative)]])
    found = surge_scores(
        *counts, baseline=_constant(10.0, 2.0), expected=np.array([[float(expected)]]), window_ms=window_ms
    )
    return float(found[0, 0])


def test_volume_alone_is_no_surge_and_adds_at_most_a_third_to_the_share() -> None:
    usual, expected = _constant(10.0, 2.0), np.array([[40.0]])
    share, count = surge_parts(np.array([[200.0]]), np.array([[60.0]]), baseline=usual, expected=expected)
    assert _score(200, 40, expected=40) == 0
    assert count[0, 0] > share[0, 0] > 0
    assert _score(200, 60, expected=40) == pytest.approx(2 * share[0, 0])
    # As many negative stories as usual, among fewer: the share speaks alone.
    assert 1.5 * share[0, 0] <= _score(200, 60, expected=300) < 1.75 * share[0, 0]


def test_short_windows_are_many_and_need_to_be_less_likely() -> None:
    share = np.array([[3.0]])
    found = [
        combined_score(share, share, window_ms=window)[0, 0] for window in (HOUR_MS, 4 * HOUR_MS, 8 * HOUR_MS, DAY_MS)
    ]
    assert found == pytest.approx([2 * (3.0 - np.log10(n_windows)) for n_windows in (8, 2, 1, 1)])
    assert combined_score(np.array([[0.5]]), share, window_ms=HOUR_MS)[0, 0] == 0


@pytest.mark.parametrize(
    ("stories", "negative", "recent", "is_enough"),
    [(20, 10, 10, True), (4, 4, 9, False), (20, 10, 4, False), (20, 5, 9, False), (100, 27, 60, False)],
)
def test_guards(stories: float, negative: float, recent: float, is_enough: bool) -> None:
    found = passes(
        np.array([[float(stories)]]),
        np.array([[float(negative)]]),
        share=np.array([0.2]),
        recent=np.array([[float(recent)]]),
    )
    assert bool(found[0, 0]) is is_enough


@pytest.mark.parametrize(
    ("an_hour", "hours"),
    [(1, (8, 24)), (5, (4, 8)), (30, (1, 4, 8)), (100, (0.25, 1, 4))],
    ids=["1", "5", "30", "100"],
)
def test_the_window_fits_the_topic(an_hour: float, hours: tuple[float, ...]) -> None:
    assert windows_for(24 * an_hour) == tuple(round(hour * HOUR_MS) for hour in hours)
    assert windows_for(24 * an_hour, is_daily=True) == (DAY_MS,) == volume_windows(is_daily=True)


def test_no_window_is_shorter_than_the_bins() -> None:
    assert windows_for(24 * 100, bin_ms=HOUR_MS) == (HOUR_MS, 4 * HOUR_MS, 8 * HOUR_MS)
    assert volume_windows(bin_ms=HOUR_MS) == (HOUR_MS,)


def test_correlations_are_drawn_together_where_chance_makes_them_differ_and_stay_where_subjects_do() -> None:
    random = np.random.default_rng(8)
    slots = np.arange(4 * WEEK) % WEEK
    for rhos, low, high in ((np.full(60, 0.02), 0.0, 0.004), (np.repeat([0.005, 0.1], 30), 0.03, 0.06)):
        a, b = (part * (1 / rhos - 1)[:, None] for part in (0.22, 0.78))
        stories = random.poisson(20.0, size=(60, len(slots))).astype(float)
        negative = random.binomial(stories.astype(int), random.beta(a, b, size=stories.shape)).astype(float)
        found = fit(stories, negative, slots=slots, width=1, rate=usual_rate(stories, slots=slots))
        assert found.rho.mean() == pytest.approx(rhos.mean(), rel=0.15)
        assert low <= found.rho.std() <= high


def test_the_law_of_all_is_not_moved_by_surges_of_some_days() -> None:
    maxima = np.random.default_rng(9).gumbel(2.0, 0.7, size=(200, 28))
    clean = law(maxima).thresholds(1 / 28)
    maxima[:, 5:8] += 4.0
    assert np.median(law(maxima).thresholds(1 / 28) - clean) < 0.35


def test_thresholds_keep_the_promise_on_gumbel_maxima() -> None:
    maxima = np.random.default_rng(6).gumbel(2.0, 0.7, size=(200, 28))
    known = law(maxima)
    assert np.median(known.location) == pytest.approx(2.0, abs=0.1)
    cut = known.thresholds(1 / 28)
    assert (maxima > cut[:, None]).mean() == pytest.approx(1 / 28, rel=0.25)
    assert np.allclose(np.exp(-(cut - known.location) / known.scale), 1 / 28)


def test_true_surges_do_not_raise_the_threshold() -> None:
    maxima = np.random.default_rng(7).gumbel(2.0, 0.7, size=(200, 28))
    clean = law(maxima).thresholds(1 / 28)
    maxima[:, 5:7] += 10.0
    assert np.median(law(maxima).thresholds(1 / 28) - clean) < 0.3


def test_before_14_days_the_prior_is_wide() -> None:
    few = law(np.full((3, 13), 2.5))
    assert (few.location == PRIOR_LOCATION).all()
    assert (few.scale == PRIOR_SCALE).all()
    assert (law(np.zeros((3, 28))).thresholds(1.0) >= FLOOR).all()


def test_a_peak_over_midnight_counts_for_one_day() -> None:
    scores = np.zeros((1, 72))
    scores[0, 22:27] = [3.0, 5.0, 4.0, 3.5, 3.0]
    assert daily_maxima(scores, bins_a_day=24).tolist() == [[5.0, 0.0, 0.0]]


def test_alarms_become_notifications() -> None:
    alarms = np.zeros(200, dtype=bool)
    alarms[[10, 12, 15, 22, 60]] = True
    alarms[100:130] = True
    assert notifications(alarms, merge=6, repeat=24) == [10, 22, 60, 100, 124]


def test_each_day_is_judged_by_what_was_known_before_it() -> None:
    made = world(stories_an_hour=5, n_subjects=3, n_weeks=6, seed=1)
    whole = history(made.grid, widths=[4])
    cut = thresholds(whole, alarms_a_day=0.05, bins_a_day=24)
    later = made.grid.stories.copy()
    later[:, 35 * 24 :] *= 9
    other = Grid(first_at=0, bin_ms=HOUR_MS, stories=later, negative=made.grid.negative, slots=made.grid.slots)
    again = history(other, widths=[4])
    assert np.array_equal(whole.scores[:, : 35 * 24], again.scores[:, : 35 * 24])
    assert np.array_equal(cut[:, : 36 * 24], thresholds(again, alarms_a_day=0.05, bins_a_day=24)[:, : 36 * 24])
    last = history(made.grid, widths=[4], first_day=40)
    assert np.array_equal(last.scores, whole.scores[:, 40 * 24 :])


def test_surges_of_a_simulated_market_are_found() -> None:
    made = world(stories_an_hour=30, n_subjects=12, n_weeks=6, seed=2)
    scored = history(made.grid, widths=[1, 4])
    alarms = scored.alarms(thresholds(scored, alarms_a_day=0.25 / 7, bins_a_day=24))
    found = [
        alarms[event.subject, event.hour : event.hour + LENGTH + 4].any() for event in made.events if event.is_surge
    ]
    assert len(found) >= 8
    assert np.mean(found) >= 0.8


def test_the_hour_of_the_week_is_that_on_the_wall() -> None:
    # 2024-03-31 01:00 UTC: clocks in Berlin go from 02:00 to 03:00, on a Sunday.
    start = 1711843200000
    berlin = hours_of_week(start, bin_ms=HOUR_MS, n_bins=3, zone="Europe/Berlin")
    assert berlin.tolist() == [6 * 24 + 1, 6 * 24 + 3, 6 * 24 + 4]
    assert hours_of_week(start, bin_ms=HOUR_MS, n_bins=2).tolist() == [6 * 24, 6 * 24 + 1]


@pytest.mark.parametrize("measure", ["surge", "volume"])
@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/New_York"])
def test_posts_that_only_have_a_date_are_judged_by_the_day(measure: Measure, zone: str) -> None:
    # 56 days around 2024-03-31, when midnight UTC moves from one hour in Berlin to the next, dated at midnight UTC.
    start, n_days = 1709251200000, 56
    stories = np.zeros((1, n_days * 24))
    stories[0, ::24] = 40 + np.arange(n_days) % 7
    slots = hours_of_week(start, bin_ms=HOUR_MS, n_bins=n_days * 24, zone=zone)
    grid = Grid(first_at=start, bin_ms=HOUR_MS, stories=stories, negative=np.round(stories / 5), slots=slots)
    now = start + n_days * DAY_MS
    (found,) = learn(grid, subject_kind="market", subject_ids=["all"], measure=measure, now=now)
    assert found.is_daily
    assert found.width_ms == DAY_MS
    # One mean for each day of the week at one hour of it: nothing is expected at another.
    assert np.count_nonzero(found.rate) == 7
    usual = {("all", DAY_MS): Counts(stories=43, negative=9, recent=36)}
    calm = judged([found], counts=usual, now=now + DAY_MS - HOUR_MS, zone=zone)["all"]
    assert calm.expected == pytest.approx(43, abs=4)
    assert calm.score < 1
    told = {("all", DAY_MS): Counts(stories=90, negative=45, recent=72)}
    assert judged([found], counts=told, now=now + DAY_MS - HOUR_MS, zone=zone)["all"].score > 3


def test_rolled_sums_and_coarser_bins() -> None:
    values = np.arange(1.0, 7.0)[None]
    assert rolled(values, 3).tolist() == [[1, 3, 6, 9, 12, 15]]
    assert rolled(values, 10).tolist() == [[1, 3, 6, 10, 15, 21]]
    grid = Grid(first_at=0, bin_ms=HOUR_MS, stories=values, negative=values, slots=np.arange(6))
    assert grid.coarser(4).stories.tolist() == [[10.0]]
    assert grid.coarser(2).slots.tolist() == [0, 2, 4]
