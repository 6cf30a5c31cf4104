"""Label noise before a fit: a flipped label is found, what cannot be doubted is passed over, the report can be left."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models.examples import Example
from models.labels import Kind, make_task
from models.runtime import Runtime
from tests.training.test_fit_user_task import ROWS
from training.cli import main
from training.data.tasks import TaskData
from training.techniques.label_noise import VECTORS, find_label_noise, find_suspects, held_out_probabilities

_SAID = {"card": ("my card was stolen", "somebody stole my card", "i lost my card"),
         "refund": ("where is my refund", "the refund has not come", "give me my money back")}  # fmt: skip


@pytest.fixture(scope="module")
def vectors() -> Runtime:
    return Runtime.open(VECTORS)


def _entry(*more: Example, kind: Kind = "single", names: tuple[str, ...] = ("card", "refund")) -> TaskData:
    rows = [Example(f"{text} {at}", (label,)) for label, texts in _SAID.items() for text in texts for at in range(6)]
    task = make_task("own_intent", role="intent", kind=kind, pooling="mean", labels=names)
    return TaskData(task, {"train": [*rows, *more]})


def test_a_flipped_label_is_found_and_named(vectors: Runtime) -> None:
    wrong = Example("my refund has still not come", ("card",))
    found = find_label_noise(_entry(wrong), encoder=vectors)
    assert found is not None
    assert wrong in [found.rows[one.row] for one in found.suspects]
    assert f"{len(found.suspects)} of 37 labels are suspect" in found.sentence
    lines = [found.line(one) for one in found.suspects]
    assert "  card -> refund?  my refund has still not come" in lines


def test_what_cannot_be_doubted_is_passed_over(vectors: Runtime) -> None:
    lonely = Example("how is the weather", ("weather",))
    found = find_label_noise(_entry(lonely, names=("card", "refund", "weather")), encoder=vectors)
    assert found is not None
    assert lonely not in found.rows
    assert found.names == ("card", "refund")
    assert find_label_noise(_entry(kind="multi"), encoder=vectors) is None
    one = TaskData(_entry().task, {"train": [Example("a", ("card",)), Example("b", ("card",))]})
    assert find_label_noise(one, encoder=vectors) is None


def test_a_sample_is_enough(vectors: Runtime) -> None:
    found = find_label_noise(_entry(), encoder=vectors, cap=20)
    assert found is not None
    assert len(found.rows) == 20


def test_the_report_before_a_fit_can_be_left_away(
    encoder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("\n".join(["text,label", *ROWS]) + "\n", encoding="utf-8")
    own = ["fit", "--own", str(path), "--runs", str(tmp_path), "--encoder", str(encoder), "--max-steps", "1"]
    assert main([*own, "--name", "first", "--no-noise-report"]) == 0
    assert "suspect" not in capsys.readouterr().out
    monkeypatch.chdir(tmp_path)
    assert main([*own, "--name", "second"]) == 0
    assert "No report of suspect labels: there is no models/search-1.0" in capsys.readouterr().out


def test_the_list_holds_every_suspect(corpora: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recipe = tmp_path / "two.toml"
    recipe.write_text("[tasks.market_topic]\n[tasks.emotion]\n", encoding="utf-8")
    out = tmp_path / "list.jsonl"
    assert main(["noise", "--recipe", str(recipe), "--data", str(corpora), "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert "market_topic" in said
    assert "emotion" not in said
    count = int(said.split("market_topic")[1].split()[0].replace(",", ""))
    assert len(out.read_text("utf-8").splitlines()) == count


def _clouds(*, n: int = 240, spread: float = 0.6) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    targets = np.arange(n) % 3
    centres = np.asarray([[0, 0], [4, 0], [0, 4]], np.float32)
    return (centres[targets] + rng.normal(scale=spread, size=(n, 2))).astype(np.float32), targets.astype(np.int64)


def test_wrong_labels_are_found_with_the_likelier_one() -> None:
    vectors, truth = _clouds()
    given = truth.copy()
    wrong = [3, 50, 77, 120, 201]
    given[wrong] = (truth[wrong] + 1) % 3
    found = find_suspects(held_out_probabilities(vectors, targets=given), targets=given)
    assert {row.row for row in found} <= set(wrong)
    assert len(found) >= 3
    assert all(row.likelier == truth[row.row] and row.given == given[row.row] for row in found)
    assert [row.quality for row in found] == sorted(row.quality for row in found)


def test_clean_labels_raise_little_suspicion() -> None:
    vectors, truth = _clouds(spread=0.3)
    assert find_suspects(held_out_probabilities(vectors, targets=truth), targets=truth) == []
