"""The engine against what else one would run the same model with, in one process and alternating.

`python -m tests.bench speed` writes results/speed.json: texts a second (medians over the rounds with their spread) on
short texts, long texts and a traffic mix, and the share of the processor's bf16 ceiling. The contestants' files are
made once and kept beside the system's temporary files: a first run elsewhere leaves nothing of it to the measurement.
Slow contestants read fewer texts of the same seeded order.
"""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from models.runtime import Runtime
from tests.bench.machine import machine
from tests.bench.model import ceiling, contestants, texts
from tests.bench.model.contestants import Contestant, Course

ROUNDS, THREADS = 5, 2
ROUND_S = 0.8
# Price of a core for an hour on a rented machine, to turn speed into money.
PRICE_OF_CORE_HOUR = 0.04
RESULT = Path(__file__).parents[1] / "results" / "speed.json"
ENGINE = "Bellwether engine"
SAME_GRAPH = "OpenVINO, int8 (same graph)"
PLAIN = ("ONNX Runtime", "OpenVINO")
N_SHORT, N_LONG = 1536, 96
BATCHES = (1, 8, 32, 64)


def main() -> None:
    """Measure and write the result."""
    torch.set_num_threads(THREADS)
    course, known = texts.course(threads=THREADS), texts.banking().texts[:N_SHORT]
    everyone = field(course, work=folder(course)) | {"FinBERT-sized (110M, random weights), torch": _finbert(course)}
    everyone |= _pipelines(course, known=known)
    rates = compare(everyone, known=known)
    del everyone["FinBERT-sized (110M, random weights), torch"]
    told: dict[str, Any] = {
        "machine": machine(),
        "artifact": course.artifact.manifest.id,
        "rounds": ROUNDS,
        "threads": THREADS,
    }
    _write(told, short={"n": len(known), "texts_per_s": rates, "ratios": ratios(rates)}, cost=_cost(rates))
    _write(told, ceiling=_ceiling(course, known=known, rate=rates[ENGINE]["median"]))
    _write(told, traffic=_mix(course, everyone=everyone))
    _write(told, long=_long(course, everyone=everyone))
    _write(told, threads_1_to_2=_scaling(course, known=known))


def _write(told: dict[str, Any], **part: dict[str, Any]) -> None:
    """Write down a part as soon as it is there: it costs minutes."""
    told |= part
    RESULT.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(part, indent=1), flush=True)


def folder(course: Course) -> Path:
    """Where the contestants' files of an artifact are kept."""
    made = Path(tempfile.gettempdir()) / f"bellwether-bench-{course.artifact.sha256[:12]}"
    made.mkdir(exist_ok=True)
    return made


def field(course: Course, *, work: Path) -> dict[str, Contestant]:
    """Everybody who gives the same answers, the pipeline left out."""
    whole = contestants.merged(course)
    onnx = contestants.onnx_file(whole, path=work / "model.onnx")
    graph = course.artifact.path(course.artifact.manifest.encoders[0].graph)
    in_ort, in_ov = contestants.in_onnx_runtime, contestants.in_openvino
    return {
        ENGINE: contestants.engine(course),
        SAME_GRAPH: in_ov(course, graph),
        "OpenVINO, int8, the rest in bf16": in_ov(course, graph, precision="bf16"),
        "OpenVINO, bf16": in_ov(course, onnx, precision="bf16"),
        "ONNX Runtime, dynamic int8": in_ort(course, contestants.dynamic_int8(onnx)),
        "ONNX Runtime, static int8 QDQ": in_ort(
            course, contestants.static_int8(onnx, course=course, texts=texts.calibration())
        ),
        "ONNX Runtime, MatMulNBits 8-bit": in_ort(course, contestants.nbits_int8(onnx)),
        "ONNX Runtime, float32": in_ort(course, onnx),
        "torch, bf16": contestants.in_torch(course, whole=whole, dtype=torch.bfloat16),
        "torch, float32": contestants.in_torch(course, whole=whole),
    }


def _finbert(course: Course) -> Contestant:
    return contestants.in_torch(course, whole=contestants.finbert_sized())


def _pipelines(course: Course, *, known: Sequence[str]) -> dict[str, Contestant]:
    """The transformers pipeline one by one, and at the batch size that is quickest for it."""
    whole = contestants.merged(course)
    found = {batch: contestants.pipeline(course, whole=whole, batch=batch) for batch in BATCHES}
    seconds = {batch: _seconds(one, known[:128]) for batch, one in found.items()}
    best = min(BATCHES[1:], key=lambda batch: seconds[batch])
    return {
        "transformers pipeline, one by one": found[1],
        f"transformers pipeline, batches of {best}": found[best],
    }


def _seconds(one: Contestant, given: Sequence[str]) -> float:
    started = time.perf_counter()
    one.answer(given)
    return time.perf_counter() - started


def compare(everyone: Mapping[str, Contestant], *, known: Sequence[str]) -> dict[str, dict[str, float]]:
    """Texts a second of each: all of them in every round, one after the other, after a warm-up."""
    shares: dict[str, Sequence[str]] = {}
    for name, one in everyone.items():
        rate = 64 / _seconds(one, known[:64])
        shares[name] = known[: max(64, min(len(known), int(max(rate, 64 / _seconds(one, known[:64])) * ROUND_S)))]
        one.answer(shares[name])
    seconds: dict[str, list[float]] = {name: [] for name in everyone}
    for _ in range(ROUNDS):
        for name, one in everyone.items():
            seconds[name].append(_seconds(one, shares[name]))
    return {name: _rate(taken, n=len(shares[name])) for name, taken in seconds.items()}


def _rate(taken: Sequence[float], *, n: int) -> dict[str, float]:
    low, median, high = n / max(taken), n / statistics.median(taken), n / min(taken)
    return {"median": round(median, 1), "lowest": round(low, 1), "highest": round(high, 1), "n": n}


def ratios(rates: Mapping[str, Mapping[str, float]]) -> dict[str, Any]:
    """The engine to the pipeline at its best and to the best plain runtime, with the rounds' spread."""
    own = rates[ENGINE]
    found: dict[str, Any] = {}
    for title, prefix in (("to_the_pipeline_at_its_best", ("transformers",)), ("to_the_best_plain_runtime", PLAIN)):
        others = {name: rate for name, rate in rates.items() if name.startswith(prefix)}
        best = max(others, key=lambda name: others[name]["median"])
        found[title] = {
            "other": best,
            "ratio": round(own["median"] / others[best]["median"], 2),
            "lowest": round(own["lowest"] / others[best]["highest"], 2),
            "highest": round(own["highest"] / others[best]["lowest"], 2),
        }
    return found


def _long(course: Course, *, everyone: Mapping[str, Contestant]) -> dict[str, Any]:
    tokens = Runtime(course.artifact, threads=1)._tokens._tokenizer
    given = texts.long(n=N_LONG, count=lambda text: len(tokens.encode(text, add_special_tokens=False).ids))
    chosen = {name: one for name, one in everyone.items() if "torch" not in name and "one by one" not in name}
    rates = compare(chosen, known=given)
    return {"n": N_LONG, "texts_per_s": rates, "ratios": ratios(rates)}


def _mix(course: Course, *, everyone: Mapping[str, Contestant]) -> dict[str, Any]:
    given = texts.traffic()
    others = {name: one for name, one in everyone.items() if name.startswith("OpenVINO")}
    own = contestants.engine(course)
    seconds: dict[str, list[float]] = {name: [] for name in (ENGINE, "without its cache", *others)}
    for one in (own, *others.values()):
        one.answer(given)
    for _ in range(ROUNDS):
        cached = contestants.engine(course, cache=20_000)
        cached.answer(["warm up " * n for n in range(1, 200)])
        fresh = {ENGINE: cached, "without its cache": own, **others}
        for name, one in fresh.items():
            seconds[name].append(_seconds(one, given))
    rates = {name: _rate(taken, n=len(given)) for name, taken in seconds.items()}
    repeats = round(1 - len(set(given)) / len(given), 3)
    return {"n": len(given), "repeats": repeats, "texts_per_s": rates, "ratios": _to_best(rates)}


def _to_best(rates: Mapping[str, Mapping[str, float]]) -> dict[str, Any]:
    return {"to_the_best_plain_runtime": ratios({**rates, "transformers": rates[ENGINE]})["to_the_best_plain_runtime"]}


def _ceiling(course: Course, *, known: Sequence[str], rate: float) -> dict[str, Any]:
    graph = course.artifact.path(course.artifact.manifest.encoders[0].graph)
    shapes = ceiling.linear_shapes(graph)
    runtime = Runtime(course.artifact, threads=THREADS)
    run = runtime.run(known)
    # What has to be read, special tokens included, padding not.
    n_tokens = sum(run.n_used) / len(known) + 2
    bf16 = ceiling.matrix_rate(shapes, dtype=torch.bfloat16)
    profile = ceiling.profile(graph, threads=THREADS)
    int8 = ceiling.operations(shapes, n_tokens=ceiling.ROWS) / profile["linear layers"] * 1000
    needed = ceiling.operations(shapes, n_tokens=n_tokens)
    return {
        "tokens_per_text": round(n_tokens, 2),
        "bf16_tflops": round(bf16 / 1e12, 3),
        "int8_tops": round(int8 / 1e12, 3),
        "share_of_bf16": round(rate * needed / bf16, 3),
        "share_of_int8": round(rate * needed / int8, 3),
        "profile_ms_at_1024_rows": profile,
        "outside_the_graph": ceiling.preparing(runtime, texts=known),
    }


def _scaling(course: Course, *, known: Sequence[str]) -> dict[str, Any]:
    by_threads = {
        f"{n} thread{'s' * (n > 1)}": contestants.engine(Course(course.artifact, course.task, n)) for n in (1, 2)
    }
    rates = compare(by_threads, known=known)
    one, two = (rate["median"] for rate in rates.values())
    return {"texts_per_s": rates, "ratio": round(two / one, 2)}


def _cost(rates: Mapping[str, Mapping[str, float]]) -> dict[str, Any]:
    hours = {name: 1e6 / rate["median"] / 3600 * THREADS for name, rate in rates.items()}
    return {
        "dollars_per_core_hour": PRICE_OF_CORE_HOUR,
        "dollars": {name: round(one * PRICE_OF_CORE_HOUR, 4) for name, one in hours.items()},
    }
