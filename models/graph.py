"""The int8 graph of an encoder on the CPU, through OpenVINO: token ids in, hidden states out.

Matrix products run in int8, everything else in float32. bfloat16 would be as fast, but the result for a text would
depend on the other texts of its batch. Several short texts can share a row (models/packing.py). OpenVINO's telemetry
is disabled before it is imported.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping
from pathlib import Path
from threading import Lock
from types import ModuleType
from typing import Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray

Hidden = NDArray[np.float32]
Ids = NDArray[np.int64]

SHORT = (16, 32)
"""Lengths of single short texts, the most frequent calls; each gets a compiled graph that sees only this shape."""


class Encoder(Protocol):
    """Turns token ids into hidden states; `is_packing` is True when several texts can share a row."""

    is_packing: bool

    def hidden(self, ids: Ids, *, mask: Ids, positions: Ids | None = None) -> Hidden:
        """Return the hidden states [rows, tokens, width] of `ids` [rows, tokens].

        `mask` is 0 on padding and 1 on the tokens of a text. If texts share a row it is 1, 2, … on the tokens of each
        text, and `positions` count from zero in each text.
        """

    def hasten(self) -> None:
        """Prepare, once, what makes the most frequent calls faster."""


class Graph:
    """A compiled graph; any thread may call it, one at a time.

    A graph with dynamic shapes prepares its layers again whenever the shape changes, which takes as long as reading a
    short text. `hasten` therefore compiles one more graph for each length in SHORT.
    """

    def __init__(self, path: Path, *, threads: int) -> None:
        self._core = quiet_openvino().Core()
        self._options = {
            "INFERENCE_PRECISION_HINT": "f32",
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_NUM_THREADS": threads,
            "NUM_STREAMS": 1,
        }
        self._model = self._core.read_model(str(path))
        self.is_packing = take_several(self._model)
        self._any = _Request(self._core.compile_model(self._model, "CPU", self._options))
        self._short: dict[int, _Request] = {}

    def hasten(self) -> None:
        """Compile the graphs for single short texts; until they are ready the general graph reads such texts."""
        for width in SHORT:
            if width not in self._short:
                # A graph compiled with a static shape would be fused differently and give slightly different results.
                self._short[width] = _Request(self._core.compile_model(self._model, "CPU", self._options))

    def hidden(self, ids: Ids, *, mask: Ids, positions: Ids | None = None) -> Hidden:
        """Return the hidden states [rows, tokens, width] of `ids` [rows, tokens]."""
        inputs = {"input_ids": ids, "attention_mask": mask}
        if self.is_packing:
            inputs["position_ids"] = np.tile(np.arange(ids.shape[1]), (len(ids), 1)) if positions is None else positions
        request = self._short.get(ids.shape[1], self._any) if len(ids) == 1 else self._any
        return request.run(inputs)


class _Request:
    """An inference request of a compiled model; a lock admits one caller at a time."""

    def __init__(self, compiled: Any) -> None:
        self._request = compiled.create_infer_request()
        self._lock = Lock()

    def run(self, inputs: Mapping[str, Ids]) -> Hidden:
        """Run the model and return its first output."""
        with self._lock:
            self._request.infer(inputs, share_inputs=True, share_outputs=True)
            return cast(Hidden, self._request.get_output_tensor(0).data.copy())


def take_several(model: Any) -> bool:
    """Change an encoder's graph so that several texts can share a row; return False, and change nothing, if it cannot.

    It works for encoders like BERT: one attention mask made of `attention_mask`, position embeddings looked up by a
    range. Afterwards tokens attend to each other if their numbers in the mask are equal; `position_ids` is an input.
    """
    attention = [node for node in model.get_ops() if node.get_type_name() == "ScaledDotProductAttention"]
    lookups = [node for node in model.get_ops() if _is_of_positions(node)]
    masks = [node for node in model.get_parameters() if node.output(0).get_any_name() == "attention_mask"]
    if not (attention and lookups and masks) or any(node.get_input_size() < 4 for node in attention):
        return False
    operations = importlib.import_module("openvino.opset13")
    positions = operations.parameter([-1, -1], np.int64, name="position_ids")
    positions.output(0).get_tensor().set_names({"position_ids"})
    rows, columns = (operations.unsqueeze(masks[0], np.asarray(axes)) for axes in ([1, 3], [1, 2]))
    sees = operations.select(operations.equal(rows, columns), np.float32(0), np.float32(-np.inf))
    for node in attention:
        node.input(3).replace_source_output(sees.output(0))
    for node in lookups:
        node.input(1).replace_source_output(positions.output(0))
    model.add_parameters([positions])
    model.validate_nodes_and_infer_types()
    return True


def _is_of_positions(node: Any) -> bool:
    """True for a lookup in a constant table whose index is a slice of the constant 0, 1, 2, …"""
    if node.get_type_name() != "Gather" or node.input_value(0).get_node().get_type_name() != "Constant":
        return False
    index = node.input_value(1).get_node()
    while index.get_type_name() == "Convert":
        index = index.input_value(0).get_node()
    if index.get_type_name() != "Slice" or index.input_value(0).get_node().get_type_name() != "Constant":
        return False
    known = index.input_value(0).get_node().data.ravel()
    return len(node.input_value(0).shape) == 2 and bool(np.array_equal(known, np.arange(len(known))))


def quiet_openvino() -> Any:
    """Import OpenVINO without its telemetry package, which would send an event on import."""
    sys.modules.setdefault("openvino_telemetry", cast(ModuleType, None))
    return importlib.import_module("openvino")
