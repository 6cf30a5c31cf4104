"""The server is killed again and again while clients send requests with keys; what was cut off is sent once more."""

from __future__ import annotations

import itertools
import json
import random
import signal
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from typing import Any

from app.core.db import Database
from tests.process import Running, prepare, running
from tests.tiny_artifact import tiny_artifact

N_KILLS = 50
N_CLIENTS = 6
N_REPEATED = 5
"""Answered requests of each round that are sent again too."""

LIVES_S = (0.2, 1.2)
POSTS = 70
"""Posts of one push: more than are committed together."""

_COUNTS = {
    "ticket": "SELECT count(*) FROM ticket WHERE subject = ?",
    "note": "SELECT count(*) FROM message WHERE body = ?",
    "posts": "SELECT count(*) FROM post WHERE title LIKE ? || '%'",
}


@dataclass(frozen=True)
class Answer:
    """What the server said; `is_replayed` when it had said so before."""

    status: int
    body: bytes
    is_replayed: bool = False


@dataclass(kw_only=True)
class Sent:
    """One request with its key: `mark` is in nothing else that is sent."""

    kind: str
    mark: str
    path: str
    body: Any
    answer: Answer | None = None

    @property
    def n_wanted(self) -> int:
        """How many rows it makes."""
        return POSTS if self.kind == "posts" else 1


@dataclass(kw_only=True)
class Attack:
    """What was sent, and how it went."""

    sent: list[Sent] = field(default_factory=list)
    n_cut: int = 0
    n_done: int = 0
    n_conflicts: int = 0
    n_other_answers: int = 0
    longest_s: float = 0.0


def rows(*, n_kills: int = N_KILLS) -> list[tuple[str, str, str]]:
    """The attack, what has to come of it, and what came."""
    with tempfile.TemporaryDirectory() as folder:
        attack, database = Attack(), Path(folder) / "instance" / "bellwether.sqlite"
        _kill_again_and_again(Path(folder), attack, n_kills=n_kills)
        with closing(Database(database)) as db:
            counts = [(one, int(db.value(_COUNTS[one.kind], (one.mark,)))) for one in attack.sent]
    n_lost = sum(found < one.n_wanted for one, found in counts)
    n_doubled = sum(found > one.n_wanted for one, found in counts)
    name = f"{n_kills} × kill −9 under load, {attack.n_cut} requests cut off and sent again with their keys"
    found = (
        f"{len(attack.sent)} requests, {attack.n_done} of those cut off had been done: {n_lost} lost, "
        f"{n_doubled} doubled, {attack.n_conflicts} × 409, {attack.n_other_answers} answered otherwise; "
        f"longest {attack.longest_s:.1f} s"
    )
    return [(name, "each once, answered within seconds, none refused with 409", found)]


def _kill_again_and_again(folder: Path, attack: Attack, *, n_kills: int) -> None:
    tiny_artifact(folder / "models" / "tiny-1.0", work=folder / "encoder")
    instance = folder / "instance"
    token, names = prepare(instance, **_settings(folder / "models")), itertools.count(1)
    cut: list[Sent] = []
    with _started(instance, token=token, models=folder / "models") as server:
        server.call("/api/v1/feeds", body={"slug": "wire", "name": "Wire"})
    for _ in range(n_kills):
        with _started(instance, token=token, models=folder / "models") as server:
            _again(server, attack, cut)
            cut = _round(server, attack, names=names)
            attack.n_cut += len(cut)
    with _started(instance, token=token, models=folder / "models") as server:
        _again(server, attack, cut)


def _settings(models: Path) -> dict[str, Any]:
    return {"BELLWETHER_MODELS": str(models), "BELLWETHER_INTENT_TASK": "banking_intent"}


@contextmanager
def _started(instance: Path, *, token: str, models: Path) -> Iterator[Running]:
    with running(instance, token=token, **_settings(models)) as server:
        server.wait_until_answered("/health/ready")
        yield server


def _round(server: Running, attack: Attack, *, names: Iterator[int]) -> list[Sent]:
    """Let clients send until the server is killed; what was not answered."""
    ticket = json.loads(_send(server, _ticket(next(names))).body)["id"]
    sent: list[Sent] = []
    clients = [threading.Thread(target=_client, args=(server, sent, names, ticket)) for _ in range(N_CLIENTS)]
    for client in clients:
        client.start()
    time.sleep(random.uniform(*LIVES_S))
    server.process.send_signal(signal.SIGKILL)
    server.process.wait(30)
    for client in clients:
        client.join()
    attack.sent += sent
    return [one for one in sent if one.answer is None]


def _client(server: Running, sent: list[Sent], names: Iterator[int], ticket: str) -> None:
    while True:
        number = next(names)
        one = random.choice((_ticket(number), _ticket(number), _note(number, ticket), _posts(number)))
        sent.append(one)
        try:
            one.answer = _send(server, one)
        except OSError:
            return


def _again(server: Running, attack: Attack, cut: list[Sent]) -> None:
    """Send what was cut off again, and some of what was answered: that has to be answered alike."""
    answered = [one for one in attack.sent[-500:] if one.answer is not None]
    for one in (*cut, *random.sample(answered, min(N_REPEATED, len(answered)))):
        began = time.perf_counter()
        answer = _send(server, one)
        attack.longest_s = max(attack.longest_s, time.perf_counter() - began)
        attack.n_done += one.answer is None and answer.is_replayed
        attack.n_conflicts += answer.status == 409
        is_other = one.answer is not None and one.answer.body != answer.body
        attack.n_other_answers += is_other or answer.status not in (200, 201, 409)


def _ticket(number: int) -> Sent:
    mark = f"Ticket {number:07d} of the attack"
    return Sent(kind="ticket", mark=mark, path="/api/v1/tickets", body={"subject": mark, "body": "where is my card?"})


def _note(number: int, ticket: str) -> Sent:
    mark = f"Note {number:07d} of the attack"
    return Sent(kind="note", mark=mark, path=f"/api/v1/tickets/{ticket}/messages", body={"kind": "note", "body": mark})


def _posts(number: int) -> Sent:
    mark = f"Mill {number:07d} opens"
    body = [{"title": f"{mark} gate {gate}"} for gate in range(POSTS)]
    return Sent(kind="posts", mark=mark, path="/api/v1/posts?feed=wire", body=body)


def _send(server: Running, one: Sent) -> Answer:
    headers = {
        "Authorization": f"Bearer {server.token}",
        "Content-Type": "application/json",
        "Idempotency-Key": one.mark,
    }
    request = urllib.request.Request(server.url + one.path, data=json.dumps(one.body).encode(), headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return Answer(answer.status, answer.read(), is_replayed="Idempotency-Replayed" in answer.headers)
    except urllib.error.HTTPError as error:
        return Answer(error.code, error.read())
    except HTTPException as error:
        raise ConnectionError from error
