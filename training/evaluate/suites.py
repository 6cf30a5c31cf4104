"""Measure an artifact on the test rows of every corpus, through the serving runtime.

The answer is the most probable of all labels, `out_of_scope` included; the model does not abstain here.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from models.decide import Decision, probabilities
from models.examples import Example
from models.labels import OUT_OF_SCOPE, Task
from models.runtime import Input, Runtime
from training.data import load_data
from training.data.corpora import CORPORA, read_rows
from training.data.encoding import label_columns
from training.data.tasks import TASKS, TaskData, load_negatives, load_task
from training.evaluate.figures import Figures
from training.evaluate.metrics import multi_label, rejection_auroc, single_label
from training.recipe import recipe_from

SLICE = 1024
SAMPLE_ROWS = 150
HEADLINES = {"semeval2017_task4": "macro_recall", "tfns": "weighted_f1"}

Logits = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Suite:
    """The test rows of a corpus for a task; `is_shared` marks texts that are also in the official training file."""

    corpus: str
    task: Task
    inputs: tuple[Input, ...]
    targets: npt.NDArray[np.int64] | npt.NDArray[np.float32]
    is_shared: npt.NDArray[np.bool_]

    @property
    def headline(self) -> str:
        """The figure by which this corpus is usually compared."""
        return HEADLINES.get(self.corpus, "macro_f1" if self.task.kind == "multi" else "accuracy")

    def rows(self, chosen: npt.NDArray[np.intp]) -> Suite:
        """Return the suite with only the rows at these indices."""
        inputs = tuple(self.inputs[at] for at in chosen)
        return replace(self, inputs=inputs, targets=self.targets[chosen], is_shared=self.is_shared[chosen])


def load_test_rows(runtime: Runtime, *, root: Path) -> dict[str, TaskData]:
    """Return the test rows of every task of an artifact, from the corpora or from the user's file in its recipe."""
    rows = {row["name"]: row for row in runtime.artifact.manifest.recipe.get("tasks", ())}
    data: dict[str, TaskData] = {}
    for name in runtime.tasks:
        if name in TASKS and not rows.get(name, {}).get("data"):
            data[name] = load_task(name, root=root, splits=("test",))
        elif name in rows:
            recipe = recipe_from({"tasks": [rows[name]], "skip_bad_rows": True})
            found = load_data(recipe, root=root)[0][name]
            data[name] = TaskData(runtime.tasks[name], {"test": found.splits["test"]}, found.corpora)
    return data


def make_suites(data: Mapping[str, TaskData], *, root: Path | None) -> list[Suite]:
    """Return a suite for every corpus in the test split of every task."""
    found = []
    for entry in data.values():
        tested = entry.splits.get("test", [])
        for corpus in dict.fromkeys(example.source for example in tested):
            rows = [example for example in tested if example.source == corpus]
            shared = _load_shared(corpus, root=root, n=len(rows))
            targets = label_columns(rows, task=entry.task)
            found.append(Suite(corpus or entry.task.name, entry.task, to_inputs(rows), targets, shared))
    return found


def to_inputs(examples: Sequence[Example]) -> tuple[Input, ...]:
    """Return examples as inputs of the runtime."""
    return tuple(Input(example.text, example.span) for example in examples)


def _load_shared(corpus: str, *, root: Path | None, n: int) -> npt.NDArray[np.bool_]:
    if root is None or corpus not in CORPORA:
        return np.zeros(n, dtype=np.bool_)
    rows = read_rows(corpus, root=root, split="test")
    return np.asarray([bool(row.get("also_in_original_train")) for row in rows])


def read_logits(runtime: Runtime, *, inputs: Sequence[Input], task: str, title: str) -> Logits:
    """Return the logits [n, labels] of many inputs; shows a progress bar."""
    order = sorted(range(len(inputs)), key=lambda at: -len(inputs[at].text))
    found = np.zeros((len(inputs), len(runtime.tasks[task].labels)), np.float32)
    with tqdm(total=len(inputs), desc=title, unit="text", leave=False) as bar:
        for start in range(0, len(order), SLICE):
            part = order[start : start + SLICE]
            found[part] = runtime.logits([inputs[at] for at in part], tasks=[task])[task]
            bar.update(len(part))
    return found


def suite_figures(suite: Suite, *, logits: Logits, decision: Decision) -> Figures:
    """Return the figures of a suite; if it has shared rows, the headline figure without them is added."""
    found: Figures = {"n": len(suite.inputs), **_scores(suite, logits=logits, decision=decision)}
    if suite.is_shared.any():
        kept = np.flatnonzero(~suite.is_shared)
        rest = _scores(suite.rows(kept), logits=logits[kept], decision=decision)
        found |= {"n_without_shared": len(kept), f"{suite.headline}_without_shared": rest[suite.headline]}
    return {name: round(value, 5) for name, value in found.items()}


def _scores(suite: Suite, *, logits: Logits, decision: Decision) -> dict[str, float]:
    found = probabilities(logits, decision=decision)
    if suite.task.kind == "multi":
        return multi_label(found, targets=suite.targets.astype(np.float32), accept=np.asarray(decision.accept))
    return single_label(found, targets=suite.targets.astype(np.int64))


@dataclass(frozen=True)
class Reading:
    """A suite with an artifact's logits; `outside` are the logits of foreign intents, for tasks with `out_of_scope`."""

    suite: Suite
    logits: Logits
    outside: Logits | None = None


def read_suites(runtime: Runtime, *, tests: Sequence[Suite], root: Path | None, title: str) -> list[Reading]:
    """Compute the logits of every suite and, with a `root`, of the out-of-scope test texts of the intent tasks."""
    readings = []
    for suite in tests:
        logits = read_logits(runtime, inputs=suite.inputs, task=suite.task.name, title=f"{title} {suite.corpus}")
        outside = None
        if root is not None and OUT_OF_SCOPE in suite.task.names and suite.task.name in TASKS:
            foreign = to_inputs(load_negatives(TASKS[suite.task.name], root=root, split="test"))
            outside = read_logits(runtime, inputs=foreign, task=suite.task.name, title="out of scope")
        readings.append(Reading(suite, logits, outside))
    return readings


def measure(
    runtime: Runtime, *, tests: Sequence[Suite], decisions: Mapping[str, Decision], root: Path | None, title: str
) -> dict[str, Figures]:
    """Compute the logits of every suite and return the figures by corpus."""
    return figures_by_corpus(read_suites(runtime, tests=tests, root=root, title=title), decisions=decisions)


def figures_by_corpus(readings: Sequence[Reading], *, decisions: Mapping[str, Decision]) -> dict[str, Figures]:
    """Return the figures by corpus; those of intent tasks include the rejection of foreign intents."""
    found: dict[str, Figures] = {}
    for reading in readings:
        suite, decision = reading.suite, decisions[reading.suite.task.name]
        row = {"task": suite.task.name, **suite_figures(suite, logits=reading.logits, decision=decision)}
        found[suite.corpus] = row | _rejection_figures(reading, decision=decision)
    return found


def _rejection_figures(reading: Reading, *, decision: Decision) -> Figures:
    """Return AUROC of P(out_of_scope), and the shares of foreign and own texts that the served decision rejects."""
    if reading.outside is None:
        return {}
    column = reading.suite.task.index()[OUT_OF_SCOPE]
    own = probabilities(reading.logits, decision=decision)
    foreign = probabilities(reading.outside, decision=decision)
    edge = decision.reject_from if decision.reject_from is not None else 0.5
    return {
        "out_of_scope_auroc": round(rejection_auroc(own[:, column], outside=foreign[:, column]), 5),
        "out_of_scope_rejected": round(float((foreign[:, column] >= edge).mean()), 5),
        "in_scope_rejected": round(float((own[:, column] >= edge).mean()), 5),
        "n_out_of_scope": len(reading.outside),
    }


def sample_suites(tests: Sequence[Suite], *, seed: int, n: int = SAMPLE_ROWS) -> list[Suite]:
    """Return every suite with a random sample of at most `n` rows; the seed determines the sample."""
    chosen = []
    for suite in tests:
        rows = random.Random(f"{seed}/{suite.corpus}").sample(range(len(suite.inputs)), min(n, len(suite.inputs)))
        chosen.append(suite.rows(np.asarray(rows)))
    return chosen
