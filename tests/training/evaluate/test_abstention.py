from __future__ import annotations

import numpy as np
import pytest

from training.evaluate.abstention import apply_threshold, area_under_risk_coverage, risk_coverage


def test_the_curve_of_a_ranking_that_knows_its_mistakes() -> None:
    confidence = np.linspace(1, 0, 100)
    right = confidence > 0.2
    curve = risk_coverage(confidence, right=right)
    assert curve[-1] == {"coverage": 1.0, "risk": pytest.approx(1 - right.mean()), "from": 0.0}
    assert [point["risk"] for point in curve if point["coverage"] <= right.mean()] == [0.0] * 16
    assert area_under_risk_coverage(confidence, right=right) < area_under_risk_coverage(confidence[::-1], right=right)


def test_a_ranking_of_no_worth_risks_the_share_of_mistakes() -> None:
    rng = np.random.default_rng(0)
    right = rng.random(20_000) < 0.7
    assert area_under_risk_coverage(rng.random(20_000), right=right) == pytest.approx(0.3, abs=0.02)


def test_a_threshold_keeps_what_lies_above_it() -> None:
    confidence, right = np.asarray([0.9, 0.8, 0.3, 0.2]), np.asarray([True, False, True, False])
    assert apply_threshold(confidence, right=right, threshold=0.8) == {
        "threshold": 0.8,
        "coverage": 0.5,
        "precision": 0.5,
    }
    assert apply_threshold(confidence, right=right, threshold=0.95)["precision"] is None
