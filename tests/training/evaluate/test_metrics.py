"""Metrics by hand, and beside scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as sklearn_metrics

from models.decide import chosen_labels
from training.evaluate.metrics import (
    calibration_error,
    confused,
    confusion,
    multi_label,
    per_label,
    rejection_auroc,
    rejection_recall,
    reliability,
    single_label,
)


def test_single_label_figures_by_hand() -> None:
    found = single_label(
        np.asarray([[0.9, 0.1, 0.0], [0.4, 0.6, 0.0], [0.3, 0.7, 0.0], [0.2, 0.8, 0.0]]),
        targets=np.asarray([0, 0, 1, 1]),
    )
    assert found["accuracy"] == pytest.approx(0.75)
    assert found["macro_recall"] == pytest.approx((0.5 + 1) / 2)
    assert found["macro_f1"] == pytest.approx((2 / 3 + 4 / 5) / 2)
    assert found["weighted_f1"] == pytest.approx((2 / 3 + 4 / 5) / 2)


def test_single_label_figures_are_those_of_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    targets, found = rng.choice([0, 1, 3, 4], 300), rng.dirichlet(np.ones(6), 300)
    answers, present = found.argmax(axis=1), np.unique(targets)
    scores = single_label(found, targets=targets)
    assert scores["accuracy"] == sklearn_metrics.accuracy_score(targets, answers)
    for name, average in (("macro_recall", "macro"), ("macro_f1", "macro"), ("weighted_f1", "weighted")):
        score = sklearn_metrics.recall_score if name == "macro_recall" else sklearn_metrics.f1_score
        expected = score(targets, answers, labels=present, average=average, zero_division=0)
        assert scores[name] == pytest.approx(expected, abs=1e-12)
    counts = confusion(targets, answers=answers, n_labels=6)
    assert np.array_equal(counts, sklearn_metrics.confusion_matrix(targets, answers, labels=range(6)))


def test_multi_label_figures_are_those_of_scikit_learn() -> None:
    rng = np.random.default_rng(1)
    found, truth = rng.random((200, 5)), (rng.random((200, 5)) < 0.3).astype(np.float32)
    truth[:, 4] = 0
    accept = np.full(5, 0.6)
    scores, chosen = multi_label(found, targets=truth, accept=accept), chosen_labels(found, accept=accept)
    for average in ("macro", "micro"):
        expected = sklearn_metrics.f1_score(truth, chosen, average=average, zero_division=0)
        assert scores[f"{average}_f1"] == pytest.approx(expected, abs=1e-12)


def test_an_answer_outside_the_corpus_counts_as_wrong() -> None:
    found = single_label(np.asarray([[0.2, 0.1, 0.7], [0.1, 0.8, 0.1]]), targets=np.asarray([0, 1]))
    assert found["accuracy"] == pytest.approx(0.5)
    assert found["macro_recall"] == pytest.approx(0.5)


def test_multi_label_takes_the_nearest_label_where_none_passes() -> None:
    found = np.asarray([[0.6, 0.1], [0.3, 0.35], [0.7, 0.8]])
    accept = np.asarray([0.5, 0.5])
    assert chosen_labels(found, accept=accept).tolist() == [[1, 0], [0, 1], [1, 1]]
    truth = np.asarray([[1, 0], [0, 1], [1, 1]], np.float32)
    assert multi_label(found, targets=truth, accept=accept)["macro_f1"] == pytest.approx(1)


def test_calibration_error_of_an_honest_and_a_boastful_model() -> None:
    right = np.asarray([True] * 7 + [False] * 3)
    assert calibration_error(np.full(10, 0.7), right=right) == pytest.approx(0)
    assert calibration_error(np.full(10, 1.0), right=right) == pytest.approx(0.3)


def test_rejection_is_perfect_when_every_foreign_text_ranks_higher() -> None:
    assert rejection_auroc(np.asarray([0.1, 0.2]), outside=np.asarray([0.3, 0.9])) == 1
    assert rejection_auroc(np.asarray([0.1, 0.4]), outside=np.asarray([0.1, 0.4])) == pytest.approx(0.5)


def test_rejection_recall_keeps_its_share_of_own_rows() -> None:
    inside = np.linspace(0, 0.5, 100)
    assert rejection_recall(inside, outside=np.asarray([0.6, 0.7, 0.1, 0.0])) == 0.5
    assert rejection_recall(inside, outside=inside) <= 0.05


def test_labels_and_what_is_taken_for_what() -> None:
    targets, answers = np.asarray([0, 0, 0, 1, 2]), np.asarray([0, 1, 1, 1, 0])
    counts = confusion(targets, answers=answers, n_labels=3)
    assert counts.tolist() == [[1, 2, 0], [0, 1, 0], [1, 0, 0]]
    assert confused(counts, names=("a", "b", "c")) == [
        {"label": "a", "answer": "b", "n": 2},
        {"label": "c", "answer": "a", "n": 1},
    ]
    eye = np.eye(3, dtype=np.int64)
    rows = per_label(eye[targets], chosen=eye[answers], names=("a", "b", "c"))
    assert rows[0] == {"label": "a", "n": 3, "precision": 0.5, "recall": pytest.approx(1 / 3, abs=1e-4), "f1": 0.4}
    assert rows[2] == {"label": "c", "n": 1, "precision": 0.0, "recall": 0.0, "f1": 0.0}


def test_reliability_bins_hold_every_row() -> None:
    confidence = np.linspace(0, 1, 200)
    bins = reliability(confidence, right=confidence > 0.5)
    assert sum(row["n"] for row in bins) == 200
    assert bins[0]["right"] == 0
    assert bins[-1]["right"] == 1
