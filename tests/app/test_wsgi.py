"""`gunicorn wsgi` and `flask --app wsgi` as a Flask user expects them, and an import that opens nothing."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
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


def test_serving_takes_nothing_of_training_along(tmp_path: Path) -> None:
    heavy = ("torch", "transformers", "peft", "pandas", "pyarrow", "datasets", "sklearn")
    code = "import sys, wsgi; wsgi.application.test_client().get('/'); "
    told = _run("-c", code + f"print([m for m in {heavy!r} if m in sys.modules])", instance=tmp_path / "instance")
    assert told.stdout.strip() == "[]", told.stderr
    assert (tmp_path / "instance/bellwether.sqlite").exists()


def test_flask_finds_the_application_and_its_commands(tmp_path: Path) -> None:
    told = _run("-m", "flask", "--app", "wsgi", "--help", instance=tmp_path / "instance")
    assert told.returncode == 0, told.stderr
    for name in ("demo", "examples", "feeds", "model", "settings", "token", "user", "run", "routes"):
        assert f"  {name} " in told.stdout
    assert not (tmp_path / "instance").exists()


def test_gunicorn_accepts_it(tmp_path: Path) -> None:
    told = _run("-m", "gunicorn", "--check-config", "wsgi", instance=tmp_path / "instance")
    assert told.returncode == 0, told.stderr


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _live(port: int, *, process: subprocess.Popen[bytes]) -> object:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/live", timeout=10) as answer:
                return json.load(answer)
        except OSError:
            time.sleep(0.1)
    return None


@pytest.mark.parametrize(
    "command",
    [
        "gunicorn wsgi --bind 127.0.0.1:{port}",
        "gunicorn wsgi --bind 127.0.0.1:{port} --threads 4 --preload",
        "flask --app wsgi run --port {port}",
    ],
)
def test_servers_that_flask_users_know_serve_it(tmp_path: Path, command: str) -> None:
    port, log = _free_port(), tmp_path / "log"
    environment = {**os.environ, "BELLWETHER_INSTANCE": str(tmp_path / "instance")}
    arguments = [sys.executable, "-m", *command.format(port=port).split()]
    with (
        log.open("wb") as out,
        subprocess.Popen(arguments, cwd=ROOT, env=environment, stdout=out, stderr=out) as process,
    ):
        try:
            assert _live(port, process=process) == {"status": "ok"}, log.read_text()
        finally:
            # Not SIGINT: a shell lets its background jobs ignore it.
            process.terminate()
    assert "Traceback" not in log.read_text()


@pytest.mark.parametrize("command", ["app", "app worker", "flask --app wsgi routes", "gunicorn wsgi --check-config"])
def test_a_bad_setting_stops_the_start_with_one_sentence(command: str) -> None:
    told = subprocess.run(
        [sys.executable, "-m", *command.split()],
        cwd=ROOT,
        env={**os.environ, "BELLWETHER_PORT": "eighty"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert told.returncode != 0
    assert "BELLWETHER_PORT is 'eighty', which is not a whole number." in told.stderr.strip().splitlines()
    assert "Traceback" not in told.stderr
