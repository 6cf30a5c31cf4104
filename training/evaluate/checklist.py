"""Behaviour tests after CheckList (Ribeiro et al. 2020, arXiv:2005.04118), which every model should pass.

MFT, minimum functionality: simple texts with an unambiguous label. INV, invariance: a change of the text that must not
change the answer. DIR, direction: a change that may move a label's probability in one direction only. The tests are in
checklists.toml.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from models.examples import find_target
from models.labels import Task
from models.runtime import Input
from training.evaluate.figures import BehaviourResult, FailedCase

TOLERANCE = 0.1
SHOWN = 5
Probabilities = npt.NDArray[np.float64]
Read = Callable[[str, Sequence[Input]], Probabilities]


class ChecklistError(ValueError):
    """A behaviour test is invalid; the message names it."""


@dataclass(frozen=True)
class BehaviourTest:
    """A behaviour test; `texts` are templates, `twins` their changed versions, `fill` the values of their slots."""

    name: str
    kind: Literal["MFT", "INV", "DIR"]
    texts: tuple[str, ...]
    twins: tuple[str, ...] = ()
    task: str = ""
    role: str = ""
    label: str = ""
    direction: Literal["up", "down"] = "up"
    target: str = ""
    twin_target: str = ""
    fill: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def applies_to(self, task: Task) -> bool:
        """True when the test is for this task, or for its role, and the task has the label."""
        is_meant = self.task == task.name if self.task else self.role == task.role
        return is_meant and task.kind == "single" and (not self.label or self.label in task.names)

    def cases(self) -> list[tuple[Input, Input | None]]:
        """Return every distinct pair of a filled text and its twin, None for an MFT."""
        longest = max((len(values) for values in self.fill.values()), default=1)
        twins: Sequence[str | None] = self.twins or [None] * len(self.texts)
        made = []
        for text, twin in zip(self.texts, twins, strict=True):
            for at in range(longest):
                values = {name: some[at % len(some)] for name, some in self.fill.items()}
                other = None if twin is None else _fill_template(twin, values, target=self.twin_target or self.target)
                made.append((_fill_template(text, values, target=self.target), other))
        return list(dict.fromkeys(made))


def read_tests(path: Path | None = None) -> list[BehaviourTest]:
    """Read behaviour tests from a TOML file, checklists.toml by default. Raises ChecklistError."""
    path = path or Path(__file__).with_name("checklists.toml")
    try:
        rows = tomllib.loads(path.read_text(encoding="utf-8"))["test"]
        return [_parse_test(row) for row in rows]
    except (tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise ChecklistError(f"{path} cannot be read as behaviour tests: {error}.") from error


def _parse_test(row: dict[str, Any]) -> BehaviourTest:
    lists: dict[str, Any] = {name: tuple(row[name]) for name in ("texts", "twins") if name in row}
    test = BehaviourTest(**(row | lists))
    if test.kind == "MFT" and (not test.label or test.twins):
        raise ChecklistError(f"The behaviour test {test.name!r} is an MFT: it needs a label and no twins.")
    if test.kind != "MFT" and len(test.twins) != len(test.texts):
        raise ChecklistError(f"The behaviour test {test.name!r} needs a twin for each of its texts.")
    return test


def _fill_template(template: str, values: Mapping[str, str], *, target: str) -> Input:
    text = template
    for name, value in values.items():
        text = text.replace("{" + name + "}", value)
    return Input(text, find_target(text, target=values[target]) if target else None)


def run_tests(tests: Sequence[BehaviourTest], *, tasks: Mapping[str, Task], read: Read) -> list[BehaviourResult]:
    """Run every test on the tasks it applies to; `read` gives a task's calibrated probabilities [n, labels]."""
    return [_run_test(test, task=task, read=read) for test in tests for task in tasks.values() if test.applies_to(task)]


def _run_test(test: BehaviourTest, *, task: Task, read: Read) -> BehaviourResult:
    cases = test.cases()
    before = read(task.name, [text for text, _ in cases])
    answers = before.argmax(axis=1)
    if test.kind == "MFT":
        failed = answers != task.index()[test.label]
    else:
        after = read(task.name, [twin for _, twin in cases if twin is not None])
        first, answers = answers, after.argmax(axis=1)
        failed = answers != first if test.kind == "INV" else _moved_against(test, task=task, before=before, after=after)
    examples = [
        FailedCase(text=(twin or text).text, answer=task.names[answers[at]])
        for at, (text, twin) in enumerate(cases)
        if failed[at]
    ]
    return BehaviourResult(
        name=test.name,
        kind=test.kind,
        task=task.name,
        n=len(cases),
        failed=int(failed.sum()),
        examples=examples[:SHOWN],
    )


def _moved_against(
    test: BehaviourTest, *, task: Task, before: Probabilities, after: Probabilities
) -> npt.NDArray[np.bool_]:
    column = task.index()[test.label]
    moved = after[:, column] - before[:, column]
    return np.asarray((moved if test.direction == "up" else -moved) < -TOLERANCE)
