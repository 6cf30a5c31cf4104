"""What the processor could do at best: matrix rates at the model's own layer shapes, and where a run's time goes."""

from __future__ import annotations

import statistics
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from models.graph import quiet_openvino, take_several
from models.runtime import Runtime
from models.text import normalise

ROWS, WIDTH = 1024, 32
REPEATS = 30


def linear_shapes(path: Path) -> list[tuple[int, int]]:
    """(in, out) of every linear layer of a graph."""
    model = quiet_openvino().Core().read_model(str(path))
    products = [node for node in model.get_ops() if node.get_type_name() == "MatMul"]
    weights = [node.input_value(1).get_partial_shape() for node in products]
    return [(shape[1].get_length(), shape[0].get_length()) for shape in weights if shape.is_static and len(shape) == 2]


def matrix_rate(shapes: Sequence[tuple[int, int]], *, dtype: torch.dtype) -> float:
    """Operations a second over all layers at 1,024 rows through torch (oneDNN): median of the repeats."""
    layers = [nn.Linear(wide, out, dtype=dtype).eval() for wide, out in shapes]
    rows = {wide: torch.randn(ROWS, wide, dtype=dtype) for wide, _ in shapes}
    taken = []
    with torch.inference_mode():
        for _ in range(REPEATS):
            started = time.perf_counter()
            for layer in layers:
                layer(rows[layer.in_features])
            taken.append(time.perf_counter() - started)
    return operations(shapes, n_tokens=ROWS) / statistics.median(taken[REPEATS // 3 :])


def operations(shapes: Sequence[tuple[int, int]], *, n_tokens: float) -> float:
    """Multiplications and additions of the linear layers for so many tokens."""
    return 2 * n_tokens * sum(wide * out for wide, out in shapes)


def profile(path: Path, *, threads: int) -> dict[str, float]:
    """Milliseconds of each kind of layer at 1,024 rows, by the runtime's own counters: median of the repeats."""
    core = quiet_openvino().Core()
    options = {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY", "NUM_STREAMS": 1,
               "INFERENCE_NUM_THREADS": threads, "PERF_COUNT": True}  # fmt: skip
    model = core.read_model(str(path))
    shape = (ROWS // WIDTH, WIDTH)
    inputs: dict[str, Any] = {"input_ids": np.full(shape, 2000), "attention_mask": np.ones(shape, np.int64)}
    if take_several(model):
        inputs["position_ids"] = np.tile(np.arange(WIDTH), (shape[0], 1))
    request = core.compile_model(model, "CPU", options).create_infer_request()
    rounds: dict[str, list[float]] = defaultdict(list)
    for number in range(REPEATS):
        request.infer(inputs, share_inputs=True, share_outputs=True)
        found: dict[str, float] = defaultdict(float)
        for layer in request.profiling_info:
            found[_kind(layer.node_type)] += layer.real_time.total_seconds() * 1000
        for kind, milliseconds in found.items() if number >= REPEATS // 3 else ():
            rounds[kind].append(milliseconds)
    return {kind: round(statistics.median(taken), 3) for kind, taken in rounds.items()}


def _kind(node_type: str) -> str:
    if node_type.startswith("FullyConnected"):
        return "linear layers"
    return {"Subgraph": "attention", "ScaledDotProductAttention": "attention"}.get(node_type, "everything else")


def preparing(runtime: Runtime, *, texts: Sequence[str]) -> dict[str, float]:
    """Microseconds a text outside the graph: normalising and tokenising."""
    started = time.perf_counter()
    ready = [normalise(text) for text in texts]
    normalised = time.perf_counter()
    runtime._tokens.encode(ready)
    ended = time.perf_counter()
    per = 1e6 / len(texts)
    return {"normalise_us": round((normalised - started) * per, 1), "tokenise_us": round((ended - normalised) * per, 1)}
