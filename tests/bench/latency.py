"""One text at a time: how long a single answer takes in process, and a bare process from its start to its first answer.

`python -m tests.bench latency` writes results/latency.json. The other runtimes read the same texts one by one, those
that compile each new shape anew included.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tests.architecture import ROOT
from tests.bench import contestants, texts
from tests.bench.contestants import Contestant
from tests.bench.machine import machine
from tests.bench.speed import ENGINE, SAME_GRAPH, THREADS, folder

ROUNDS, WARM = 5, 100
RESULT = Path(__file__).parent / "results" / "latency.json"
_BARE = """
import json, sys, time
started = time.perf_counter()
from pathlib import Path
from app.classify.engine import Engine, Request
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
    course, known = texts.course(threads=THREADS), texts.banking().texts[:700]
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
        "one_text_ms": {name: _latency(one, known) for name, one in everyone.items()},
        "bare_process": {
            key: statistics.median(row[key] for row in bare) for key in ("first_prediction_s", "resident_mb")
        }
        | {"is_torch_loaded": any(row["is_torch_loaded"] for row in bare)},
    }
    RESULT.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    print(json.dumps({key: told[key] for key in ("one_text_ms", "bare_process")}, indent=1))


def _latency(one: Contestant, known: Sequence[str]) -> dict[str, float]:
    """Percentiles over the texts, none of which is read twice, after a warm-up: medians of the rounds."""
    rounds = []
    size = (len(known) - WARM) // ROUNDS
    for text in known[:WARM]:
        one.answer([text])
    for number in range(ROUNDS):
        taken = [_ms(one, text) for text in known[WARM + number * size : WARM + (number + 1) * size]]
        rounds.append([float(np.percentile(taken, share)) for share in (50, 95, 99)])
    middle = np.median(np.asarray(rounds), axis=0)
    return {"p50": round(middle[0], 2), "p95": round(middle[1], 2), "p99": round(middle[2], 2), "n": size * ROUNDS}


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
