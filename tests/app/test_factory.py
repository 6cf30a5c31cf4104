"""The factory and the process: what starts, what is printed, what stops it."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from app import create_app
from app.core import config

ROOT = Path(__file__).resolve().parents[2]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def _started(instance: Path, *arguments: str, port: int) -> Iterator[subprocess.Popen[str]]:
    environment = {
        **os.environ,
        "BELLWETHER_INSTANCE": str(instance),
        "BELLWETHER_MODELS": str(instance / "no-models"),
        "PYTHONUNBUFFERED": "1",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "app", "--port", str(port), *arguments],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def _lines_until(process: subprocess.Popen[str], pattern: str) -> str:
    assert process.stdout is not None
    told = ""
    for line in process.stdout:
        told += line
        if re.search(pattern, line):
            return told
    raise AssertionError(f"it never said {pattern!r}:\n{told}")


def _answer(url: str) -> dict[str, str]:
    for _ in range(100):
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                found: dict[str, str] = json.load(answer)
                return found
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"{url} does not answer")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_starts_tells_where_and_stops_cleanly(tmp_path: Path, number: signal.Signals) -> None:
    port = _free_port()
    with _started(tmp_path, port=port) as process:
        told = _lines_until(process, "/setup")
        assert f"Bellwether is at http://127.0.0.1:{port}" in told
        assert _answer(f"http://127.0.0.1:{port}/health/live") == {"status": "ok"}
        process.send_signal(number)
        rest, _ = process.communicate(timeout=30)
        assert process.returncode == 0, rest
        assert "Traceback" not in told + rest


def test_a_port_in_use_is_one_sentence(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = int(taken.getsockname()[1])
        with _started(tmp_path, port=port) as process:
            told, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert told.strip().splitlines() == [
        f"Cannot listen on 127.0.0.1:{port}: Address already in use. Choose another with --port."
    ]


def test_a_database_that_cannot_be_used_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "bellwether.sqlite").write_bytes(b"no database " * 100)
    with _started(tmp_path, port=_free_port()) as process:
        told, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "The database cannot be used: file is not a database." in told
    assert "Traceback" not in told


def test_the_worker_runs_alone_and_stops(tmp_path: Path) -> None:
    with _started(tmp_path, "worker", port=_free_port()) as process:
        _lines_until(process, "worker runs")
        process.send_signal(signal.SIGTERM)
        rest, _ = process.communicate(timeout=30)
        assert process.returncode == 0, rest


def test_making_the_application_opens_nothing(tmp_path: Path) -> None:
    create_app(config.load({}, instance=tmp_path / "instance"))
    assert not (tmp_path / "instance").exists()


def test_two_applications_do_not_share_anything(tmp_path: Path) -> None:
    first = create_app(config.load({}, instance=tmp_path / "one"))
    second = create_app(config.load({}, instance=tmp_path / "two"))
    assert first.extensions["bellwether"].db.path != second.extensions["bellwether"].db.path
    for app in (first, second):
        app.extensions["bellwether"].close()
