"""Runs Bellwether as people do, in a process of its own, and watches it from outside."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parent.parent
FORBIDDEN = ("libtorch", "site-packages/torch/", "site-packages/transformers/")


def free_port() -> int:
    """Return a TCP port of this machine without a listener."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True)
class Running:
    """A running Bellwether with an admin's API token."""

    process: subprocess.Popen[str]
    url: str
    token: str
    started_at: float

    def call(self, path: str, *, body: Any = None, timeout_s: float = 30) -> tuple[int, Any]:
        """Ask over HTTP: status and JSON; POST when there is a body."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        request = urllib.request.Request(self.url + path, data=data, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=timeout_s) as answer:
                return answer.status, json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read() or b"null")

    def wait_until_answered(self, path: str, *, body: Any = None, limit_s: float = 60) -> float:
        """Seconds from the start of the process to the first 200 from `path`."""
        while time.perf_counter() - self.started_at < limit_s:
            if self.process.poll() is not None:
                raise RuntimeError(f"the process ended with status {self.process.returncode}")
            try:
                if self.call(path, body=body)[0] == 200:
                    return time.perf_counter() - self.started_at
            except OSError:
                time.sleep(0.02)
        raise RuntimeError(f"{path} gave no answer within {limit_s} s")

    def family(self) -> list[psutil.Process]:
        """The process and all that it started."""
        first = psutil.Process(self.process.pid)
        return [first, *first.children(recursive=True)]

    def resident_mb(self) -> float:
        """Resident memory of all processes, in MB (10^6 bytes)."""
        return sum(process.memory_info().rss for process in self.family()) / 1e6

    def forbidden_files(self) -> list[str]:
        """Mapped or open files of torch and transformers: none in a server."""
        paths = {entry.path for process in self.family() for entry in process.memory_maps()}
        return sorted(path for path in paths if any(part in path for part in FORBIDDEN))


def _environment(instance: Path, port: int, extra: dict[str, str]) -> dict[str, str]:
    own = {"BELLWETHER_INSTANCE": str(instance), "BELLWETHER_PORT": str(port), "PYTHONUNBUFFERED": "1"}
    return {**os.environ, **own, **extra}


def _command(arguments: list[str], *, environment: dict[str, str]) -> str:
    run = subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env=environment, check=True, capture_output=True, text=True
    )
    return run.stdout.strip().splitlines()[-1]


def flask(*arguments: str, instance: Path, **extra: str) -> str:
    """The last line that `flask --app wsgi …` prints."""
    return _command(["-m", "flask", "--app", "wsgi", *arguments], environment=_environment(instance, 0, extra))


def prepare(instance: Path, *, email: str = "admin@example.com", **extra: str) -> str:
    """Make an installation with one admin; gives an API token with every scope."""
    flask("user", "add", email, "--name", "Admin", "--role", "admin", instance=instance, **extra)
    return flask("token", "add", email, "--name", "tests", "--scope", "admin", instance=instance, **extra)


@contextmanager
def running(instance: Path, *, token: str, arguments: tuple[str, ...] = (), **extra: str) -> Iterator[Running]:
    """`python -m app` on a free port; ended with SIGTERM."""
    port = free_port()
    environment = _environment(instance, port, extra)
    started_at = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "app", *arguments],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    try:
        yield Running(process=process, url=f"http://127.0.0.1:{port}", token=token, started_at=started_at)
    finally:
        process.terminate()
        process.wait(timeout=30)
