"""Compare two artifacts on the same test rows: is the second better than the first?

The difference of each corpus's headline figure has a 95 % interval from the paired bootstrap (intervals.py); the second
artifact is called better or worse only if the interval excludes zero.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from models.decide import probabilities
from models.runtime import Runtime
from training.evaluate.closer_evaluation import chosen_columns, figures_by_rows, label_rows
from training.evaluate.figures import Comparison, CorpusComparison, LabelDifference
from training.evaluate.intervals import paired_difference
from training.evaluate.metrics import per_label
from training.evaluate.suites import Suite, read_logits

Probabilities = npt.NDArray[np.float64]


class CompareError(ValueError):
    """Two artifacts cannot be compared; the message says why."""


def compare(first: Runtime, *, second: Runtime, tests: Sequence[Suite], seed: int = 0) -> Comparison:
    """Compare both artifacts on every suite. Raises CompareError when a task is missing or has other labels."""
    for suite in tests:
        _check_same_labels(suite, first=first, second=second)
    return Comparison(
        first=first.artifact.manifest.id,
        second=second.artifact.manifest.id,
        corpora=[_compare_suite(suite, first=first, second=second, seed=seed) for suite in tests],
    )


def _check_same_labels(suite: Suite, *, first: Runtime, second: Runtime) -> None:
    for runtime in (first, second):
        task = runtime.tasks.get(suite.task.name)
        if task is None or task.names != suite.task.names:
            raise CompareError(f"{runtime.artifact.manifest.id} has no task {suite.task.name} with the same labels.")


def _compare_suite(suite: Suite, *, first: Runtime, second: Runtime, seed: int) -> CorpusComparison:
    name, n = suite.headline, len(suite.inputs)
    answers = [
        (_read_probabilities(runtime, suite=suite), runtime.decisions[suite.task.name]) for runtime in (first, second)
    ]
    one, two = (figures_by_rows(suite, found=found, decision=decision) for found, decision in answers)
    difference = paired_difference(lambda rows: one(rows)[name], second=lambda rows: two(rows)[name], n=n, seed=seed)
    every = np.arange(n)
    return CorpusComparison(
        corpus=suite.corpus,
        task=suite.task.name,
        metric=name,
        n=n,
        first=round(one(every)[name], 5),
        second=round(two(every)[name], 5),
        difference=difference.row(),
        labels=_compare_labels(
            suite, chosen=[chosen_columns(suite, found=found, decision=decision) for found, decision in answers]
        ),
    )


def _read_probabilities(runtime: Runtime, *, suite: Suite) -> Probabilities:
    title = f"{runtime.artifact.manifest.id} {suite.corpus}"
    logits = read_logits(runtime, inputs=suite.inputs, task=suite.task.name, title=title)
    return probabilities(logits, decision=runtime.decisions[suite.task.name])


def _compare_labels(suite: Suite, *, chosen: Sequence[npt.NDArray[np.int64]]) -> list[LabelDifference]:
    """Return the F1 of each label that occurs in the rows, with both artifacts."""
    truth = label_rows(suite)
    one, two = (per_label(truth, chosen=labels, names=suite.task.names) for labels in chosen)
    return [
        LabelDifference(label=first["label"], n=first["n"], first=first["f1"], second=second["f1"])
        for first, second in zip(one, two, strict=True)
        if first["n"]
    ]


def format_lines(comparison: Comparison) -> list[str]:
    """Return the comparison as lines for the terminal; labels are listed if their F1 moved by at least five points."""
    lines = [f"{comparison['first']} against {comparison['second']}"]
    for row in comparison["corpora"]:
        gap = row["difference"]
        lines.append(
            f"{row['corpus']:28} {row['metric']:12} {row['first']:.4f} -> {row['second']:.4f}  "
            f"{100 * gap['value']:+.2f} points ({100 * gap['low']:+.2f} to {100 * gap['high']:+.2f}, n {row['n']:,}): "
            f"{gap['verdict']}"
        )
        moved = [label for label in row["labels"] if abs(label["second"] - label["first"]) >= 0.05]
        lines += [f"  {label['label']:30} F1 {label['first']:.3f} -> {label['second']:.3f} (n {label['n']})"
                  for label in moved]  # fmt: skip
    return lines
