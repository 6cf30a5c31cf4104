"""The int8 graph of an encoder on the CPU, through OpenVINO: token ids in, hidden states out.

Matrix products run in int8, everything else in float32: bfloat16 would be as fast, but the sum of a row would depend
on its company. The runtime's own telemetry is switched off before it is imported.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from threading import Lock
from types import ModuleType
from typing import Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray

Hidden = NDArray[np.float32]
Ids = NDArray[np.int64]


class Encoder(Protocol):
    """Whatever turns padded token ids into hidden states."""

    def hidden(self, ids: Ids, *, mask: Ids) -> Hidden:
        """Hidden states [rows, tokens, width] of `ids` [rows, tokens] with their attention `mask`."""


class Graph:
    """A compiled graph; one run at a time, from any thread."""

    def __init__(self, path: Path, *, threads: int) -> None:
        core = quiet_openvino().Core()
        options = {
            "INFERENCE_PRECISION_HINT": "f32",
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_NUM_THREADS": threads,
            "NUM_STREAMS": 1,
        }
        self._request = core.compile_model(str(path), "CPU", options).create_infer_request()
        self._lock = Lock()

    def hidden(self, ids: Ids, *, mask: Ids) -> Hidden:
        """Hidden states [rows, tokens, width] of padded `ids` [rows, tokens] with their attention `mask`."""
        with self._lock:
            self._request.infer({"input_ids": ids, "attention_mask": mask}, share_inputs=True)
            return cast(Hidden, self._request.get_output_tensor(0).data.copy())


def quiet_openvino() -> Any:
    """Import OpenVINO without its telemetry package, which would send an event at import."""
    sys.modules.setdefault("openvino_telemetry", cast(ModuleType, None))
    return importlib.import_module("openvino")
