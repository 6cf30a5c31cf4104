"""Whether the contestants of the speed benchmark give the same answers, and the same in any company.

`python -m tests.bench accuracy` writes results/accuracy.json: accuracy on all banking77 test texts, and the largest
change of a probability when a text is read alone instead of among others.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch

from models.labels import load_tasks
from tests.bench.machine import machine
from tests.bench.model import texts
from tests.bench.model.contestants import Contestant
from tests.bench.model.speed import THREADS, field, folder

N_ALONE = 128
RESULT = Path(__file__).parents[1] / "results" / "accuracy.json"


def main() -> None:
    """Measure and write the result."""
    torch.set_num_threads(THREADS)
    course, known = texts.course(threads=THREADS), texts.banking()
    everyone = field(course, work=folder(course))
    index = load_tasks(course.artifact.path("labels.json"))[course.task].index()
    truth = np.asarray([index[label] for label in known.labels])
    told = {
        "machine": machine(),
        "artifact": course.artifact.manifest.id,
        "n": len(truth),
        "n_alone": N_ALONE,
        "contestants": {name: _figures(one, known.texts, truth=truth) for name, one in everyone.items()},
    }
    RESULT.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(told["contestants"], indent=1))


def _figures(one: Contestant, given: list[str], *, truth: np.ndarray) -> dict[str, float]:
    among = one.scores(given)
    alone = np.concatenate([one.scores([text]) for text in given[:N_ALONE]])
    change = np.abs(among[:N_ALONE] - alone)
    return {
        "accuracy": round(float((among.argmax(axis=1) == truth).mean()), 4),
        "largest_change": round(float(change.max()), 4),
        "labels_changed": int((among[:N_ALONE].argmax(axis=1) != alone.argmax(axis=1)).sum()),
    }
