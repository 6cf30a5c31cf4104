"""Pseudo-labels: confident answers of teachers on unlabelled texts become training rows.

    rows' = rows + {(noise(x), y) : y = argmax p(x) = argmax p(noise(x)),  p_y(x) >= sure}

with the calibrated probabilities p of the teachers' mean logits; their temperature is fitted on the task's validation
rows. The student learns the label on a noisy copy of the text, which is harder than the text that the teachers labelled
(FixMatch, Sohn et al. 2020, arXiv:2001.07685). The rows are saved in the run's folder as pseudo.jsonl, so that a
resumed run learns from the same rows.
"""

from __future__ import annotations

import os
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt
import torch

from models.decide import Decision, probabilities
from models.examples import Example, read_examples
from models.labels import Task
from training.data.augmentation import add_noise
from training.data.encoding import encode, label_columns, open_tokenizer
from training.data.tasks import TaskData
from training.data.unlabelled_texts import load_unlabelled
from training.evaluate.temperature import fit_temperature
from training.network.load_network import TrainedNetwork
from training.recipe import AUGMENTATIONS, Recipe, RecipeError
from training.run.run_folder import Run
from training.techniques.distillation import Teacher, TeacherOutputs, compute_outputs
from training.techniques.teachers import last_layer_index, open_merged_network, open_teacher

FILE = "pseudo.jsonl"
Logits = npt.NDArray[np.float32]
Vectors = npt.NDArray[np.float32]


def add_pseudo_labels(
    data: Mapping[str, TaskData], *, recipe: Recipe, run: Run, root: Path | None
) -> dict[str, TaskData]:
    """Append the pseudo-labelled rows to each task's training rows. Raises RecipeError, DataError or RunError."""
    if not recipe.pseudo.teachers:
        return dict(data)
    kept = run.path / FILE
    if not kept.is_file():
        rows = _label_texts(data, recipe=recipe, run=run, root=root)
        kept.parent.mkdir(parents=True, exist_ok=True)
        partial = kept.with_suffix(f".{os.getpid()}")
        partial.write_text("".join(row.to_json() + "\n" for row in rows), encoding="utf-8")
        partial.replace(kept)
    found = list(read_examples(kept))
    return {name: add_training_rows(entry, [row for row in found if row.task == name]) for name, entry in data.items()}


def add_training_rows(entry: TaskData, rows: Sequence[Example]) -> TaskData:
    """Return the task with additional training rows; their sources are added to its corpora."""
    corpora = tuple(dict.fromkeys([*entry.corpora, *(row.source for row in rows if row.source)]))
    return replace(entry, splits=dict(entry.splits) | {"train": [*entry.splits["train"], *rows]}, corpora=corpora)


def _label_texts(data: Mapping[str, TaskData], *, recipe: Recipe, run: Run, root: Path | None) -> list[Example]:
    with TemporaryDirectory(prefix="pseudo-") as work:
        teachers = open_teachers(recipe.pseudo.teachers, beside=run.path.parent, work=Path(work))
        found = []
        for task in recipe.tasks:
            if task.unlabelled:
                known, cap = data[task.name], recipe.pseudo.cap
                bare = load_unlabelled(task, known=known, root=root, cap=cap, seed=recipe.seed)
                found += confident_rows(bare, known=known, teachers=teachers, recipe=recipe)
        return found


@dataclass(frozen=True)
class TeacherEnsemble:
    """Several trained networks; their logits are averaged."""

    each: tuple[tuple[TrainedNetwork, Teacher], ...]

    def outputs(self, rows: Sequence[Example], *, task: Task) -> tuple[Logits, Vectors]:
        """Return the mean logits [n, k] and the first network's pooled states [n, W] of unlabelled rows."""
        # Encoding needs a label; the networks do not see it.
        named = [row if row.labels else replace(row, labels=task.names[:1]) for row in rows]
        found = [_outputs_of_teacher(opened, teacher, rows=named, task=task) for opened, teacher in self.each]
        logits = torch.stack([one.logits.float() for one in found]).mean(dim=0).numpy()
        return logits, found[0].states[:, -1].float().numpy()


def _outputs_of_teacher(
    opened: TrainedNetwork, teacher: Teacher, *, rows: Sequence[Example], task: Task
) -> TeacherOutputs:
    if opened.network.tasks.get(task.name) != task:
        raise RecipeError(f"A teacher does not know the task {task.name} with these labels.")
    tokenizer = open_tokenizer(str(opened.tokenizer), max_length=opened.max_length)
    return compute_outputs(teacher, task=task, encoded=encode(rows, task=task, tokenizer=tokenizer))


def open_teachers(names: Sequence[str], *, beside: Path, work: Path) -> TeacherEnsemble:
    """Open runs or artifacts, given their paths or names in the folder `beside`; their graphs are written to `work`."""
    opened = [open_merged_network(name, beside=beside) for name in names]
    return TeacherEnsemble(
        tuple(
            (one, open_teacher(one, layers=(last_layer_index(one),), graph=work / f"{at}.xml"))
            for at, one in enumerate(opened)
        )
    )


def confident_rows(
    bare: Sequence[Example], *, known: TaskData, teachers: TeacherEnsemble, recipe: Recipe
) -> list[Example]:
    """Return noisy copies with pseudo-labels, of the texts whose label is confident and the same on the copy.

    Raises RecipeError for a multi-label task.
    """
    task, wanted = known.task, recipe.pseudo
    if task.kind == "multi":
        raise RecipeError(f"{task.name}: pseudo-labels need a task with one label a text.")
    if not bare:
        return []
    rng = random.Random(f"{recipe.seed}/{task.name}/pseudo")
    copies = [add_noise(row, kind=rng.choice(list(wanted.kinds or AUGMENTATIONS)), rng=rng) for row in bare]
    decision = _calibrate(known, teachers=teachers)
    plain, changed = (probabilities(teachers.outputs(rows, task=task)[0], decision=decision) for rows in (bare, copies))
    found = confident_labels(plain, changed=changed, sure=wanted.sure)
    return [replace(copies[row], labels=(task.names[column],)) for row, column in found.items()]


def _calibrate(known: TaskData, *, teachers: TeacherEnsemble) -> Decision:
    """Fit the temperature of the teachers' logits on the task's validation rows."""
    rows, task = known.splits["validation"], known.task
    if not rows:
        return Decision(kind=task.kind)
    logits, _ = teachers.outputs(rows, task=task)
    temperature = fit_temperature(logits, targets=label_columns(rows, task=task), task=task)
    return Decision(kind=task.kind, temperature=temperature)


def confident_labels(
    plain: npt.NDArray[np.float64], *, changed: npt.NDArray[np.float64], sure: float
) -> dict[int, int]:
    """Return row → label index for the rows with a probability of at least `sure` and the same label on both texts."""
    answers = plain.argmax(axis=1)
    is_confident = (plain.max(axis=1) >= sure) & (changed.argmax(axis=1) == answers)
    return {int(row): int(answers[row]) for row in np.flatnonzero(is_confident)}
