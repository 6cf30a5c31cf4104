"""Label noise: find the labels of a task that are probably wrong, by confident learning.

    wrong(x, y)  if  p_j(x) >= t_j for some label j != y,     t_j = mean of p_j over the rows with label j

The probabilities p come from a linear classifier on the texts' vectors, cross-validated, so that no row is judged by a
classifier that was fitted on it (Northcutt et al. 2021, arXiv:1911.00068; counted by cleanlab).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from cleanlab.filter import find_label_issues
from cleanlab.rank import get_label_quality_scores
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from models.examples import Example
from models.runtime import Runtime
from training.data.encoding import label_columns
from training.data.tasks import TaskData, sample_rows

VECTORS = Path("models/search-1.0")
"""The artifact that computes the texts' vectors."""
SAMPLE_ROWS = 2000
"""Rows of each task that `fit` checks: enough to estimate the share of suspect labels in seconds."""
FOLDS = 5

Probabilities = npt.NDArray[np.float64]
Columns = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Suspect:
    """A row whose label is probably wrong: row index, given and likelier label index, and the label's quality 0–1."""

    row: int
    given: int
    likelier: int
    quality: float


@dataclass(frozen=True)
class LabelNoise:
    """The checked rows of a task, and the suspects among them, the worst first."""

    task: str
    names: tuple[str, ...]
    rows: tuple[Example, ...]
    suspects: tuple[Suspect, ...]

    @property
    def sentence(self) -> str:
        """The number of suspect labels in words."""
        share = len(self.suspects) / max(1, len(self.rows))
        return f"{self.task:18} {len(self.suspects):,} of {len(self.rows):,} labels are suspect ({share:.1%})"

    def line(self, suspect: Suspect) -> str:
        """Return a suspect as one line for the terminal."""
        given, likelier = self.names[suspect.given], self.names[suspect.likelier]
        return f"  {given} -> {likelier}?  {self.rows[suspect.row].text[:90]}"


def find_label_noise(entry: TaskData, *, encoder: Runtime, cap: int = 0, seed: int = 0) -> LabelNoise | None:
    """Check a task's training rows, at most `cap` of them (0: all).

    Labels with a single row are skipped. Returns None for a multi-label task and when fewer than two labels are left.
    """
    if entry.task.kind == "multi":
        return None
    rows = sample_rows(entry.splits["train"], cap=cap, seed=f"{seed}/{entry.task.name}/noise")
    columns = label_columns(rows, task=entry.task).astype(np.int64)
    is_repeated = np.bincount(columns, minlength=len(entry.task.names))[columns] > 1
    rows = [row for row, repeated in zip(rows, is_repeated, strict=True) if repeated]
    used, targets = np.unique(columns[is_repeated], return_inverse=True)
    if len(used) < 2:
        return None
    probabilities = held_out_probabilities(encoder.embed([row.text for row in rows]), targets=targets, seed=seed)
    names = tuple(entry.task.names[column] for column in used)
    return LabelNoise(entry.task.name, names, tuple(rows), tuple(find_suspects(probabilities, targets=targets)))


def held_out_probabilities(vectors: npt.NDArray[np.float32], *, targets: Columns, seed: int = 0) -> Probabilities:
    """Return probabilities [n, labels] of a linear classifier, each row's from a fold that was not fitted on it.

    Every label needs at least two rows.
    """
    folds = StratifiedKFold(max(2, min(FOLDS, int(np.bincount(targets).min()))), shuffle=True, random_state=seed)
    model = LogisticRegression(C=10.0, max_iter=300)
    return np.asarray(cross_val_predict(model, vectors, targets, cv=folds, method="predict_proba"), dtype=np.float64)


def find_suspects(probabilities: Probabilities, *, targets: Columns) -> list[Suspect]:
    """Return the rows whose label is probably wrong, the worst first."""
    rows = find_label_issues(
        targets, probabilities, filter_by="confident_learning", return_indices_ranked_by="self_confidence", n_jobs=1
    )
    quality = get_label_quality_scores(targets, probabilities)
    return [
        Suspect(int(row), int(targets[row]), int(probabilities[row].argmax()), round(float(quality[row]), 4))
        for row in rows
    ]
