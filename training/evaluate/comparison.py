"""Two artifacts side by side on the same rows: does the second one beat the first?

The difference of each corpus' figure comes with a 95 % interval of the paired bootstrap (training/evaluate/intervals),
and is called better or worse only where that interval leaves out zero. Labels are shown one by one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from models.decide import probabilities
from models.runtime import Runtime
from training.evaluate.closer_evaluation import chosen_columns, figures_by_rows, label_rows
from training.evaluate.intervals import paired_difference
from training.evaluate.metrics import per_label
from training.evaluate.suites import Suite, read_logits

Probabilities = npt.NDArray[np.float64]


class CompareError(ValueError):
    """Two artifacts that cannot be compared; the sentence says why."""


def compare(first: Runtime, *, second: Runtime, tests: Sequence[Suite], seed: int = 0) -> dict[str, Any]:
    """Figures of both on every suite. Raises CompareError where a task is missing or has other labels."""
    for suite in tests:
        _check_same_labels(suite, first=first, second=second)
    return {
        "first": first.artifact.manifest.id,
        "second": second.artifact.manifest.id,
        "corpora": [_compare_suite(suite, first=first, second=second, seed=seed) for suite in tests],
    }


def _check_same_labels(suite: Suite, *, first: Runtime, second: Runtime) -> None:
    for runtime in (first, second):
        task = runtime.tasks.get(suite.task.name)
        if task is None or task.names != suite.task.names:
            raise CompareError(f"{runtime.artifact.manifest.id} has no task {suite.task.name} with the same labels.")


def _compare_suite(suite: Suite, *, first: Runtime, second: Runtime, seed: int) -> dict[str, Any]:
    name, runtimes = suite.headline, (first, second)
    found = [_read_probabilities(runtime, suite=suite) for runtime in runtimes]
    figures = [
        figures_by_rows(suite, found=one, decision=runtime.decisions[suite.task.name])
        for one, runtime in zip(found, runtimes, strict=True)
    ]
    gap = paired_difference(
        lambda rows: figures[0](rows)[name], second=lambda rows: figures[1](rows)[name], n=len(suite.inputs), seed=seed
    )
    every = np.arange(len(suite.inputs))
    row: dict[str, Any] = {"corpus": suite.corpus, "task": suite.task.name, "metric": name, "n": len(suite.inputs)}
    row |= {side: round(one(every)[name], 5) for side, one in zip(("first", "second"), figures, strict=True)}
    chosen = [chosen_columns(suite, found=one, decision=runtime.decisions[suite.task.name])
              for one, runtime in zip(found, runtimes, strict=True)]  # fmt: skip
    return row | {"difference": gap.row(), "labels": _label_scores(suite, chosen=chosen)}


def _read_probabilities(runtime: Runtime, *, suite: Suite) -> Probabilities:
    title = f"{runtime.artifact.manifest.id} {suite.corpus}"
    logits = read_logits(runtime, inputs=suite.inputs, task=suite.task.name, title=title)
    return probabilities(logits, decision=runtime.decisions[suite.task.name])


def _label_scores(suite: Suite, *, chosen: Sequence[npt.NDArray[np.int64]]) -> list[dict[str, Any]]:
    """F1 of each label that occurs, of both."""
    truth = label_rows(suite)
    one, two = (per_label(truth, chosen=some, names=suite.task.names) for some in chosen)
    return [
        {"label": first["label"], "n": first["n"], "first": first["f1"], "second": second["f1"]}
        for first, second in zip(one, two, strict=True)
        if first["n"]
    ]


def format_lines(found: Mapping[str, Any]) -> list[str]:
    """The comparison as lines for the terminal: figures first, then the labels that moved by at least five points."""
    said = [f"{found['first']} against {found['second']}"]
    for row in found["corpora"]:
        gap = row["difference"]
        said.append(
            f"{row['corpus']:28} {row['metric']:12} {row['first']:.4f} -> {row['second']:.4f}  "
            f"{100 * gap['value']:+.2f} points ({100 * gap['low']:+.2f} to {100 * gap['high']:+.2f}, n {row['n']:,}): "
            f"{gap['verdict']}"
        )
        moved = [label for label in row["labels"] if abs(label["second"] - label["first"]) >= 0.05]
        said += [f"  {label['label']:30} F1 {label['first']:.3f} -> {label['second']:.3f} (n {label['n']})"
                 for label in moved]  # fmt: skip
    return said
