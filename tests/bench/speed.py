"""The engine against what else one would run the same model with, in one process and alternating.

`python -m tests.bench speed` writes results/speed.json: medians over the rounds with their spread, texts a second,
ratios within the run; latency of one text; start and memory of a bare process.
"""

from __future__ import annotations

import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch

from models.artifact import Artifact, open_artifact
from tests import corpora, shipped
from tests.architecture import ROOT
from tests.bench import contestants
from tests.bench.contestants import Answer, Whole
from tests.bench.machine import machine
from training.data.sources import read_corpus

ROUNDS = 5
THREADS = 2
TASK = "banking_intent"
RESULT = Path(__file__).parent / "results" / "speed.json"
ENGINE = "bellwether engine"
PIPELINES = ("transformers pipeline, one by one", "transformers pipeline, batches of 32")
SORTED = ("onnxruntime float32", "onnxruntime dynamic int8", "openvino float32", "openvino int8", "openvino bf16")

_BARE = """
import json, sys, time
started = time.perf_counter()
from pathlib import Path
import resource
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
    artifact = open_artifact(shipped.newest())
    rows = read_corpus("banking77", root=corpora.folder(), split="test")
    texts = [row.text for row in rows]
    torch.set_num_threads(THREADS)
    with tempfile.TemporaryDirectory() as work:
        field = _field(artifact, work=Path(work))
        rates = compare(field, texts=texts[:1536])
        agreement = _accuracy(field, texts=texts, labels=[row.labels[0] for row in rows], artifact=artifact)
    told = {
        "machine": machine(),
        "artifact": artifact.manifest.id,
        "texts": "first 1,536 banking77 test texts, tokenizer included",
        "rounds": ROUNDS,
        "threads": THREADS,
        "texts_per_s": rates,
        "ratios": _ratios(rates),
        "accuracy": agreement,
        "traffic_mix": _mix(artifact, field=field, root=corpora.folder()),
        "one_text_ms": _latency(contestants.engine(artifact, task=TASK, threads=THREADS), texts=texts[1536:2536]),
        "bare_process": [_bare(artifact) for _ in range(3)],
    }
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    print(
        json.dumps({key: told[key] for key in ("texts_per_s", "ratios", "traffic_mix", "one_text_ms", "bare_process")})
    )


def _field(artifact: Artifact, *, work: Path) -> dict[str, Answer]:
    whole, tokenizer = Whole(artifact, task=TASK).eval(), artifact.path("tokenizer.json")
    onnx = contestants.onnx_file(whole, path=work / "model.onnx")
    graph = artifact.path(artifact.manifest.encoders[0].graph)
    return {
        ENGINE: contestants.engine(artifact, task=TASK, threads=THREADS),
        PIPELINES[0]: contestants.pipeline(whole, tokenizer=tokenizer, batch=1),
        PIPELINES[1]: contestants.pipeline(whole, tokenizer=tokenizer, batch=32),
        "torch float32": contestants.torch_float(whole, tokenizer=tokenizer),
        "onnxruntime float32": contestants.onnx_runtime(onnx, tokenizer=tokenizer, threads=THREADS),
        "onnxruntime dynamic int8": contestants.onnx_runtime(onnx, tokenizer=tokenizer, threads=THREADS, is_int8=True),
        "openvino float32": contestants.openvino_plain(onnx, artifact=artifact, task=TASK, threads=THREADS),
        "openvino bf16": contestants.openvino_plain(
            onnx, artifact=artifact, task=TASK, threads=THREADS, precision="bf16"
        ),
        "openvino int8": contestants.openvino_plain(graph, artifact=artifact, task=TASK, threads=THREADS),
    }


def compare(field: Mapping[str, Answer], *, texts: Sequence[str], rounds: int = ROUNDS) -> dict[str, dict[str, float]]:
    """Texts a second of each contestant: all of them in every round, one after the other, after a warm-up."""
    seconds: dict[str, list[float]] = {name: [] for name in field}
    for name, answer in field.items():
        answer(texts if name not in PIPELINES else texts[:64])
    for _ in range(rounds):
        for name, answer in field.items():
            started = time.perf_counter()
            answer(texts)
            seconds[name].append(time.perf_counter() - started)
    return {
        name: {
            "median": round(len(texts) / statistics.median(taken)),
            "lowest": round(len(texts) / max(taken)),
            "highest": round(len(texts) / min(taken)),
        }
        for name, taken in seconds.items()
    }


def _ratios(rates: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    own = rates[ENGINE]["median"]
    pipeline = max(rates[name]["median"] for name in PIPELINES)
    best = max(rates[name]["median"] for name in SORTED)
    return {
        "to_the_pipeline_at_its_best": round(own / pipeline, 2),
        "to_the_best_of_onnxruntime_and_openvino_in_sorted_batches": round(own / best, 2),
        "to_the_same_int8_graph_in_sorted_batches": round(own / rates["openvino int8"]["median"], 2),
    }


def _accuracy(
    field: Mapping[str, Answer], *, texts: Sequence[str], labels: Sequence[str], artifact: Artifact
) -> dict[str, float]:
    from models.labels import load_tasks

    index = load_tasks(artifact.path("labels.json"))[TASK].index()
    truth = np.asarray([index[label] for label in labels])
    return {name: round(float((answer(texts) == truth).mean()), 4) for name, answer in field.items()
            if name not in PIPELINES}  # fmt: skip


def traffic(root: Path, *, n: int = 2000, seed: int = 0) -> list[str]:
    """A mix as it comes in: short texts of two corpora, 5 % long ones, 30 % repeats with Zipf's frequencies."""
    chance = random.Random(seed)
    short = [row.text for name in ("banking77", "tfn_topic") for row in read_corpus(name, root=root, split="test")]
    long = [" ".join(chance.sample(short, 14)) for _ in range(n // 20)]
    fresh = [*chance.sample(short, n), *long]
    chance.shuffle(fresh)
    sent: list[str] = []
    for text in fresh:
        sent.append(text)
        if chance.random() < 0.3 / 0.7:
            rank = min(int(chance.paretovariate(1.0)), len(sent))
            sent.append(sent[rank - 1])
    return sent[:n]


def _mix(artifact: Artifact, *, field: Mapping[str, Answer], root: Path) -> dict[str, object]:
    texts = traffic(root)
    rounds: dict[str, list[float]] = {ENGINE: [], "openvino int8": [], "openvino bf16": []}
    for _ in range(ROUNDS):
        fresh = {ENGINE: contestants.engine(artifact, task=TASK, threads=THREADS, cache=20_000)}
        for name in rounds:
            answer = fresh.get(name, field[name])
            answer(["warm up " * n for n in range(1, 60, 3)])
            started = time.perf_counter()
            answer(texts)
            rounds[name].append(time.perf_counter() - started)
    rates = {name: round(len(texts) / statistics.median(taken)) for name, taken in rounds.items()}
    others = max(rate for name, rate in rates.items() if name != ENGINE)
    return {"n": len(texts), "repeats": 1 - len(set(texts)) / len(texts), "texts_per_s": rates,
            "ratio": round(rates[ENGINE] / others, 2)}  # fmt: skip


def _latency(answer: Answer, *, texts: Sequence[str]) -> dict[str, float]:
    for text in texts[:100]:
        answer([text])
    taken = []
    for text in texts[100:]:
        started = time.perf_counter()
        answer([text])
        taken.append(1000 * (time.perf_counter() - started))
    return {f"p{share}": round(float(np.percentile(taken, share)), 2) for share in (50, 95, 99)} | {"n": len(taken)}


def _bare(artifact: Artifact) -> dict[str, object]:
    command = [sys.executable, "-c", _BARE, str(artifact.folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    told: dict[str, object] = json.loads(done.stdout)
    return told
