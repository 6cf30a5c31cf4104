"""The closer look at an artifact holds for very few rows too."""

from __future__ import annotations

import numpy as np

from models.decide import Decision
from models.labels import make_task
from models.runtime import Input
from training.evaluate.closer_evaluation import corpus_details
from training.evaluate.suites import Reading, Suite


def test_a_single_row_has_its_intervals() -> None:
    task = make_task("parcels", role="intent", kind="single", pooling="mean", labels=["lost", "late"])
    suite = Suite("corrections", task, (Input("it is lost"),), np.array([0]), np.array([False]))
    reading = Reading(suite, logits=np.array([[3.0, 0.0]], dtype=np.float32), outside=None)
    found = corpus_details([reading], decisions={"parcels": Decision(kind="single", temperature=1.0)})
    assert found["corrections"]["intervals"]["accuracy"] == [1.0, 1.0]
