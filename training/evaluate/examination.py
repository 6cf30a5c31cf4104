"""A closer look at an artifact, beyond the figures by which corpora are compared.

Per corpus: 95 % intervals, every label, what is taken for what, how honest a confidence is, what abstaining buys, how
well foreign intents are told. Over a seeded sample: small changes of the text, an attack by synonyms. Behaviour tests.
Speed and size. All through the runtime that serves.
"""

from __future__ import annotations

import os
import platform
import random
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from models.decide import Decision, chosen_labels, probabilities
from models.labels import OUT_OF_SCOPE
from models.runtime import Input, Runtime
from training.evaluate.abstention import area, kept, risk_coverage
from training.evaluate.attack import attack
from training.evaluate.calibration import confidence_of
from training.evaluate.checklist import read_tests, run_tests
from training.evaluate.intervals import Rows, interval, intervals
from training.evaluate.measurement import Reading, Suite, sampled
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
from training.evaluate.perturb import changes

CHANGED_ROWS, ATTACKED_ROWS, SPEED_TEXTS = 1000, 80, 400
SMALL = 20
PERFECT_DRAWS = 200
DRAWS = 400

Probabilities = npt.NDArray[np.float64]
Right = npt.NDArray[np.bool_]
FiguresByRows = Callable[[Rows], Mapping[str, float]]


def details(readings: Sequence[Reading], *, decisions: Mapping[str, Decision]) -> dict[str, dict[str, Any]]:
    """The closer look at every corpus, by its name."""
    return {reading.suite.corpus: _detail(reading, decision=decisions[reading.suite.task.name]) for reading in readings}


def heads(readings: Sequence[Reading], *, decisions: Mapping[str, Decision]) -> dict[str, dict[str, float]]:
    """Each task's calibration error over all its corpora together, beside that of a perfectly honest model."""
    found = {}
    for task in dict.fromkeys(reading.suite.task.name for reading in readings):
        some = [_honesty(reading, decision=decisions[task]) for reading in readings if reading.suite.task.name == task]
        confidence, right = (np.concatenate([pair[at] for pair in some]) for at in (0, 1))
        found[task] = _calibration(confidence, right=right.astype(np.bool_))
    return found


def _detail(reading: Reading, *, decision: Decision) -> dict[str, Any]:
    suite = reading.suite
    found = probabilities(reading.logits, decision=decision)
    confidence, right = confidence_of(found, targets=suite.targets, accept=decision.accept)
    certain, truth = _honesty(reading, decision=decision)
    answer: dict[str, Any] = {
        "task": suite.task.name,
        "headline": suite.headline,
        "intervals": _intervals(suite, found=found, decision=decision),
        "labels": per_label(label_rows(suite), chosen=chosen_columns(suite, found=found, decision=decision),
                            names=suite.task.names),
        "calibration": _calibration(certain, right=truth) | {"bins": _rounded(reliability(certain, right=truth))},
        "abstention": kept(confidence, right=right, threshold=decision.threshold)
        | {"promised": decision.precision, "area": round(area(confidence, right=right), 4),
           "curve": risk_coverage(confidence, right=right)},
    }  # fmt: skip
    answer |= _mixed_up(suite, found=found)
    if reading.outside is not None:
        column = suite.task.index()[OUT_OF_SCOPE]
        foreign = probabilities(reading.outside, decision=decision)[:, column]
        answer["out_of_scope_recall_at_95"] = round(rejection_recall(found[:, column], outside=foreign), 4)
    return answer


def label_rows(suite: Suite) -> npt.NDArray[np.int64]:
    """The rows' labels as 0/1 [n, labels]."""
    targets = suite.targets
    rows = targets if targets.ndim == 2 else np.eye(len(suite.task.labels))[targets.astype(np.int64)]
    return np.asarray(rows, dtype=np.int64)


def chosen_columns(suite: Suite, *, found: Probabilities, decision: Decision) -> npt.NDArray[np.int64]:
    """The answers as 0/1 [n, labels]: the best label, or every label that is accepted."""
    if suite.task.kind == "multi":
        return chosen_labels(found, accept=decision.accept)
    return np.asarray(np.eye(found.shape[1])[found.argmax(axis=1)], dtype=np.int64)


def _intervals(suite: Suite, *, found: Probabilities, decision: Decision) -> dict[str, list[float]]:
    """95 % bootstrap intervals of every figure."""
    figures = figures_by_rows(suite, found=found, decision=decision)
    rows = intervals(figures, n=len(suite.inputs), names=figures(np.arange(1)), draws=DRAWS)
    return {name: [round(row.low, 4), round(row.high, 4)] for name, row in rows.items()}


def figures_by_rows(suite: Suite, *, found: Probabilities, decision: Decision) -> FiguresByRows:
    """A suite's figures as a function of row numbers, as the bootstrap asks for them."""
    if suite.task.kind == "multi":
        truth, accept = suite.targets.astype(np.float32), np.asarray(decision.accept)
        return lambda rows: multi_label(found[rows], targets=truth[rows], accept=accept)
    targets = suite.targets.astype(np.int64)
    return lambda rows: single_label(found[rows], targets=targets[rows])


def _honesty(reading: Reading, *, decision: Decision) -> tuple[Probabilities, Right]:
    """The probabilities whose honesty is measured, and what came true: of the answer, or of every label."""
    found, targets = probabilities(reading.logits, decision=decision), reading.suite.targets
    if reading.suite.task.kind == "multi":
        return found.ravel(), np.asarray(targets.ravel() == 1)
    return found.max(axis=1), np.asarray(found.argmax(axis=1) == targets)


def _calibration(confidence: Probabilities, *, right: Right) -> dict[str, float]:
    """ECE, and the mean ECE that a perfectly honest model with the same confidences gets from so few rows."""
    rng = np.random.default_rng(0)
    perfect = [calibration_error(confidence, right=rng.random(len(confidence)) < confidence)
               for _ in range(PERFECT_DRAWS)]  # fmt: skip
    return {
        "n": len(confidence),
        "ece": round(calibration_error(confidence, right=right), 4),
        "ece_if_perfect": round(float(np.mean(perfect)), 4),
        "overconfidence": round(float(confidence.mean() - right.mean()), 4),
    }


def _mixed_up(suite: Suite, *, found: Probabilities) -> dict[str, Any]:
    if suite.task.kind == "multi":
        return {}
    counts = confusion(suite.targets.astype(np.int64), answers=found.argmax(axis=1), n_labels=found.shape[1])
    whole = {"confusion": counts.tolist()} if len(counts) <= SMALL else {}
    return whole | {"confused": confused(counts, names=suite.task.names)}


def _rounded(rows: Sequence[Mapping[str, float]]) -> list[dict[str, float]]:
    return [{name: round(value, 4) for name, value in row.items()} for row in rows]


def robustness(
    runtime: Runtime, *, tests: Sequence[Suite], decisions: Mapping[str, Decision], seed: int
) -> dict[str, dict[str, Any]]:
    """What small changes and the attack cost, on a seeded sample of each corpus."""
    some = sampled(tests, seed=seed, n=CHANGED_ROWS)
    return {suite.corpus: _robust(runtime, suite=suite, decision=decisions[suite.task.name], seed=seed)
            for suite in some}  # fmt: skip


def _robust(runtime: Runtime, *, suite: Suite, decision: Decision, seed: int) -> dict[str, Any]:
    clean = _right(runtime, suite=suite, inputs=suite.inputs, decision=decision)
    rows: dict[str, Any] = {"task": suite.task.name, "n": len(suite.inputs), "clean": round(float(clean.mean()), 4)}
    for name, change in changes(suite.task.role).items():
        rng = random.Random(f"{seed}/{suite.corpus}/{name}")
        changed = [change(item, rng) for item in suite.inputs]
        right = _right(runtime, suite=suite, inputs=changed, decision=decision)
        share = float(right.mean() / max(float(clean.mean()), 1e-9))
        rows[name] = {"accuracy": round(float(right.mean()), 4), "kept": round(share, 4),
                      "interval": _kept_interval(clean, right=right)}  # fmt: skip
    if suite.task.kind == "single":
        rows["attack"] = _attacked(runtime, suite=suite, decision=decision)
    return rows


def _right(runtime: Runtime, *, suite: Suite, inputs: Sequence[Input], decision: Decision) -> Right:
    found = _read(runtime, task=suite.task.name, inputs=inputs, decision=decision)
    return confidence_of(found, targets=suite.targets, accept=decision.accept)[1]


def _read(runtime: Runtime, *, task: str, inputs: Sequence[Input], decision: Decision) -> Probabilities:
    return probabilities(runtime.logits(inputs, tasks=[task])[task], decision=decision)


def _kept_interval(clean: Right, *, right: Right) -> list[float]:
    """The 95 % interval of the share of accuracy that is kept, over rows drawn in pairs."""
    found = interval(lambda rows: float(right[rows].sum() / max(int(clean[rows].sum()), 1)), n=len(clean))
    return [round(found.low, 4), round(found.high, 4)]


def _attacked(runtime: Runtime, *, suite: Suite, decision: Decision) -> dict[str, Any]:
    items, task = suite.inputs[:ATTACKED_ROWS], suite.task.name
    columns = [int(column) for column in suite.targets[:ATTACKED_ROWS]]
    found = attack(
        items, columns=columns, score=lambda inputs: _read(runtime, task=task, inputs=inputs, decision=decision)
    )
    return {"n": found.n, "attackable": found.attackable, "turned": found.turned,
            "success_rate": round(found.success_rate, 4)}  # fmt: skip


def behaviours(runtime: Runtime, *, decisions: Mapping[str, Decision]) -> list[dict[str, Any]]:
    """The behaviour tests that fit the artifact's tasks."""

    def read(task: str, inputs: Sequence[Input]) -> Probabilities:
        return _read(runtime, task=task, inputs=inputs, decision=decisions[task])

    return run_tests(read_tests(), tasks=runtime.tasks, read=read)


def speed(runtime: Runtime, *, tests: Sequence[Suite], seed: int) -> dict[str, Any]:
    """Texts a second over a seeded mix of the corpora (all tasks), and the median time of one text alone."""
    inputs = [item for suite in tests for item in suite.inputs] or [Input("Where is my order?")]
    some = random.Random(seed).sample(inputs, min(SPEED_TEXTS, len(inputs)))
    runtime.run(some[:20])
    start = time.perf_counter()
    runtime.run(some)
    together = time.perf_counter() - start
    alone = [_seconds(runtime, item=item) for item in some[:60]]
    return {
        "texts_per_second": round(len(some) / together, 1),
        "one_text_ms": round(1000 * float(np.median(alone)), 2),
        "texts": len(some),
        "cores": len(os.sched_getaffinity(0)),
        "machine": platform.processor() or platform.machine(),
    }


def _seconds(runtime: Runtime, *, item: Input) -> float:
    start = time.perf_counter()
    runtime.run([item])
    return time.perf_counter() - start


def size(folder: Path) -> dict[str, int]:
    """Bytes of what the server loads of an artifact, and of its weights alone."""
    served = [path for pattern in ("int8/*", "heads.safetensors", "tokenizer.json", "*.json") for path in
              folder.glob(pattern)]  # fmt: skip
    weights = [*folder.glob("int8/*.bin"), folder / "heads.safetensors"]
    return {
        "served_bytes": sum(path.stat().st_size for path in set(served)),
        "weights_bytes": sum(path.stat().st_size for path in weights),
    }


def examine(
    runtime: Runtime, *, readings: Sequence[Reading], decisions: Mapping[str, Decision], seed: int
) -> dict[str, Any]:
    """Everything of this file, as it stands in metrics.json."""
    tests = [reading.suite for reading in readings]
    return {
        "heads": heads(readings, decisions=decisions),
        "details": details(readings, decisions=decisions),
        "robustness": robustness(runtime, tests=tests, decisions=decisions, seed=seed),
        "behaviours": behaviours(runtime, decisions=decisions),
        "speed": speed(runtime, tests=tests, seed=seed),
        "size": size(runtime.artifact.folder),
    }
