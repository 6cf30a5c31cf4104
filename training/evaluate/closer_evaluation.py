"""The closer evaluation of an artifact, beyond the headline figures; everything runs through the serving runtime.

For each corpus: 95 % intervals, scores per label, confusions, calibration, abstention and rejection of foreign intents.
On a random sample of each corpus: robustness to perturbations and to a word-substitution attack. For the artifact:
behaviour tests, speed and size.
"""

from __future__ import annotations

import os
import platform
import random
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import cast

import numpy as np
import numpy.typing as npt

from models.decide import Decision, chosen_labels, probabilities
from models.labels import OUT_OF_SCOPE
from models.runtime import Input, Runtime
from training.evaluate.abstention import apply_threshold, area_under_risk_coverage, risk_coverage
from training.evaluate.attack import attack_texts
from training.evaluate.calibration import answer_confidence
from training.evaluate.checklist import read_tests, run_tests
from training.evaluate.figures import (
    Abstention,
    AttackFigures,
    BehaviourResult,
    Calibration,
    CloserFigures,
    CorpusDetail,
    Perturbed,
    ReliabilityBin,
    Robustness,
    Size,
    Speed,
)
from training.evaluate.intervals import Rows, bootstrap_interval, bootstrap_intervals
from training.evaluate.metrics import (
    calibration_error,
    confused,
    confusion,
    multi_label,
    per_label,
    rejection_recall,
    reliability,
    single_label,
)
from training.evaluate.perturbations import changes_for
from training.evaluate.suites import Reading, Suite, sample_suites

CHANGED_ROWS, ATTACKED_ROWS, SPEED_TEXTS = 1000, 80, 400
SMALL = 20
PERFECT_DRAWS = 200
DRAWS = 400

Probabilities = npt.NDArray[np.float64]
Right = npt.NDArray[np.bool_]
FiguresByRows = Callable[[Rows], Mapping[str, float]]


def corpus_details(readings: Sequence[Reading], *, decisions: Mapping[str, Decision]) -> dict[str, CorpusDetail]:
    """Return the details of every corpus by its name."""
    return {
        reading.suite.corpus: _corpus_detail(reading, decision=decisions[reading.suite.task.name])
        for reading in readings
    }


def task_calibration(readings: Sequence[Reading], *, decisions: Mapping[str, Decision]) -> dict[str, Calibration]:
    """Return each task's calibration error over the rows of all its corpora."""
    calibrations = {}
    for task in dict.fromkeys(reading.suite.task.name for reading in readings):
        pairs = [
            _calibration_pairs(reading, decision=decisions[task])
            for reading in readings
            if reading.suite.task.name == task
        ]
        confidence, right = (np.concatenate([pair[at] for pair in pairs]) for at in (0, 1))
        calibrations[task] = _measure_calibration(confidence, right=right.astype(np.bool_))
    return calibrations


def _corpus_detail(reading: Reading, *, decision: Decision) -> CorpusDetail:
    suite = reading.suite
    found = probabilities(reading.logits, decision=decision)
    detail = CorpusDetail(
        task=suite.task.name,
        headline=suite.headline,
        intervals=_intervals(suite, found=found, decision=decision),
        labels=per_label(
            label_rows(suite),
            chosen=chosen_columns(suite, found=found, decision=decision),
            names=suite.task.names,
        ),
        calibration=_calibration_with_bins(reading, decision=decision),
        abstention=_abstention(suite, found=found, decision=decision),
    )
    if suite.task.kind == "single":
        counts = confusion(suite.targets.astype(np.int64), answers=found.argmax(axis=1), n_labels=found.shape[1])
        if len(counts) <= SMALL:
            detail["confusion"] = counts.tolist()
        detail["confused"] = confused(counts, names=suite.task.names)
    if reading.outside is not None:
        column = suite.task.index()[OUT_OF_SCOPE]
        foreign = probabilities(reading.outside, decision=decision)[:, column]
        detail["out_of_scope_recall_at_95"] = round(rejection_recall(found[:, column], outside=foreign), 4)
    return detail


def _abstention(suite: Suite, *, found: Probabilities, decision: Decision) -> Abstention:
    confidence, right = answer_confidence(found, targets=suite.targets, accept=decision.accept)
    return Abstention(
        **apply_threshold(confidence, right=right, threshold=decision.threshold),
        promised=decision.precision,
        area=round(area_under_risk_coverage(confidence, right=right), 4),
        curve=risk_coverage(confidence, right=right),
    )


def label_rows(suite: Suite) -> npt.NDArray[np.int64]:
    """Return the labels of the rows as 0/1 [n, labels]."""
    targets = suite.targets
    rows = targets if targets.ndim == 2 else np.eye(len(suite.task.labels))[targets.astype(np.int64)]
    return np.asarray(rows, dtype=np.int64)


def chosen_columns(suite: Suite, *, found: Probabilities, decision: Decision) -> npt.NDArray[np.int64]:
    """Return the answers as 0/1 [n, labels]: the most probable label, or every accepted label of a multi-label task."""
    if suite.task.kind == "multi":
        return chosen_labels(found, accept=decision.accept)
    return np.asarray(np.eye(found.shape[1])[found.argmax(axis=1)], dtype=np.int64)


def _intervals(suite: Suite, *, found: Probabilities, decision: Decision) -> dict[str, list[float]]:
    """Return the 95 % bootstrap interval of every figure."""
    figures = figures_by_rows(suite, found=found, decision=decision)
    rows = bootstrap_intervals(figures, n=len(suite.inputs), names=figures(np.arange(1)), draws=DRAWS)
    return {name: [round(row.low, 4), round(row.high, 4)] for name, row in rows.items()}


def figures_by_rows(suite: Suite, *, found: Probabilities, decision: Decision) -> FiguresByRows:
    """Return the function from row indices to a suite's figures, as the bootstrap needs it."""
    if suite.task.kind == "multi":
        truth, accept = suite.targets.astype(np.float32), np.asarray(decision.accept)
        return lambda rows: multi_label(found[rows], targets=truth[rows], accept=accept)
    targets = suite.targets.astype(np.int64)
    return lambda rows: single_label(found[rows], targets=targets[rows])


def _calibration_pairs(reading: Reading, *, decision: Decision) -> tuple[Probabilities, Right]:
    """Return confidences and whether they came true: of the answer, or of every label of a multi-label task."""
    found, targets = probabilities(reading.logits, decision=decision), reading.suite.targets
    if reading.suite.task.kind == "multi":
        return found.ravel(), np.asarray(targets.ravel() == 1)
    return found.max(axis=1), np.asarray(found.argmax(axis=1) == targets)


def _measure_calibration(confidence: Probabilities, *, right: Right) -> Calibration:
    """Return the calibration error, and the mean error of a perfectly calibrated model with the same confidences."""
    rng = np.random.default_rng(0)
    perfect = [calibration_error(confidence, right=rng.random(len(confidence)) < confidence)
               for _ in range(PERFECT_DRAWS)]  # fmt: skip
    return Calibration(
        n=len(confidence),
        ece=round(calibration_error(confidence, right=right), 4),
        ece_if_perfect=round(float(np.mean(perfect)), 4),
        overconfidence=round(float(confidence.mean() - right.mean()), 4),
    )


def _calibration_with_bins(reading: Reading, *, decision: Decision) -> Calibration:
    confidence, right = _calibration_pairs(reading, decision=decision)
    bins = [
        ReliabilityBin(confidence=round(row["confidence"], 4), right=round(row["right"], 4), n=row["n"])
        for row in reliability(confidence, right=right)
    ]
    return Calibration(**_measure_calibration(confidence, right=right), bins=bins)


def measure_robustness(
    runtime: Runtime, *, tests: Sequence[Suite], decisions: Mapping[str, Decision], seed: int
) -> dict[str, Robustness]:
    """Return the accuracy on perturbed and attacked texts, on a random sample of each corpus."""
    return {suite.corpus: _suite_robustness(runtime, suite=suite, decision=decisions[suite.task.name], seed=seed)
            for suite in sample_suites(tests, seed=seed, n=CHANGED_ROWS)}  # fmt: skip


def _suite_robustness(runtime: Runtime, *, suite: Suite, decision: Decision, seed: int) -> Robustness:
    clean = _correct(runtime, suite=suite, inputs=suite.inputs, decision=decision)
    perturbed: dict[str, Perturbed] = {}
    for name, change in changes_for(suite.task.role).items():
        rng = random.Random(f"{seed}/{suite.corpus}/{name}")
        changed = [change(item, rng) for item in suite.inputs]
        right = _correct(runtime, suite=suite, inputs=changed, decision=decision)
        kept = float(right.mean() / max(float(clean.mean()), 1e-9))
        perturbed[name] = Perturbed(
            accuracy=round(float(right.mean()), 4),
            kept=round(kept, 4),
            interval=_kept_interval(clean, right=right),
        )
    robustness = cast(
        Robustness,
        {"task": suite.task.name, "n": len(suite.inputs), "clean": round(float(clean.mean()), 4), **perturbed},
    )
    if suite.task.kind == "single":
        robustness["attack"] = _attack(runtime, suite=suite, decision=decision)
    return robustness


def _correct(runtime: Runtime, *, suite: Suite, inputs: Sequence[Input], decision: Decision) -> Right:
    found = _read_probabilities(runtime, task=suite.task.name, inputs=inputs, decision=decision)
    return answer_confidence(found, targets=suite.targets, accept=decision.accept)[1]


def _read_probabilities(runtime: Runtime, *, task: str, inputs: Sequence[Input], decision: Decision) -> Probabilities:
    return probabilities(runtime.logits(inputs, tasks=[task])[task], decision=decision)


def _kept_interval(clean: Right, *, right: Right) -> list[float]:
    """Return the 95 % interval of the share of the clean accuracy that is kept, from the paired bootstrap."""
    found = bootstrap_interval(lambda rows: float(right[rows].sum() / max(int(clean[rows].sum()), 1)), n=len(clean))
    return [round(found.low, 4), round(found.high, 4)]


def _attack(runtime: Runtime, *, suite: Suite, decision: Decision) -> AttackFigures:
    items, task = suite.inputs[:ATTACKED_ROWS], suite.task.name
    columns = [int(column) for column in suite.targets[:ATTACKED_ROWS]]
    found = attack_texts(
        items,
        columns=columns,
        score=lambda inputs: _read_probabilities(runtime, task=task, inputs=inputs, decision=decision),
    )
    return AttackFigures(
        n=found.n, attackable=found.attackable, turned=found.turned, success_rate=round(found.success_rate, 4)
    )


def run_behaviour_tests(runtime: Runtime, *, decisions: Mapping[str, Decision]) -> list[BehaviourResult]:
    """Run the behaviour tests that apply to the artifact's tasks."""

    def read(task: str, inputs: Sequence[Input]) -> Probabilities:
        return _read_probabilities(runtime, task=task, inputs=inputs, decision=decisions[task])

    return run_tests(read_tests(), tasks=runtime.tasks, read=read)


def measure_speed(runtime: Runtime, *, tests: Sequence[Suite], seed: int) -> Speed:
    """Measure texts per second on a random mix of the corpora with all tasks, and the median time of a single text."""
    inputs = [item for suite in tests for item in suite.inputs] or [Input("Where is my order?")]
    some = random.Random(seed).sample(inputs, min(SPEED_TEXTS, len(inputs)))
    runtime.run(some[:20])
    start = time.perf_counter()
    runtime.run(some)
    seconds = time.perf_counter() - start
    alone = [_time_alone(runtime, item=item) for item in some[:60]]
    return Speed(
        texts_per_second=round(len(some) / seconds, 1),
        one_text_ms=round(1000 * float(np.median(alone)), 2),
        texts=len(some),
        cores=len(os.sched_getaffinity(0)),
        machine=platform.processor() or platform.machine(),
    )


def _time_alone(runtime: Runtime, *, item: Input) -> float:
    start = time.perf_counter()
    runtime.run([item])
    return time.perf_counter() - start


def measure_size(folder: Path) -> Size:
    """Return the bytes that the server loads of an artifact, and the bytes of its weights."""
    served = [path for pattern in ("int8/*", "heads.safetensors", "tokenizer.json", "*.json") for path in
              folder.glob(pattern)]  # fmt: skip
    weights = [*folder.glob("int8/*.bin"), folder / "heads.safetensors"]
    return Size(
        served_bytes=sum(path.stat().st_size for path in set(served)),
        weights_bytes=sum(path.stat().st_size for path in weights),
    )


def evaluate_closely(
    runtime: Runtime, *, readings: Sequence[Reading], decisions: Mapping[str, Decision], seed: int
) -> CloserFigures:
    """Return all figures of this module."""
    tests = [reading.suite for reading in readings]
    return CloserFigures(
        heads=task_calibration(readings, decisions=decisions),
        details=corpus_details(readings, decisions=decisions),
        robustness=measure_robustness(runtime, tests=tests, decisions=decisions, seed=seed),
        behaviours=run_behaviour_tests(runtime, decisions=decisions),
        speed=measure_speed(runtime, tests=tests, seed=seed),
        size=measure_size(runtime.artifact.folder),
    )
