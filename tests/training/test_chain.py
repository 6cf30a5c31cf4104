"""The whole chain on small corpora: fit, prune, distil, quantise, evaluate, export; and it does not take long."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from training.cli import main
from training.recipe import load_recipe

TASKS = ("banking_intent", "market_sentiment")
BUDGET_S = 90


def _recipe(folder: Path, *, name: str, encoder: Path, text: str) -> str:
    """The smoke recipe with two of its tasks and a technique of its own, as a file."""
    smoke = load_recipe("smoke")
    tasks = "\n".join(f"[tasks.{name}]\ncap = 200\npasses = 3" for name in TASKS)
    head = f'encoder = "{encoder}"\nmax_steps = {smoke.max_steps}\nevaluate_rows = {smoke.evaluate_rows}\n'
    (folder / f"{name}.toml").write_text(f"{head}{text}\n{tasks}\n")
    return str(folder / f"{name}.toml")


def test_fit_prune_distil_quantise_evaluate_export(
    encoder: Path, corpora: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BELLWETHER_THREADS", "1")
    start = time.process_time()
    steps = {
        "first": "[lora]\nrank = 4\nalpha = 8",
        "pruned": 'method = "full"\nlr = 1e-3\nstart = "first"\n[prune]\nheads = 0.5\nneurons = 0.5\nbatches = 4',
        "small": 'method = "full"\nlr = 1e-3\n[distill]\nteachers = ["first", "pruned"]\nlayers = [1]\nneurons = 64',
    }
    runs = ["--runs", str(tmp_path / "runs"), "--data", str(corpora)]
    for name, text in steps.items():
        assert main(["fit", "--recipe", _recipe(tmp_path, name=name, encoder=encoder, text=text), *runs]) == 0
    out = tmp_path / "models" / "small-1.0"
    assert main(["export", str(tmp_path / "runs" / "small"), "--out", str(out), "--data", str(corpora)]) == 0
    assert "small@1.0 is in" in capsys.readouterr().out
    assert main(["evaluate", str(out), "--data", str(corpora), "--out", str(tmp_path / "again.json")]) == 0
    written = json.loads((out / "metrics.json").read_text("utf-8"))["int8"]
    again = json.loads((tmp_path / "again.json").read_text("utf-8"))["int8"]
    for corpus in ("banking77", "tfns", "sentfin"):
        assert again[corpus]["accuracy"] == pytest.approx(written[corpus]["accuracy"], abs=1e-9)
    assert time.process_time() - start < BUDGET_S
