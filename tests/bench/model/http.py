"""`POST /predict` of a running `python -m app`, against the same engine called in process.

`python -m tests.bench http` writes results/http.json: texts a second of 16 clients with 32 texts a request, alternating
with the engine in this process; then single texts, as many a second as 16 clients get through, and in an open loop at
half that rate (seeded exponential gaps; a latency counts from the time a request was due). No text is sent twice.
"""

from __future__ import annotations

import gc
import http.client
import itertools
import json
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import local
from typing import Any

import numpy as np

from tests.bench.machine import machine
from tests.bench.model import contestants, texts
from tests.process import Running, prepare, running

CLIENTS, TEXTS = 16, 32
ROUNDS, ROUND_S, OPEN_S = 5, 4.0, 15.0
THREADS = 2
RESULT = Path(__file__).parents[1] / "results" / "http.json"
_connections = local()


def main() -> None:
    """Measure and write the result."""
    sentences = _fresh()
    served = contestants.engine(texts.course(threads=THREADS))
    served.answer([next(sentences) for _ in range(512)])
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(4 * CLIENTS) as pool:
        instance = Path(folder)
        token = prepare(instance)
        with running(instance, token=token) as app:
            app.wait_until_answered("/predict", body={"inputs": "I want to track my order"})
            _closed(app, pool=pool, bodies=_bodies(sentences, n=TEXTS))
            rounds = [
                (_in_process(served, sentences), _closed(app, pool=pool, bodies=_bodies(sentences, n=TEXTS)) * TEXTS)
                for _ in range(ROUNDS)
            ]
            most = statistics.median(
                _closed(app, pool=pool, bodies=_bodies(sentences, n=1), n_each=400) for _ in range(3)
            )
            # A full collection in this process, which holds torch, is no latency of the server.
            gc.collect()
            gc.freeze()
            latencies = _open(app, pool=pool, rate=most / 2, bodies=_bodies(sentences, n=1))
    RESULT.write_text(json.dumps(told := _told(rounds, most=most, latencies=latencies), indent=1) + "\n", "utf-8")
    print(json.dumps(told, indent=1))


def _told(rounds: Sequence[tuple[float, float]], *, most: float, latencies: Sequence[float]) -> dict[str, Any]:
    shares = [http / inside for inside, http in rounds]
    return {
        "machine": machine(),
        "artifact": texts.course(threads=1).artifact.manifest.id,
        "clients": CLIENTS,
        "texts_a_request": TEXTS,
        "in_process_texts_per_s": round(statistics.median(inside for inside, _ in rounds), 1),
        "http_texts_per_s": round(statistics.median(http for _, http in rounds), 1),
        "share": round(statistics.median(shares), 3),
        "share_lowest_highest": [round(min(shares), 3), round(max(shares), 3)],
        "single_texts": {
            "most_requests_per_s": round(most, 1),
            "open_loop_requests_per_s": round(most / 2, 1),
            "n": len(latencies),
            **{f"p{at}_ms": round(float(np.percentile(latencies, at)), 2) for at in (50, 95, 99)},
        },
    }


def _fresh() -> Iterator[str]:
    known = texts.banking().texts
    for lap in itertools.count():
        yield from (f"{text} {lap}" for text in known)


def _bodies(sentences: Iterator[str], *, n: int) -> Callable[[], bytes]:
    """Makes a body at each call: `n` new texts for the three likeliest labels of each."""
    asked = {"task": texts.TASK, "top_k": 3}

    def body() -> bytes:
        given = list(itertools.islice(sentences, n))
        return json.dumps({"inputs": given, "parameters": asked}).encode()

    return body


def _in_process(served: contestants.Contestant, sentences: Iterator[str]) -> float:
    given = list(itertools.islice(sentences, 1024))
    started = time.perf_counter()
    served.answer(given)
    return len(given) / (time.perf_counter() - started)


def _closed(app: Running, *, pool: ThreadPoolExecutor, bodies: Callable[[], bytes], n_each: int = 40) -> float:
    """Requests a second when each of the clients sends its next one as soon as it has its answer."""
    ready = [[bodies() for _ in range(n_each)] for _ in range(CLIENTS)]
    started = time.perf_counter()

    def client(own: Sequence[bytes]) -> int:
        n_done = 0
        for body in own:
            if time.perf_counter() - started > ROUND_S:
                break
            _post(app, body)
            n_done += 1
        return n_done

    n_done = sum(pool.map(client, ready))
    return n_done / (time.perf_counter() - started)


def _open(app: Running, *, pool: ThreadPoolExecutor, rate: float, bodies: Callable[[], bytes]) -> list[float]:
    """Milliseconds from when each request was due to its answer."""
    chance = random.Random(0)
    due = list(itertools.accumulate(chance.expovariate(rate) for _ in range(int(rate * OPEN_S))))
    ready = [bodies() for _ in due]
    started = time.perf_counter()

    def send(body: bytes, at: float) -> float:
        _post(app, body)
        return (time.perf_counter() - started - at) * 1000

    waiting = []
    for body, at in zip(ready, due, strict=True):
        time.sleep(max(0.0, at - (time.perf_counter() - started)))
        waiting.append(pool.submit(send, body, at))
    return [one.result() for one in waiting]


def _post(app: Running, body: bytes) -> None:
    connection = getattr(_connections, "open", None)
    if connection is None:
        host = app.url.removeprefix("http://")
        connection = _connections.open = http.client.HTTPConnection(host, timeout=60)
    headers = {"Authorization": f"Bearer {app.token}", "Content-Type": "application/json"}
    connection.request("POST", "/predict", body=body, headers=headers)
    answer = connection.getresponse()
    content = answer.read()
    if answer.status != 200:
        raise RuntimeError(f"{answer.status}: {content[:300]!r}")
