"""The training commands as they are typed."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

import pytest

from models.examples import read_examples
from training.cli import COMMANDS, main
from training.run.run_folder import open_run


def test_help_names_every_command_and_loads_no_torch() -> None:
    code = (
        "import sys; sys.argv=['t', '--help']\nimport training.cli\ntry: training.cli.main()\nexcept SystemExit: pass\n"
    )
    code += "print([name for name in ('torch', 'transformers', 'peft', 'numpy', 'datasets') if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert all(name in found.stdout for name in COMMANDS)
    assert found.stdout.strip().endswith("[]")


def test_help_answers_at_once() -> None:
    """Processor time of the process, the interpreter's own start included: a busy machine does not count."""

    def spent() -> float:
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return used.ru_utime + used.ru_stime

    seconds = []
    for _ in range(3):
        before = spent()
        subprocess.run([sys.executable, "-m", "training", "--help"], capture_output=True, check=True)
        seconds.append(spent() - before)
    assert min(seconds) <= 0.3


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main([command, "--help"])
    assert stop.value.code == 0
    assert "usage: python -m training" in capsys.readouterr().out


def test_own_csv_from_file_to_run(
    encoder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BELLWETHER_THREADS", "1")
    rows = [
        f"{text} number {at},{label}"
        for at in range(12)
        for text, label in (("lost my card", "card"), ("i want money", "cash"))
    ]
    csv = tmp_path / "mine.csv"
    csv.write_text("text,label\n" + "\n".join([*rows, ",cash"]) + "\n")
    common = ["fit", "--own", str(csv), "--runs", str(tmp_path / "runs"), "--encoder", str(encoder), "--passes", "2"]
    assert main(common) == 2
    assert "the text is empty. 1 bad row; mend them, or skip them with --skip-bad-rows." in capsys.readouterr().err
    assert main([*common, "--skip-bad-rows", "--task", "my_intent"]) == 0
    said = capsys.readouterr().out
    assert "left out: mine.csv, row 26: the text is empty." in said
    run = open_run(tmp_path / "runs" / "my_intent")
    assert run.is_finished
    assert run.tasks()["my_intent"].names == ("card", "cash")
    assert main([*common, "--skip-bad-rows", "--task", "my_intent"]) == 2
    assert "already holds a run" in capsys.readouterr().err


def test_data_writes_what_training_reads(corpora: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "--recipe", "smoke", "--data", str(corpora), "--write", str(tmp_path)]) == 0
    assert (
        "market_topic         2 labels (single)  6 train, 6 validation, 6 test  from tfn_topic"
        in capsys.readouterr().out
    )
    rows = list(read_examples(tmp_path / "market_sentiment.train.jsonl"))
    assert {row.source for row in rows} == {"tfns", "sentfin", "finentity"}
    assert all(row.span for row in rows if row.target)


def test_mistake_ends_with_its_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fit", "--recipe", "nothing"]) == 2
    assert "There is no recipe 'nothing'" in capsys.readouterr().err
    assert main(["data", "--recipe", "smoke", "--data", str(tmp_path)]) == 2
    assert "Set --data (or BELLWETHER_DATA)" in capsys.readouterr().err
