"""From a desk's corrections to a candidate beside the live artifact, by the command that people type."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from models.artifact import open_artifact
from models.examples import Example, write_examples
from models.runtime import Runtime
from training import learn_corrections
from training.artifact.export import export
from training.cli import main
from training.data import load_data
from training.data.corpora import DataError
from training.fit import fit
from training.recipe import load_recipe
from training.run.run_folder import Run

TEXTS = [f"{start} the parcel is {word} number {at}" for at in range(20) for start, word in
         (("please", "lost"), ("hello", "late"))]  # fmt: skip


@pytest.fixture(scope="module")
def live(encoder: Path, corpora: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A live artifact that learned two tasks of the small corpora."""
    folder = tmp_path_factory.mktemp("live")
    smoke = load_recipe("smoke")
    tasks = tuple(
        dataclasses.replace(task, passes=6) for task in smoke.tasks if task.name in ("sentiment", "commerce_intent")
    )
    recipe = dataclasses.replace(smoke, encoder=str(encoder), tasks=tasks, max_steps=0, batch_tokens=64, lr=5e-3,
                                 head_lr=2e-2, max_length=32)  # fmt: skip
    data = load_data(recipe, root=corpora)[0]
    run = Run(folder / "run")
    fit(recipe, data=data, run=run, root=corpora)
    return export(run, folder=folder / "desk-1.0", data=data, root=corpora).artifact.folder


def _corrections(folder: Path) -> Path:
    rows = [
        Example(text, ("get_refund" if "lost" in text else "out_of_scope",), task="commerce_intent") for text in TEXTS
    ]
    path = folder / "corrections.jsonl"
    write_examples(path, examples=rows)
    with path.open("a", encoding="utf-8") as out:
        out.write('{"text": "what is this", "label": "no_such_label", "task": "sentiment"}\n')
        out.write('{"text": "what is that", "label": "a", "task": "no_such_task"}\n')
    return path


@pytest.mark.parametrize("has_corpora", [True, False], ids=["rehearsal", "corrections alone"])
def test_corrections_become_a_candidate_with_a_report(
    live: Path,
    corpora: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    has_corpora: bool,
) -> None:
    monkeypatch.setenv("BELLWETHER_THREADS", "1")
    data = corpora if has_corpora else tmp_path / "nowhere"
    out = tmp_path / "desk-1.1"
    command = ["learn", str(_corrections(tmp_path)), "--live", str(live), "--out", str(out), "--data", str(data),
               "--runs", str(tmp_path / "runs"), "--passes", "12"]  # fmt: skip
    assert main(command) == 0
    said = capsys.readouterr().out
    assert "left out: The task sentiment has no label 'no_such_label'" in said
    assert "left out: The live model has no task 'no_such_task'" in said
    assert "flask --app wsgi model promote desk@1.1" in said
    assert ("own answers keep the other tasks in place" in said) is not has_corpora

    found = json.loads((tmp_path / "runs" / "learn-desk-1.1" / "comparison.json").read_text("utf-8"))
    assert (found["first"], found["second"]) == ("desk@1.0", "desk@1.1")
    judged = {row["corpus"]: row for row in found["corpora"]}
    own = judged["corrections commerce_intent"]
    assert own["n"] == sum(learn_corrections.is_held_out(text) for text in TEXTS)
    assert own["second"] > own["first"]
    assert own["difference"]["verdict"] == "better"
    assert {label["label"] for label in own["labels"]} == {"get_refund", "out_of_scope"}
    assert ("bitext" in judged) is has_corpora
    page = (tmp_path / "runs" / "learn-desk-1.1" / "comparison.html").read_text("utf-8")
    assert "desk@1.1 beside desk@1.0" in page
    assert "<script" not in page

    artifact = open_artifact(out)
    assert artifact.manifest.recipe["start"]["recipe"]["artifact"] == "desk@1.0"
    candidate, before = Runtime(artifact, threads=1), Runtime.open(live, threads=1)
    assert candidate.tasks == before.tasks
    if not has_corpora:
        assert candidate.decisions == before.decisions


def test_the_held_out_fifth_depends_on_the_text_alone() -> None:
    texts = [f"message {at}" for at in range(2000)]
    share = sum(map(learn_corrections.is_held_out, texts)) / 2000
    assert 0.17 < share < 0.23
    assert learn_corrections.is_held_out("Message   7") == learn_corrections.is_held_out("message 7")


def test_corrections_that_teach_nothing_are_reported(live: Path, tmp_path: Path) -> None:
    tasks = Runtime.open(live, threads=1).tasks
    with pytest.raises(DataError, match=r"There is no file .* flask --app wsgi examples export"):
        learn_corrections.read_corrections(tmp_path / "no.jsonl", tasks=tasks)
    path = tmp_path / "some.jsonl"
    path.write_text('{"text": "hello", "label": "x", "task": "sentiment"}\nnot json\n')
    with pytest.raises(DataError, match="has no label 'x'"):
        learn_corrections.read_corrections(path, tasks=tasks)


def test_a_label_is_found_by_its_slug_and_kept_by_its_name(live: Path, tmp_path: Path) -> None:
    tasks = Runtime.open(live, threads=1).tasks
    path = tmp_path / "some.jsonl"
    write_examples(path, examples=[Example(text, ("positive",), task="sentiment") for text in TEXTS])
    found = learn_corrections.read_corrections(path, tasks=tasks)
    assert len(found.learned["sentiment"]) + len(found.held_out["sentiment"]) == len(TEXTS)


def test_a_candidate_takes_the_next_free_version(live: Path, tmp_path: Path) -> None:
    runtime = Runtime.open(live, threads=1)
    assert learn_corrections.next_version_folder(runtime, models=tmp_path).name == "desk-1.1"
    (tmp_path / "desk-1.1").mkdir()
    assert learn_corrections.next_version_folder(runtime, models=tmp_path).name == "desk-1.2"
