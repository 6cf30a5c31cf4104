"""The small model beside the full one: texts a second of both through the same engine, by turns, and the pipeline's.

`python -m tests.bench mini` writes results/mini.json; the scores are those that either artifact carries.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch

from models.artifact import open_artifact
from tests import shipped
from tests.bench.machine import machine
from tests.bench.model import contestants, texts
from tests.bench.model.contestants import Course
from tests.bench.model.speed import THREADS, compare

N = 1536
RESULT = Path(__file__).parents[1] / "results" / "mini.json"
FULL, MINI = "bellwether", "bellwether-mini"
PIPELINE = "transformers pipeline, batches of 8"


def main() -> None:
    """Measure and write the result."""
    torch.set_num_threads(THREADS)
    known = texts.banking().texts[:N]
    courses = {name: Course(open_artifact(shipped.newest(name)), texts.TASK, THREADS) for name in (FULL, MINI)}
    everyone = {name: contestants.engine(course) for name, course in courses.items()}
    whole = contestants.merged(courses[FULL])
    everyone[PIPELINE] = contestants.pipeline(courses[FULL], whole=whole, batch=8)
    rates = compare(everyone, known=known)
    told: dict[str, Any] = {
        "machine": machine(),
        "artifacts": {name: course.artifact.manifest.id for name, course in courses.items()},
        "texts_per_s": rates,
        "times_full": round(rates[MINI]["median"] / rates[FULL]["median"], 2),
        "times_pipeline": round(rates[MINI]["median"] / rates[PIPELINE]["median"], 2),
    }
    RESULT.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(told, indent=1))
