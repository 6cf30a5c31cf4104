"""The int8 graph of an encoder on the CPU, through OpenVINO: token ids in, hidden states out.

Matrix products run in int8, everything else in float32: bfloat16 would be as fast, but the sum of a row would depend
on its company. Several short texts share a row where the graph allows it (models/packing.py). The runtime's own
telemetry is switched off before it is imported.
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
"""Tokens of a single short text: the most frequent calls of all get graphs of their own, which see one shape each."""


class Encoder(Protocol):
    """Whatever turns token ids into hidden states; `is_packing`: several texts may stand in one row."""

    is_packing: bool

    def hidden(self, ids: Ids, *, mask: Ids, positions: Ids | None = None) -> Hidden:
        """Hidden states [rows, tokens, width] of `ids` [rows, tokens].

        `mask` is 1 over a text's tokens and 0 over padding, or 1, 2, … over the texts of a row; `positions` then
        count from zero in each of them.
        """

    def hasten(self) -> None:
        """Make ready, once, what quickens the most frequent calls."""


class Graph:
    """A compiled graph; one run at a time, from any thread.

    A graph of any shape prepares its layers anew whenever the shape changes, which takes a short text as long as
    reading it: `hasten` compiles the graph once more for each width in SHORT.
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
        """Compile for single short texts; until it is done they are read as all others are."""
        for width in SHORT:
            if width not in self._short:
                # With its one shape compiled in it would be fused in other ways, and answer a little differently.
                self._short[width] = _Request(self._core.compile_model(self._model, "CPU", self._options))

    def hidden(self, ids: Ids, *, mask: Ids, positions: Ids | None = None) -> Hidden:
        """Hidden states [rows, tokens, width] of `ids` [rows, tokens] under their `mask`."""
        inputs = {"input_ids": ids, "attention_mask": mask}
        if self.is_packing:
            inputs["position_ids"] = np.tile(np.arange(ids.shape[1]), (len(ids), 1)) if positions is None else positions
        request = self._short.get(ids.shape[1], self._any) if len(ids) == 1 else self._any
        return request.run(inputs)


class _Request:
    """What runs a compiled model, one caller at a time."""

    def __init__(self, compiled: Any) -> None:
        self._request = compiled.create_infer_request()
        self._lock = Lock()

    def run(self, inputs: Mapping[str, Ids]) -> Hidden:
        """The first output."""
        with self._lock:
            self._request.infer(inputs, share_inputs=True, share_outputs=True)
            return cast(Hidden, self._request.get_output_tensor(0).data.copy())


def take_several(model: Any) -> bool:
    """Let the rows of an encoder's graph hold several texts; False, and no change, where it is not of a known form.

    Known are encoders of BERT's kind: attention under one mask made of `attention_mask`, position embeddings looked up
    by a range. Tokens then see each other where their numbers in the mask are equal, and `position_ids` is an input.
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
    """A lookup in a constant table by a slice of a constant 0, 1, 2, …"""
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
    """Import OpenVINO without its telemetry package, which would send an event at import."""
    sys.modules.setdefault("openvino_telemetry", cast(ModuleType, None))
    return importlib.import_module("openvino")
