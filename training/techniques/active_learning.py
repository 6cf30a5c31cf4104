"""What a person should look at next: labels that are probably wrong, and unlabelled texts that would teach the most.

Labels: confident learning (Northcutt et al. 2021, arXiv 1911.00068) as cleanlab counts it, from probabilities of rows
that a linear classifier on the encoder's vectors was not trained on.
Texts: chosen by doubt and unlikeness, as the application does (models/active_learning.py).
Stopping: once the model's answers on a fixed pool hold still between rounds (stabilising predictions, Bloodgood and
Vijay-Shanker 2009: kappa of at least 0.99 three times in a row), more labels of this kind teach little.
Pseudo-labels: an answer is taken as a label only where it is sure on the text as it is, and the same on a changed one
(FixMatch, Sohn et al. 2020, arXiv 2001.07685).
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from cleanlab.filter import find_label_issues
from cleanlab.rank import get_label_quality_scores
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from models.active_learning import most_informative

Vectors = npt.NDArray[np.float32]
Probabilities = npt.NDArray[np.float64]
Columns = npt.NDArray[np.int64]

FOLDS = 5
SURE = 0.95
STABLE, STABLE_ROUNDS = 0.99, 3


@dataclass(frozen=True)
class Suspect:
    """A row whose label is probably wrong: its place, the label's column, the likelier column, and a quality 0–1."""

    row: int
    given: int
    likelier: int
    quality: float


def held_out_probabilities(vectors: Vectors, *, targets: Columns, seed: int = 0) -> Probabilities:
    """Probabilities [n, labels] of a linear classifier on rows it was not trained on.

    Labels with fewer than two rows are left out of the folds' count, so every label needs at least two.
    """
    folds = StratifiedKFold(max(2, min(FOLDS, int(np.bincount(targets).min()))), shuffle=True, random_state=seed)
    model = LogisticRegression(C=10.0, max_iter=300)
    return np.asarray(cross_val_predict(model, vectors, targets, cv=folds, method="predict_proba"), dtype=np.float64)


def suspects(found: Probabilities, *, targets: Columns) -> list[Suspect]:
    """Rows whose label is probably wrong, the worst first."""
    rows = find_label_issues(
        targets, found, filter_by="confident_learning", return_indices_ranked_by="self_confidence", n_jobs=1
    )
    quality = get_label_quality_scores(targets, found)
    return [
        Suspect(int(row), int(targets[row]), int(found[row].argmax()), round(float(quality[row]), 4)) for row in rows
    ]


def worth_asking(found: Probabilities, *, vectors: Vectors, n: int) -> list[int]:
    """The `n` unlabelled rows to ask a person about: uncertain, and unlike each other."""
    best = np.sort(found, axis=1)
    return most_informative(best[:, -1] - best[:, -2], vectors=vectors, n=n)


def agreement(first: Columns, *, second: Columns) -> float:
    """Cohen's kappa of two rounds' answers on the same pool."""
    same = float((first == second).mean())
    n_labels = int(max(first.max(), second.max())) + 1
    shares = (np.bincount(answers, minlength=n_labels) / len(answers) for answers in (first, second))
    chance = float(np.prod(list(shares), axis=0).sum())
    return 1.0 if chance >= 1 else (same - chance) / (1 - chance)


def is_enough(rounds: Sequence[Columns]) -> bool:
    """Whether the answers on the pool have held still long enough to stop asking; `rounds` are oldest first."""
    pairs = list(itertools.pairwise(rounds))[-STABLE_ROUNDS:]
    return len(pairs) == STABLE_ROUNDS and all(agreement(one, second=two) >= STABLE for one, two in pairs)


def pseudo_labels(found: Probabilities, *, changed: Probabilities, sure: float = SURE) -> dict[int, int]:
    """Row → label's column for rows whose answer is sure, and the same when the text is changed a little."""
    answers = found.argmax(axis=1)
    kept = (found.max(axis=1) >= sure) & (changed.argmax(axis=1) == answers)
    return {int(row): int(answers[row]) for row in np.flatnonzero(kept)}
