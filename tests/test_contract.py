"""The shipped artifacts are what their figures say: a sample of metrics.json is measured again from the files."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from models.artifact import open_artifact
from models.runtime import Runtime
from tests import corpora, shipped
from tests.architecture import ROOT
from training.artifact.export import SEED
from training.data.tasks import TASKS, load_task
from training.evaluate.suites import HEADLINES, make_suites, measure, sample_suites

POINTS = 0.002
# What may not be lost again.
FLOORS = {
    ("banking77", "accuracy"): 0.93,
    ("bitext", "accuracy"): 0.99,
    ("tfns", "weighted_f1"): 0.875,
    ("tfn_topic", "accuracy"): 0.87,
    ("tfn_topic", "accuracy_without_shared"): 0.88,
    ("sentfin", "accuracy"): 0.86,
    ("semeval2017_task4", "macro_recall"): 0.69,
}


@cache
def _metrics() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((shipped.newest() / "metrics.json").read_text("utf-8"))
    return found


@cache
def _measured() -> dict[str, dict[str, Any]]:
    runtime = Runtime.open(shipped.newest())
    data = {name: load_task(name, root=corpora.folder(), splits=("test",)) for name in runtime.tasks if name in TASKS}
    tests = sample_suites(make_suites(data, root=corpora.folder()), seed=SEED)
    return measure(runtime, tests=tests, decisions=runtime.decisions, root=None, title="sample")


def test_every_shipped_artifact_is_sound_and_small_enough() -> None:
    sizes = {
        folder: sum(entry.size for entry in open_artifact(folder).manifest.files.values())
        for folder in shipped.folders()
    }
    assert sizes[shipped.newest()] <= 30_000_000
    assert sizes[shipped.newest()] + sizes[shipped.newest("search")] <= 55_000_000


@pytest.mark.parametrize("folder", shipped.folders(), ids=lambda folder: folder.name)
def test_every_shipped_artifact_carries_its_licence_and_those_of_what_it_learned_from(folder: Path) -> None:
    artifact = open_artifact(folder)
    assert artifact.path("LICENSE").read_bytes() == (ROOT / "app/LICENSE").read_bytes()
    notice = artifact.path("NOTICE").read_text("utf-8")
    credits_given = [f"- {entry.name}: {entry.licence}, " for entry in artifact.manifest.data]
    assert [line for line in (artifact.manifest.base["name"], *credits_given) if line not in notice] == []


@pytest.mark.corpora
@pytest.mark.parametrize("corpus", ["banking77", "bitext", "semeval2017_task4", "goemotions", "tfns", "sentfin",
                                    "finentity", "tfn_topic"])  # fmt: skip
def test_the_sample_measures_as_it_is_written(corpus: str) -> None:
    written, found = _metrics()["sample"]["figures"][corpus], _measured()[corpus]
    assert found.keys() == written.keys()
    assert found["n"] == written["n"]
    name = HEADLINES.get(corpus, "macro_f1" if corpus == "goemotions" else "accuracy")
    assert found[name] == pytest.approx(written[name], abs=POINTS)


@pytest.mark.parametrize(("corpus", "figure"), FLOORS)
def test_the_shipped_model_stays_above_its_floors(corpus: str, figure: str) -> None:
    assert _metrics()["int8"][corpus][figure] >= FLOORS[corpus, figure]


def test_a_typo_takes_no_more_than_three_of_a_hundred_right_answers() -> None:
    kept = {corpus: row["typo"]["kept"] for corpus, row in _metrics()["robustness"].items()}
    assert kept.keys() == set(_metrics()["int8"])
    assert min(kept.values()) >= 0.97


def test_the_small_model_keeps_97_percent_of_every_score_with_a_floor() -> None:
    full, small = (
        {
            row["corpus"]: row["int8"]
            for row in json.loads((shipped.newest(name) / "metrics.json").read_text())["headline"]
        }
        for name in ("bellwether", "bellwether-mini")
    )
    judged = {corpus for corpus, _ in FLOORS}
    assert {corpus for corpus in judged if small[corpus] < 0.97 * full[corpus]} == set()
    size = sum(entry.size for entry in open_artifact(shipped.newest("bellwether-mini")).manifest.files.values())
    assert size <= 20_000_000


def test_int8_is_within_half_a_point_of_float32() -> None:
    """On a corpus with fewer than 200 rows one row is more than half a point: there one row is the bound."""
    bounds = {row["corpus"]: max(0.005, 1 / row["n"]) for row in _metrics()["headline"]}
    far = {row["corpus"]: row["difference"] for row in _metrics()["headline"]
           if abs(row["difference"]) > bounds[row["corpus"]] + 1e-5}  # fmt: skip
    assert far == {}
