from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
from bs4 import BeautifulSoup

from app.model.engine.gpu_runtime import GpuRuntime
from models.artifact import ArtifactError, open_artifact
from models.examples import Example
from models.labels import make_task
from models.network import Network
from models.runtime import Input, Runtime
from models.spelling import load_words
from models.tokens import pad_id
from tests.tiny import tiny_encoder
from training.artifact.export import ExportedArtifact, count_training_words, export, merge_and_verify
from training.artifact.export_encoder import ExportError
from training.cli import main
from training.data.encoding import encode
from training.data.tasks import TaskData
from training.fit import fit
from training.loop import predict
from training.network.load_network import open_network, restore_run
from training.recipe import DistillRecipe, LoraRecipe, Recipe, TaskRecipe
from training.run.run_folder import Run, RunError
from training.techniques.teachers import open_distillation

FEELINGS = {"good": "positive", "great": "positive", "bad": "negative", "wrong": "negative"}


def _examples(split: str, *, n: int) -> list[Example]:
    rng = np.random.default_rng(len(split))
    words = [str(rng.choice(list(FEELINGS))) for _ in range(n)]
    return [
        Example(f"the {('app', 'card', 'bank')[at % 3]} is {word} today {at % 10}", (FEELINGS[word],), task="mood",
                span=(4, 7), split=split, source="mood")
        for at, word in enumerate(words)
    ]  # fmt: skip


def _data() -> dict[str, TaskData]:
    counts = {"train": 300, "validation": 60, "test": 60}
    splits = {split: _examples(split, n=n) for split, n in counts.items()}
    labels = ("negative", "positive")
    mood = make_task("mood", role="sentiment", kind="single", pooling="mean", labels=labels)
    about = make_task("about", role="market_sentiment", kind="single", pooling="span", labels=labels)
    return {task.name: TaskData(task, splits) for task in (mood, about)}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("export")
    tasks = tuple(TaskRecipe(name=name, passes=6) for name in ("mood", "about"))
    recipe = Recipe(
        name="tiny", encoder=str(tiny_encoder(folder / "encoder")), max_length=32, batch_rows=16, lr=5e-3, head_lr=2e-2,
        precision="fp32", evaluate_every=1000, checkpoint_every=1000, lora=LoraRecipe(rank=4, alpha=8), tasks=tasks,
    )  # fmt: skip
    made = Run(folder / "run")
    fit(recipe, data=_data(), run=made)
    return made


@pytest.fixture(scope="module")
def exported(run: Run, tmp_path_factory: pytest.TempPathFactory) -> ExportedArtifact:
    return export(run, folder=tmp_path_factory.mktemp("models") / "mood-1.2", data=_data(), root=None)


def test_the_artifact_is_whole_and_says_where_it_comes_from(exported: ExportedArtifact, run: Run) -> None:
    manifest = open_artifact(exported.artifact.folder).manifest
    assert (manifest.id, manifest.kind, manifest.max_length) == ("mood@1.2", "classifier", 32)
    assert manifest.encoders[0].tasks == ("mood", "about")
    assert manifest.recipe["lora"]["rank"] == 4
    wanted = {"MODEL_CARD.md", "metrics.json", "decision.json", "adapter/adapter_model.safetensors", "int8/main.bin"}
    wanted |= {"words.txt", "LICENSE", "NOTICE"}
    assert wanted <= set(manifest.files)
    assert not [path for path in exported.artifact.folder.parent.iterdir() if path.name.startswith(".")]


def test_words_are_counted_and_those_of_what_a_run_went_on_from_are_kept(
    exported: ExportedArtifact, tmp_path: Path
) -> None:
    words = load_words(exported.artifact.path("words.txt"))
    # Both tasks learn from the same 300 rows.
    assert words["today"] == 600
    assert list(words.values()) == sorted(words.values(), reverse=True)
    run = Run(tmp_path)
    run.write("start.json", content={"path": str(exported.artifact.folder), "recipe": {}})
    found = count_training_words(run, texts=["the branch", "the branch", "the branch"])
    assert (found["branch"], found["today"], found["the"]) == (3, 600, words["the"])


def test_the_model_learned_and_int8_agrees_with_float32(exported: ExportedArtifact) -> None:
    for row in exported.metrics["headline"]:
        assert row["int8"] > 0.9
        assert abs(row["difference"]) < 0.05
        assert row["n"] == 60


def test_serving_answers_as_the_torch_network_does(exported: ExportedArtifact, run: Run) -> None:
    network, tokenizer, tasks = restore_run(run)
    rows = _examples("test", n=40)
    served = Runtime(exported.artifact, threads=1)
    for name, task in tasks.items():
        encoded = encode(rows, task=task, tokenizer=tokenizer)
        exact = predict(network, task=name, encoded=encoded, rows=np.arange(40), pad_id=pad_id(tokenizer))
        found = served.logits([Input(row.text, row.span) for row in rows], tasks=[name])[name]
        assert (found.argmax(axis=1) == exact.argmax(axis=1)).mean() >= 0.97
        assert np.abs(found - exact).max() < 0.15 * np.abs(exact).max()


def test_a_student_is_exported_whole_and_can_teach(run: Run, exported: ExportedArtifact, tmp_path: Path) -> None:
    distill = DistillRecipe(teachers=(str(exported.artifact.folder),), layers=(1,), neurons=64)
    recipe = replace(run.recipe(), name="small", method="full", distill=distill, lr=2e-3)
    small = Run(tmp_path / "small")
    fit(recipe, data=_data(), run=small)
    done = export(small, folder=tmp_path / "small-1.0", data=_data(), root=None)
    manifest = open_artifact(done.artifact.folder).manifest
    assert manifest.encoders[0].adapter == ""
    assert "encoder.safetensors" in manifest.files
    assert "a smaller student of mood-1.2" in (done.artifact.folder / "MODEL_CARD.md").read_text("utf-8")
    assert all(row["int8"] > 0.9 for row in done.metrics["headline"])
    again, whole = open_network(done.artifact.folder).network, restore_run(small)[0]
    for name, value in whole.state_dict().items():
        torch.testing.assert_close(again.state_dict()[name], value, atol=2e-3, rtol=2e-3)
    with pytest.raises(ArtifactError, match="has no adapter for its encoder main: use the int8 engine"):
        GpuRuntime(done.artifact, base=Path(run.encoder()["path"]), device="cpu")
    slim = export(small, folder=tmp_path / "slim-1.0", data=_data(), root=None, is_slim=True).artifact
    assert slim.manifest.files.keys() == manifest.files.keys() - {"encoder.safetensors"}
    with pytest.raises(RunError, match=r"has neither encoder\.safetensors nor an adapter"):
        open_network(slim.folder)


def test_an_artifact_teaches_by_the_graph_that_it_serves_with(
    exported: ExportedArtifact, run: Run, tmp_path: Path
) -> None:
    data = _data()
    answers = {}
    for match in ("last", "all"):
        distill = DistillRecipe(teachers=(str(exported.artifact.folder),), match=match)
        recipe = replace(run.recipe(), method="full", distill=distill)
        distillation = open_distillation(recipe, run=Run(tmp_path / match / "small"))
        assert distillation is not None
        tasks = {name: entry.task for name, entry in data.items()}
        answers[match] = distillation.make_criterion(
            Network(distillation.make_student(), tasks=tasks, width=32), data=data
        ).outputs["mood"]
    served = Runtime(exported.artifact, threads=1).logits([row.text for row in data["mood"].splits["train"]])["mood"]
    np.testing.assert_allclose(answers["last"].logits.float().numpy(), served, atol=0.02)
    assert answers["all"].states.shape[1] == 2
    agree = answers["last"].logits.argmax(dim=1) == answers["all"].logits.argmax(dim=1)
    assert agree.float().mean() >= 0.97


def test_the_figures_in_the_file_are_those_of_the_file(exported: ExportedArtifact) -> None:
    folder = exported.artifact.folder
    assert json.loads((folder / "metrics.json").read_text("utf-8")) == exported.metrics
    card = (folder / "MODEL_CARD.md").read_text("utf-8")
    assert f"{exported.metrics['headline'][0]['int8']:.4f}" in card
    assert "mood@1.2" in card
    low, high = exported.metrics["headline"][0]["interval"]
    assert low <= exported.metrics["headline"][0]["int8"] <= high
    assert f"({low:.3f}–{high:.3f})" in card
    assert "| names and places change no feeling | INV | `mood` |" in card


def test_the_closer_look_agrees_with_the_figures(exported: ExportedArtifact) -> None:
    metrics = exported.metrics
    for corpus, row in metrics["details"].items():
        assert sum(sum(line) for line in row["confusion"]) == metrics["int8"][corpus]["n"]
        assert row["abstention"]["curve"][-1]["risk"] == pytest.approx(
            1 - metrics["int8"][corpus]["accuracy"], abs=1e-3
        )
        assert sum(part["n"] for part in row["calibration"]["bins"]) == metrics["int8"][corpus]["n"]
    for robust in metrics["robustness"].values():
        assert robust["upper_case"]["kept"] == 1
        assert 0 <= robust["attack"]["turned"] <= robust["attack"]["attackable"] <= robust["attack"]["n"]
    assert metrics["heads"]["mood"]["n"] == 60
    assert metrics["size"]["served_bytes"] > metrics["size"]["weights_bytes"] > 0


def test_the_report_is_one_page_without_script_or_network(exported: ExportedArtifact, tmp_path: Path) -> None:
    assert main(["report", str(exported.artifact.folder), "--out", str(tmp_path / "report.html")]) == 0
    page = BeautifulSoup((tmp_path / "report.html").read_text("utf-8"), "html.parser")
    assert not page.find_all(["script", "link", "img", "iframe"])
    assert not [tag for tag in page.find_all(True) if str(tag.get("href", "#"))[0] != "#"]
    assert {heading.get("id") for heading in page.find_all("h2")} >= {"figures", "honesty", "caution", "robustness"}
    assert all(plot.find("title") for plot in page.find_all("svg"))
    assert f"{exported.metrics['int8']['mood']['accuracy']:.4f}" in page.get_text()


def test_figures_without_a_closer_look_make_no_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "metrics.json").write_text('{"int8": {}}')
    assert main(["report", str(tmp_path), "--out", str(tmp_path / "report.html")]) == 2
    assert "hold no closer look" in capsys.readouterr().err
    assert main(["report", str(tmp_path / "nowhere")]) == 2
    assert "Give an artifact's folder" in capsys.readouterr().err


def test_decisions_were_fitted(exported: ExportedArtifact) -> None:
    decision = Runtime(exported.artifact, threads=1).decisions["mood"]
    assert decision.temperature != 1
    assert sum(band.n for band in decision.bands) == 60


def test_merging_equals_the_adapter(run: Run) -> None:
    network, tokenizer, _ = restore_run(run)
    data = _data()
    probe = {name: encode(e.splits["test"], task=e.task, tokenizer=tokenizer) for name, e in data.items()}
    rows = np.arange(20)
    before = {name: predict(network, task=name, encoded=p, rows=rows, pad_id=0) for name, p in probe.items()}
    merge_and_verify(network, probe=probe, pad=0)
    for name, encoded in probe.items():
        after = predict(network, task=name, encoded=encoded, rows=rows, pad_id=0)
        np.testing.assert_allclose(after, before[name], atol=1e-4)


def test_a_merge_that_changes_the_answers_is_refused(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    network, tokenizer, _ = restore_run(run)
    data = _data()
    probe = {name: encode(e.splits["test"], task=e.task, tokenizer=tokenizer) for name, e in data.items()}
    merging: Callable[[], torch.nn.Module] = cast(Any, network.encoder).merge_and_unload

    def careless() -> torch.nn.Module:
        merged = merging()
        with torch.no_grad():
            merged.get_parameter("encoder.layer.0.output.dense.weight").mul_(1.1)
        return merged

    monkeypatch.setattr(network.encoder, "merge_and_unload", careless)
    with pytest.raises(ExportError, match="differs from the adapter"):
        merge_and_verify(network, probe=probe, pad=0)


def test_an_unfinished_run_and_a_bad_name_are_refused(run: Run, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="must be named"):
        export(run, folder=tmp_path / "bellwether", data=_data(), root=None)
    unfinished = replace(run, path=tmp_path / "run")
    unfinished.write("state.json", content={"finished": False})
    with pytest.raises(ExportError, match="not finished"):
        export(unfinished, folder=tmp_path / "bellwether-1.0", data=_data(), root=None)
    assert not (tmp_path / "bellwether-1.0").exists()
