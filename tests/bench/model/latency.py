"""One text at a time: how long a single answer takes in process, and a bare process from its start to its first answer.

`python -m tests.bench latency` writes results/latency.json. The other runtimes read the same texts one by one and by
turns, those that compile each new shape anew included.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import torch

from app.core.engine_interface import Request
from app.model.engine.engine import Engine
from models.runtime import Runtime
from tests.architecture import ROOT
from tests.bench.machine import machine
from tests.bench.model import ceiling, contestants, texts
from tests.bench.model.contestants import Contestant, Course
from tests.bench.model.speed import ENGINE, SAME_GRAPH, THREADS, folder

ROUNDS, WARM = 9, 100
RESULT = Path(__file__).parents[1] / "results" / "latency.json"
_BARE = """
import json, sys, time
started = time.perf_counter()
from pathlib import Path
from app.model.engine.engine import Engine, Request
from models.runtime import Runtime
engine = Engine(Runtime.open(Path(sys.argv[1]), threads=2))
engine.classify([Request(text="Where is my order?")])
first = time.perf_counter() - started
engine.classify([Request(text="word " * (1 + n % 100) + str(n)) for n in range(600)])
print(json.dumps({"first_prediction_s": round(first, 2), "is_torch_loaded": "torch" in sys.modules,
                  "resident_mb": round(int(open("/proc/self/statm").read().split()[1]) * 4096 / 1e6)}))
"""


def main() -> None:
    """Measure and write the result."""
    torch.set_num_threads(THREADS)
    course, known = texts.course(threads=THREADS), texts.banking().texts[:1900]
    work = folder(course)
    onnx = contestants.onnx_file(contestants.merged(course), path=work / "model.onnx")
    graph = course.artifact.path(course.artifact.manifest.encoders[0].graph)
    everyone = {
        ENGINE: contestants.engine(course),
        SAME_GRAPH: contestants.in_openvino(course, graph),
        "ONNX Runtime, dynamic int8": contestants.in_onnx_runtime(course, contestants.dynamic_int8(onnx)),
    }
    bare = [_bare(course.artifact.folder) for _ in range(3)]
    told = {
        "machine": machine(),
        "artifact": course.artifact.manifest.id,
        "one_text_ms": _latencies(everyone, known),
        "where_ms": _where(course, known),
        "bare_process": {
            key: statistics.median(row[key] for row in bare) for key in ("first_prediction_s", "resident_mb")
        }
        | {"is_torch_loaded": any(row["is_torch_loaded"] for row in bare)},
    }
    RESULT.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    print(json.dumps({key: told[key] for key in ("one_text_ms", "where_ms", "bare_process")}, indent=1))


def _latencies(everyone: Mapping[str, Contestant], known: Sequence[str]) -> dict[str, dict[str, float]]:
    """Percentiles over the texts, none of which anybody reads twice, after a warm-up: medians of alternating rounds."""
    size = (len(known) - WARM) // ROUNDS
    rounds: dict[str, list[list[float]]] = {name: [] for name in everyone}
    for one in everyone.values():
        for text in known[:WARM]:
            one.answer([text])
    for number in range(ROUNDS):
        for name, one in everyone.items():
            taken = [_ms(one, text) for text in known[WARM + number * size : WARM + (number + 1) * size]]
            rounds[name].append([float(np.percentile(taken, share)) for share in (50, 95, 99)])
    return {name: _told(np.median(np.asarray(found), axis=0), n=size * ROUNDS) for name, found in rounds.items()}


def _told(middle: Sequence[float], *, n: int) -> dict[str, float]:
    return {"p50": round(middle[0], 2), "p95": round(middle[1], 2), "p99": round(middle[2], 2), "n": n}


def _where(course: Course, known: Sequence[str]) -> dict[str, float]:
    """Milliseconds of one text by part (medians): the engine's graph and tokenizer, and all the rest of its code."""
    runtime = Runtime(course.artifact, threads=course.threads)
    runtime.hasten()
    served, graph = Engine(runtime, cache=0), runtime._graphs[course.artifact.manifest.encoders[0].name]
    whole, inside = [], []
    states = graph.hidden

    def hidden(ids: Any, **options: Any) -> Any:
        started = time.perf_counter()
        found = states(ids, **options)
        inside.append((time.perf_counter() - started) * 1000)
        return found

    with patch.object(graph, "hidden", hidden):
        for text in known:
            started = time.perf_counter()
            served.classify([Request(text=text, tasks=(course.task,))])
            whole.append((time.perf_counter() - started) * 1000)
    preparing = sum(ceiling.preparing(runtime, texts=known).values()) / 1000
    rest = statistics.median(a - b for a, b in zip(whole, inside, strict=True)) - preparing
    return {"graph": round(statistics.median(inside), 2), "tokenizer": round(preparing, 3), "rest": round(rest, 2)}


def _ms(one: Contestant, text: str) -> float:
    started = time.perf_counter()
    one.answer([text])
    return (time.perf_counter() - started) * 1000


def _bare(artifact: Path) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-c", _BARE, str(artifact)], capture_output=True, text=True, check=True, cwd=ROOT
    )
    told: dict[str, Any] = json.loads(done.stdout)
    return told
