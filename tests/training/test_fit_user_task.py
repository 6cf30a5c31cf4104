"""A user's own CSV and labels, by the commands they would type, and bad data on the way."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from training.cli import main

ROWS = [f"{text} number {at},{label}" for at in range(40) for text, label in
        (("lost my card", "card"), ("i want money", "cash"))]  # fmt: skip


def _csv(folder: Path, *, rows: list[str], head: str = "text,label", encoding: str = "utf-8") -> Path:
    path = folder / "mine.csv"
    path.write_bytes(("\n".join([head, *rows]) + "\n").encode(encoding))
    return path


def _fit(path: Path, *, runs: Path, encoder: Path, more: tuple[str, ...] = ()) -> int:
    return main(["fit", "--own", str(path), "--task", "mine", "--runs", str(runs), "--encoder", str(encoder),
                 "--passes", "3", *more])  # fmt: skip


def test_from_a_csv_to_a_measured_artifact_and_its_report(
    encoder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BELLWETHER_THREADS", "1")
    path = _csv(tmp_path, rows=[*ROWS, ",cash"])
    assert _fit(path, runs=tmp_path, encoder=encoder) == 2
    assert _fit(path, runs=tmp_path, encoder=encoder, more=("--skip-bad-rows",)) == 0
    folder = tmp_path / "mine-1.0"
    assert main(["export", str(tmp_path / "mine"), "--out", str(folder), "--data", str(tmp_path)]) == 0
    figures = tmp_path / "figures.json"
    assert main(["evaluate", str(folder), "--data", str(tmp_path), "--out", str(figures)]) == 0
    found, kept = json.loads(figures.read_text("utf-8")), json.loads((folder / "metrics.json").read_text("utf-8"))
    (corpus,) = found["int8"]
    assert found["int8"][corpus] == kept["int8"][corpus]
    assert found["int8"][corpus]["n"] == 8
    assert {row["label"] for row in found["details"][corpus]["labels"]} == {"card", "cash"}
    assert main(["report", str(figures), "--out", str(tmp_path / "report.html")]) == 0
    assert "mine@1.0" in (tmp_path / "report.html").read_text("utf-8")
    said = capsys.readouterr().out
    assert "left out: mine.csv, row 82: the text is empty." in said
    assert "of 64 labels are suspect" in said


@pytest.mark.parametrize(
    ("rows", "head", "sentence"),
    [
        ([f"text {at},only" for at in range(20)], "text,label", "at least two labels"),
        ([*ROWS, "   ,card"], "text,label", "the text is empty"),
        ([f"{row},train" for row in ROWS] + ["a new thing,unseen,test"], "text,label,split", "never saw"),
        ([*ROWS, "caf\ufffd number,card"], "text,label", "not UTF-8"),
    ],
    ids=["one class", "empty row", "label only in test", "wrong encoding"],
)
def test_bad_data_stop_with_a_sentence(
    rows: list[str], head: str, sentence: str, encoder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _fit(_csv(tmp_path, rows=rows, head=head), runs=tmp_path, encoder=encoder) == 2
    assert sentence in capsys.readouterr().err
    assert not (tmp_path / "mine").exists()


def test_one_row_in_a_hundred_in_another_encoding_is_reported_and_skipped(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from training.data.user_tasks import load_user_task
    from training.recipe import TaskRecipe

    path = _csv(tmp_path, rows=[*ROWS, "café am Platz,card"], encoding="latin-1")
    data, bad = load_user_task(TaskRecipe(name="mine", data=str(path)), skip_bad_rows=True)
    assert sum(map(len, data.splits.values())) == len(ROWS)
    assert len(bad) == 1
    assert "not UTF-8" in bad[0]
