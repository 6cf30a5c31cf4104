"""`gunicorn wsgi` and `flask --app wsgi` as a Flask user expects them, and an import that opens nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ("torch", "transformers", "peft", "openvino", "onnxruntime")


def _run(*arguments: str, instance: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "BELLWETHER_INSTANCE": str(instance), "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_importing_writes_nothing_and_loads_nothing_heavy(tmp_path: Path) -> None:
    code = f"import sys, wsgi; print(callable(wsgi.application), [m for m in {HEAVY!r} if m in sys.modules])"
    told = _run("-c", code, instance=tmp_path / "instance")
    assert told.stdout.strip() == "True []", told.stderr
    assert not (tmp_path / "instance").exists()


def test_flask_finds_the_application_and_its_commands(tmp_path: Path) -> None:
    told = _run("-m", "flask", "--app", "wsgi", "--help", instance=tmp_path / "instance")
    assert told.returncode == 0, told.stderr
    for name in ("demo", "examples", "feeds", "model", "settings", "token", "user", "run", "routes"):
        assert f"  {name} " in told.stdout
    assert not (tmp_path / "instance").exists()


def test_gunicorn_accepts_it(tmp_path: Path) -> None:
    pytest.importorskip("gunicorn")
    told = _run("-m", "gunicorn", "--check-config", "wsgi", instance=tmp_path / "instance")
    assert told.returncode == 0, told.stderr


def test_a_bad_setting_stops_the_start_with_one_sentence(tmp_path: Path) -> None:
    environment = {**os.environ, "BELLWETHER_PORT": "eighty"}
    told = subprocess.run(
        [sys.executable, "-m", "app"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert told.returncode == 2
    assert told.stderr.strip() == "BELLWETHER_PORT is 'eighty', which is not a int."
