from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from models.decide import BandEdge, Decision, decide, load_decisions, probabilities, save_decisions
from models.labels import OUT_OF_SCOPE, Task, make_task

BANDS = (BandEdge("high", 0.9, 0.97, 50), BandEdge("medium", 0.6, 0.85, 40), BandEdge("low", 0.0, 0.5, 10))


def _task(kind: str = "single") -> Task:
    labels = ("refund", "order", OUT_OF_SCOPE)
    return make_task("t", role="intent", kind="multi" if kind == "multi" else "single", pooling="mean", labels=labels)


def _logits(*rows: tuple[float, ...]) -> np.ndarray:
    return np.log(np.asarray(rows, dtype=np.float32))


def test_probabilities_sum_to_one_and_temperature_flattens() -> None:
    logits = np.asarray([[4.0, 1.0, -2.0]], np.float32)
    sharp = probabilities(logits, decision=Decision(kind="single"))
    flat = probabilities(logits, decision=Decision(kind="single", temperature=3.0))
    assert sharp.sum() == pytest.approx(1)
    assert flat.sum() == pytest.approx(1)
    assert flat[0, 0] < sharp[0, 0]
    assert flat.argmax() == sharp.argmax()


def test_a_temperature_that_follows_entropy_keeps_the_order_of_labels() -> None:
    logits = np.random.default_rng(0).normal(size=(200, 4)).astype(np.float32) * 3
    plain = probabilities(logits, decision=Decision(kind="single", temperature=1.5))
    found = probabilities(logits, decision=Decision(kind="single", temperature=1.5, entropy_power=0.4))
    np.testing.assert_array_equal(found.argsort(axis=1), plain.argsort(axis=1))
    np.testing.assert_allclose(found.sum(axis=1), 1)
    assert (found.max(axis=1) > plain.max(axis=1)).all()
    even = probabilities(np.zeros((1, 4), np.float32), decision=Decision(kind="single", entropy_power=0.4))
    np.testing.assert_allclose(even, 0.25)


def test_multi_label_probabilities_are_independent() -> None:
    found = probabilities(np.asarray([[0.0, 1000.0, -1000.0]], np.float32), decision=Decision(kind="multi"))
    np.testing.assert_allclose(found[0], [0.5, 1.0, 0.0], atol=1e-6)


@pytest.mark.parametrize(
    ("row", "column", "is_abstained", "band"),
    [
        ((0.95, 0.03, 0.02), 0, False, "high"),
        ((0.30, 0.68, 0.02), 1, False, "medium"),
        ((0.48, 0.45, 0.07), 0, True, "low"),
        ((0.60, 0.15, 0.25), 2, False, "low"),
        ((0.10, 0.10, 0.80), 2, False, "medium"),
    ],
)
def test_decisions(row: tuple[float, ...], column: int, is_abstained: bool, band: str) -> None:
    rule = Decision(kind="single", threshold=0.5, precision=0.9, bands=BANDS, reject_from=0.2)
    (found,) = decide(_logits(row), task=_task(), decision=rule)
    assert (found.column, found.is_abstained, found.band.name) == (column, is_abstained, band)
    assert found.probability == pytest.approx(row[column], abs=1e-5)


@pytest.mark.parametrize(
    ("row", "accepted"), [((0.7, 0.9, 0.1), (1, 0)), ((0.2, 0.3, 0.05), (1,)), ((0.45, 0.1, 0.39), (2,))]
)
def test_multi_label_accepts_by_threshold_or_the_nearest(row: tuple[float, ...], accepted: tuple[int, ...]) -> None:
    rule = Decision(kind="multi", accept=(0.5, 0.6, 0.4))
    odds = np.asarray([row], np.float64)
    logits = np.log(odds / (1 - odds)).astype(np.float32)
    (found,) = decide(logits, task=_task("multi"), decision=rule)
    assert found.accepted == accepted
    assert found.column == accepted[0]


def test_decisions_survive_the_file(tmp_path: Path) -> None:
    rule = Decision(kind="single", temperature=1.3, threshold=0.4, precision=0.9, bands=BANDS, reject_from=0.1)
    path = tmp_path / "decision.json"
    save_decisions(path, decisions={"t": rule})
    assert load_decisions(path, tasks={"t": _task()}) == {"t": rule}
    rows = json.loads(path.read_text("utf-8"))
    del rows["t"]["entropy_power"]
    path.write_text(json.dumps(rows), "utf-8")
    assert load_decisions(path, tasks={"t": _task()})["t"].entropy_power == 0


@pytest.mark.parametrize(
    "rule",
    [
        Decision(kind="multi"),
        Decision(kind="single", temperature=0),
        Decision(kind="single", accept=(0.5,)),
        Decision(kind="multi", accept=(0.5, 0.5, 0.5), entropy_power=0.1),
    ],
)
def test_a_decision_that_does_not_fit_its_task_is_refused(tmp_path: Path, rule: Decision) -> None:
    save_decisions(tmp_path / "decision.json", decisions={"t": rule})
    with pytest.raises(ValueError, match="task t"):
        load_decisions(tmp_path / "decision.json", tasks={"t": _task()})
    with pytest.raises(KeyError):
        load_decisions(tmp_path / "decision.json", tasks={"other": _task()})
