"""Label noise: which labels of a task are probably wrong, as confident learning counts it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models.examples import Example
from models.runtime import Runtime
from training.data.encoding import label_columns
from training.data.tasks import TaskData, sample_rows
from training.techniques.active_learning import Suspect, find_suspects, held_out_probabilities

VECTORS = Path("models/search-1.0")
"""The artifact whose vectors tell texts apart."""
SAMPLE_ROWS = 2000
"""Rows a task that are looked at before a fit: enough to say how many labels are suspect, in seconds."""


@dataclass(frozen=True)
class LabelNoise:
    """The rows of a task that were looked at, and those with a suspect label, the worst first."""

    task: str
    names: tuple[str, ...]
    rows: tuple[Example, ...]
    suspects: tuple[Suspect, ...]

    @property
    def sentence(self) -> str:
        """How many labels are suspect."""
        share = len(self.suspects) / max(1, len(self.rows))
        return f"{self.task:18} {len(self.suspects):,} of {len(self.rows):,} labels are suspect ({share:.1%})"

    def line(self, suspect: Suspect) -> str:
        """A suspect row in one line of the terminal."""
        given, likelier = self.names[suspect.given], self.names[suspect.likelier]
        return f"  {given} -> {likelier}?  {self.rows[suspect.row].text[:90]}"


def find_label_noise(entry: TaskData, *, encoder: Runtime, cap: int = 0, seed: int = 0) -> LabelNoise | None:
    """Look at a task's training rows, at most `cap` of them (0: all); None where labels cannot be doubted.

    A label with one row has nothing to be compared with and is passed over; so is a task with several labels a text.
    """
    if entry.task.kind == "multi":
        return None
    rows = sample_rows(entry.splits["train"], cap=cap, seed=f"{seed}/{entry.task.name}/noise")
    columns = label_columns(rows, task=entry.task).astype(np.int64)
    is_known = np.bincount(columns, minlength=len(entry.task.names))[columns] > 1
    rows = [row for row, known in zip(rows, is_known, strict=True) if known]
    used, targets = np.unique(columns[is_known], return_inverse=True)
    if len(used) < 2:
        return None
    found = held_out_probabilities(encoder.embed([row.text for row in rows]), targets=targets, seed=seed)
    names = tuple(entry.task.names[column] for column in used)
    return LabelNoise(entry.task.name, names, tuple(rows), tuple(find_suspects(found, targets=targets)))
