"""Attacks on the server: connections that are held, answers that are not read, batches that fill the model's queue,
bodies that fill the memory. The attackers come from 127.0.0.2, the others from 127.0.0.1."""

from __future__ import annotations

import http.client
import json
import random
import socket
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from tests.bench.attacks import slow_clients
from tests.bench.desk import desk_data
from tests.process import Running, prepare, running

Row = tuple[str, str, str]
Done = tuple[int, str, float]
N_CONNECTIONS, ROUNDS, N_ASKED = 500, 3, 40
N_TICKETS, N_DEAF = 30_000, 14
N_BATCHES, N_TEXTS = 4, 1000
PAGE = "/sign-in"
WORDS = ("order", "refund", "card", "stolen", "please", "late", "track", "money", "where", "package", "account")


def rows() -> list[Row]:
    """Carry out every attack."""
    found: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        instance = Path(folder)
        token = prepare(instance)
        with _started(instance, token=token) as app:
            found += [_held(app, kind=kind) for kind in slow_clients.KINDS]
        with _started(instance, token=token) as app:
            found += _batches(app)
        with _started(instance, token=token) as app:
            found += _bodies(app)
    instance = desk_data.desk(N_TICKETS)
    with _started(instance, token=desk_data.token(instance)) as app:
        found += _unread(app)
    return found


@contextmanager
def _started(instance: Path, *, token: str) -> Iterator[Running]:
    with running(instance, token=token) as app:
        app.wait_until_answered("/predict", body={"inputs": "I want to track my order"})
        time.sleep(3)
        yield app


def _port(app: Running) -> int:
    return int(app.url.rpartition(":")[2])


def _get_ms(app: Running, path: str) -> float:
    """Milliseconds of one GET on a connection of its own."""
    started = time.perf_counter()
    connection = http.client.HTTPConnection("127.0.0.1", _port(app), timeout=60)
    connection.request("GET", path)
    connection.getresponse().read()
    connection.close()
    return (time.perf_counter() - started) * 1000


def _post(app: Running, path: str, content: bytes, *, kind: str = "application/json") -> Done:
    """Status, Retry-After and seconds of one POST; status 0 where the connection was closed on the way."""
    started = time.perf_counter()
    connection = http.client.HTTPConnection("127.0.0.1", _port(app), timeout=400)
    try:
        headers = {"Authorization": f"Bearer {app.token}", "Content-Type": kind}
        connection.request("POST", path, body=content, headers=headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status, answer.headers.get("Retry-After", ""), time.perf_counter() - started
    except OSError:
        return 0, "", time.perf_counter() - started
    finally:
        connection.close()


def _asked(app: Running) -> float:
    times = []
    for _ in range(N_ASKED):
        times.append(_get_ms(app, PAGE))
        time.sleep(0.05)
    return statistics.median(times)


def _held(app: Running, *, kind: str) -> Row:
    calm, attacked = [], []
    for _ in range(ROUNDS):
        calm.append(_asked(app))
        with slow_clients.attacking(_port(app), kind=kind, n_clients=N_CONNECTIONS):
            attacked.append(_asked(app))
    ratio = statistics.median(attacked) / statistics.median(calm)
    return (
        f"{N_CONNECTIONS} connections, {kind}",
        "answers to others within 2 × their time",
        f"{ratio:.2f} × (median {statistics.median(attacked):.1f} ms, {statistics.median(calm):.1f} ms undisturbed)",
    )


def _meanwhile(work: Sequence[Callable[[], Done]], ask: Callable[[], float]) -> tuple[list[Done], list[float]]:
    """What came of the work, done side by side, and what `ask` told again and again until it was over."""
    times: list[float] = []
    with ThreadPoolExecutor(len(work)) as pool:
        going: list[Future[Done]] = [pool.submit(one) for one in work]
        while not all(one.done() for one in going):
            times.append(ask())
            time.sleep(0.05)
        return [one.result() for one in going], times


def _batches(app: Running) -> list[Row]:
    chance = random.Random(3)

    def content() -> bytes:
        texts = [
            " ".join(f"{chance.choice(WORDS)} {chance.randrange(999)}" for _ in range(130)) for _ in range(N_TEXTS)
        ]
        return json.dumps({"inputs": texts}).encode()

    ready = [content() for _ in range(N_BATCHES)]
    singles: list[float] = []
    numbers = iter(range(1_000_000))

    def ask() -> float:
        body = json.dumps({"inputs": f"where is my order {next(numbers)}?"}).encode()
        singles.append(_post(app, "/predict", body)[2] * 1000)
        return _get_ms(app, "/health/live")

    done, live = _meanwhile([partial(_post, app, "/predict", one) for one in ready], ask)
    counts = Counter(status for status, _, _ in done)
    refused = [(int(after), took) for status, after, took in done if status == 429]
    slowest = max((took for _, took in refused), default=0.0)
    accepted = max(took for status, _, took in done if status == 200)
    comes_back = ", ".join(f"{after} s" for after, _ in refused)
    return [
        (
            f"{N_BATCHES} × {N_TEXTS} long texts at once",
            "429 at once with the time to come back",
            f"{dict(counts)}; refused within {slowest:.1f} s, Retry-After {comes_back}; the one took {accepted:.0f} s",
        ),
        ("single texts meanwhile", "≤ 1 s", f"median {statistics.median(singles):.0f} ms, worst {max(singles):.0f} ms"),
        ("/health/live meanwhile", "≤ 1 s", f"worst {max(live):.0f} ms of {len(live)}"),
    ]


def _bodies(app: Running) -> list[Row]:
    start_mb = app.resident_mb()
    app.call("/api/v1/feeds", body={"slug": "wire", "name": "Wire"})
    mail = b"From: a@example.com\r\nSubject: x\r\n\r\n" + b"word " * 12_000_000
    sent = {
        "JSON of 20 million objects": (
            "/api/v1/posts?feed=wire",
            b"[" + b"{}," * 19_999_999 + b"{}]",
            "application/json",
        ),
        "a text of 2 MB": ("/predict", json.dumps({"inputs": "word " * 390_000}).encode(), "application/json"),
        "a mail of 60 MB": ("/api/v1/tickets", mail, "message/rfc822"),
    }
    found: list[Row] = []
    for name, (path, content, kind) in sent.items():
        work = [partial(_post, app, path, content, kind=kind)] * 4
        done, live = _meanwhile(work, partial(_get_ms, app, "/health/live"))
        answers = dict(Counter(status for status, _, _ in done))
        found.append((f"4 × {name}", "/health/live within 3 s", f"worst {max(live):.0f} ms; answers {answers}"))
    time.sleep(2)
    end_mb = app.resident_mb()
    told = f"{end_mb / start_mb:.2f} × ({start_mb:.0f} MB, then {end_mb:.0f} MB)"
    return [*found, ("memory after these bodies", "≤ 1.5 × that of the start", told)]


def _unread(app: Running) -> list[Row]:
    calm = _asked(app)
    deaf = [_deaf(app) for _ in range(N_DEAF)]
    time.sleep(2)
    attacked = _asked(app)
    answers = Counter(client.recv(12).decode()[-3:] for client in deaf)
    started = time.perf_counter()
    while time.perf_counter() - started < 120 and not _is_served(app):
        time.sleep(1)
    freed_s = time.perf_counter() - started
    for client in deaf:
        client.close()
    return [
        (
            f"{N_DEAF} clients that do not read an export of {N_TICKETS:,} tickets",
            "answers to others within 2 × their time",
            f"{attacked / calm:.2f} × (median {attacked:.1f} ms, {calm:.1f} ms undisturbed); answers {dict(answers)}",
        ),
        ("an export for somebody else", "within 90 s", f"after {freed_s:.0f} s"),
    ]


def _deaf(app: Running) -> socket.socket:
    client = socket.create_connection(("127.0.0.1", _port(app)), timeout=10, source_address=(slow_clients.SOURCE, 0))
    asked = "GET /api/v1/tickets/export.jsonl?status=any HTTP/1.1"
    client.sendall(f"{asked}\r\nHost: here\r\nAuthorization: Bearer {app.token}\r\n\r\n".encode())
    return client


def _is_served(app: Running) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", _port(app), timeout=60)
    headers = {"Authorization": f"Bearer {app.token}"}
    connection.request("GET", "/api/v1/tickets/export.csv?status=any", headers=headers)
    status = connection.getresponse().status
    connection.close()
    return status == 200
