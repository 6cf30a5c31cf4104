from __future__ import annotations

import numpy as np
import pytest

from models.decide import Decision, probabilities
from models.labels import OUT_OF_SCOPE, Task, make_task
from training.evaluate.calibration import (
    fit_accept,
    fit_bands,
    fit_decision,
    fit_rejection,
    lowest_confidence,
)
from training.evaluate.metrics import calibration_error
from training.evaluate.temperature import ENOUGH_WRONG, fit_temperature, fit_temperature_and_power

SINGLE = make_task("t", role="sentiment", kind="single", pooling="mean", labels=("a", "b", "c"))
MULTI = make_task("t", role="emotion", kind="multi", pooling="mean", labels=("a", "b"))


def _sampled(temperature: float, *, task: Task, n: int = 8000) -> tuple[np.ndarray, np.ndarray]:
    """Logits whose labels were drawn with the given temperature, so that it is the right one."""
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(n, len(task.labels))).astype(np.float32) * 4
    found = probabilities(logits, decision=Decision(kind=task.kind, temperature=temperature))
    if task.kind == "multi":
        return logits, (rng.random(found.shape) < found).astype(np.float32)
    return logits, (found.cumsum(axis=1) > rng.random((n, 1))).argmax(axis=1)


@pytest.mark.parametrize("task", [SINGLE, MULTI], ids=["single", "multi"])
@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_the_temperature_that_drew_the_labels_is_found(task: Task, temperature: float) -> None:
    logits, targets = _sampled(temperature, task=task)
    assert fit_temperature(logits, targets=targets, task=task) == pytest.approx(temperature, rel=0.08)


def _drawn(decision: Decision, *, seed: int, n: int = 4000) -> tuple[np.ndarray, np.ndarray]:
    """Logits whose labels were drawn from a decision's probabilities."""
    rng = np.random.default_rng(seed)
    logits = (rng.normal(size=(n, 3)) * rng.choice([1.0, 6.0], size=(n, 1))).astype(np.float32)
    found = probabilities(logits, decision=decision)
    return logits, (found.cumsum(axis=1) > rng.random((n, 1))).argmax(axis=1)


def test_a_temperature_that_follows_entropy_is_found_only_where_it_pays() -> None:
    truth = Decision(kind="single", temperature=2.5, entropy_power=0.5)
    logits, targets = _drawn(truth, seed=1)
    temperature, power = fit_temperature_and_power(logits, targets=targets, task=SINGLE)
    assert power == pytest.approx(0.5, abs=0.11)
    fresh, labels = _drawn(truth, seed=2, n=20_000)
    errors, plain = [], fit_temperature(logits, targets=targets, task=SINGLE)
    for heat in ((temperature, power), (plain, 0.0)):
        decision = Decision(kind="single", temperature=heat[0], entropy_power=heat[1])
        found = probabilities(fresh, decision=decision)
        errors.append(calibration_error(found.max(axis=1), right=found.argmax(axis=1) == labels))
    assert errors[0] < 0.01 < errors[1]
    logits, targets = _drawn(Decision(kind="single", temperature=1.7), seed=3)
    temperature, power = fit_temperature_and_power(logits, targets=targets, task=SINGLE)
    assert power == 0
    assert temperature == pytest.approx(1.7, rel=0.08)


def test_a_second_number_is_not_fitted_on_a_handful_of_wrong_answers() -> None:
    rng = np.random.default_rng(4)
    logits, targets = _drawn(Decision(kind="single", temperature=2.5, entropy_power=0.5), seed=1)
    right = logits.argmax(axis=1) == targets
    wrong = rng.permutation(np.flatnonzero(~right))
    few, enough = (np.concatenate([np.flatnonzero(right), wrong[:n]]) for n in (ENOUGH_WRONG - 1, ENOUGH_WRONG))
    assert fit_temperature_and_power(logits[few], targets=targets[few], task=SINGLE)[1] == 0
    assert fit_temperature_and_power(logits[enough], targets=targets[enough], task=SINGLE)[1] != 0


def test_the_edge_keeps_its_promise_and_is_the_lowest_that_does() -> None:
    confidence = np.linspace(0, 1, 1001)
    right = np.random.default_rng(1).random(1001) < confidence
    edge = lowest_confidence(confidence, right=right, precision=0.9)
    assert right[confidence >= edge].mean() >= 0.9
    assert right[confidence >= edge - 0.05].mean() < 0.9


def test_an_edge_is_zero_where_all_will_do_and_one_where_nothing_does() -> None:
    confidence = np.linspace(0, 1, 100)
    assert lowest_confidence(confidence, right=np.ones(100, bool), precision=0.9) == 0
    assert lowest_confidence(confidence, right=np.zeros(100, bool), precision=0.9) == 1


def test_bands_are_measured_each_for_itself_and_cover_every_row() -> None:
    confidence = np.linspace(0, 1, 5000)
    right = np.random.default_rng(2).random(5000) < confidence
    high, medium, low = fit_bands(confidence, right=right)
    assert (high.name, medium.name, low.name) == ("high", "medium", "low")
    assert 1 > high.low > medium.low > low.low == 0
    assert high.n + medium.n + low.n == 5000
    inside = (confidence >= medium.low) & (confidence < high.low)
    assert medium.n == inside.sum()
    assert medium.precision == pytest.approx(right[inside].mean(), abs=1e-4)
    assert high.precision is not None
    assert high.precision >= 0.95


def test_a_weak_models_bands_still_hold_rows() -> None:
    confidence = np.linspace(0.3, 0.6, 900)
    right = np.random.default_rng(3).random(900) < 0.4
    assert all(band.n > 0 for band in fit_bands(confidence, right=right))


def test_accept_thresholds_are_the_best_of_each_label() -> None:
    column = np.linspace(0, 1, 1000)
    found = np.stack([column, column], axis=1)
    targets = np.stack([column > 0.3, column > 0.7], axis=1).astype(np.float32)
    np.testing.assert_allclose(fit_accept(found, targets=targets), [0.3, 0.7], atol=0.02)


def test_rejection_begins_as_late_as_it_can() -> None:
    task = make_task("t", role="intent", kind="single", pooling="mean", labels=("a", "b", OUT_OF_SCOPE))
    outside = np.random.default_rng(4).random(4000)
    targets = np.where(np.arange(4000) < 2000, 2, 0)
    found = np.stack([(1 - outside) * 0.7, (1 - outside) * 0.3, outside], axis=1)
    edge = fit_rejection(found, targets=targets, task=task)
    assert edge is not None
    assert (outside[:2000] >= edge).mean() == pytest.approx(0.95, abs=0.002)
    sure = np.stack([found[:, 0] * 0.1, found[:, 1] * 0.1, 0.9 + outside * 0.1], axis=1)
    assert fit_rejection(sure, targets=targets, task=task) is None
    assert fit_rejection(found, targets=targets, task=SINGLE) is None


def test_a_fitted_decision_abstains_to_keep_its_promise() -> None:
    logits, targets = _sampled(1.0, task=SINGLE)
    decision = fit_decision(logits, targets=targets, task=SINGLE, precision=0.97)
    found = probabilities(logits, decision=decision)
    kept = found.max(axis=1) >= decision.threshold
    assert (found.argmax(axis=1) == targets)[kept].mean() >= 0.97
    assert 0.05 < kept.mean() < 1
    assert decision.precision == 0.97
