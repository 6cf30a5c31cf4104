"""Post-training static quantisation (NNCF): from a float32 encoder to the int8 graph that serves.

    q(w) = round(w / s_w),  s_w = max |w| / 127 for each output channel         q(a) = round(a / s_a)

Weights and embeddings are symmetric per channel. Activations have one fixed scale s_a per tensor, measured on texts of
the training data; because it is fixed, a text's output does not depend on the other texts of its batch. SmoothQuant
(Xiao et al. 2022, arXiv:2211.10438) moves activation outliers into the weights, and fast bias correction corrects the
shift of the mean that rounding causes (Nagel et al. 2019, arXiv:1906.04721).
"""

from __future__ import annotations

import importlib
import random
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from models.graph import quiet_openvino
from models.text import normalise
from models.tokens import Tokens

CALIBRATION_TEXTS = 420


class _Traced(nn.Module):
    """The encoder as a function of token ids and mask, as tracing needs it."""

    def __init__(self, encoder: nn.Module, *, layers: Sequence[int] = ()) -> None:
        super().__init__()
        self.encoder, self.layers = encoder, layers

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Return the hidden states [rows, tokens, width] of the last layer, or those of `layers` side by side."""
        if not self.layers:
            return cast(Tensor, self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state)
        states = self.encoder(
            input_ids=input_ids, attention_mask=attention_mask, output_hidden_states=True
        ).hidden_states
        return torch.cat([states[layer + 1] for layer in self.layers], dim=-1)


def float_graph(encoder: nn.Module, *, layers: Sequence[int] = ()) -> Any:
    """Trace a Hugging Face encoder into an OpenVINO model with dynamic batch size and length.

    The output is the last hidden state; with n `layers`, counted from 0, it is the hidden states of those layers side
    by side [rows, tokens, n * width].
    """
    openvino = quiet_openvino()
    ids = torch.full((2, 16), 5, dtype=torch.long)
    mask = torch.ones_like(ids)
    mask[1, 9:] = 0
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        traced = _Traced(encoder, layers=layers).eval()
        graph = openvino.convert_model(traced, example_input={"input_ids": ids, "attention_mask": mask})
    graph.output(0).get_tensor().set_names({"hidden"})
    return graph


def quantise(graph: Any, *, rows: Sequence[Sequence[int]]) -> Any:
    """Return the int8 model of a float graph; `rows` of token ids are the calibration data."""
    quiet_openvino()
    nncf = importlib.import_module("nncf")

    def feed(row: Sequence[int]) -> dict[str, npt.NDArray[np.int64]]:
        ids = np.asarray([row], dtype=np.int64)
        return {"input_ids": ids, "attention_mask": np.ones_like(ids)}

    small = nncf.quantize(
        graph,
        nncf.Dataset(list(rows), feed),
        model_type=nncf.ModelType.TRANSFORMER,
        preset=nncf.QuantizationPreset.MIXED,
        subset_size=len(rows),
        fast_bias_correction=True,
    )
    scale_after_lookup(small)
    return small


def scale_after_lookup(graph: Any) -> int:
    """Multiply embeddings by their scales after the lookup instead of before it; return the number of changed tables.

    The output is bit for bit the same, and the table stays int8 in memory: scaled before the lookup, the whole table
    would be expanded to float32 when the graph is compiled.
    """
    operations = importlib.import_module("openvino.opset13")
    found = [(lookup, table) for lookup in graph.get_ops() if (table := _scaled_table(lookup)) is not None]
    for lookup, (weights, scales) in found:
        where = (lookup.input_value(1), lookup.input_value(2))
        rows = operations.convert(operations.gather(weights, *where), "f32")
        scaled = operations.multiply(rows, operations.gather(scales, *where))
        for target in lookup.output(0).get_target_inputs():
            target.replace_source_output(scaled.output(0))
    return len(found)


def _scaled_table(lookup: Any) -> tuple[Any, Any] | None:
    """Return int8 table [rows, width] and scales [rows, 1] of an embedding lookup, None for any other node."""
    if lookup.get_type_name() != "Gather" or lookup.input_value(0).get_node().get_type_name() != "Multiply":
        return None
    weights, scales = (lookup.input_value(0).get_node().input_value(at).get_node() for at in (0, 1))
    if weights.get_type_name() != "Convert" or scales.get_type_name() != "Constant":
        return None
    table = weights.input_value(0).get_node()
    fits = table.get_type_name() == "Constant" and len(scales.shape) == 2 and scales.shape[0] == table.shape[0]
    return (table, scales) if fits else None


def calibration_rows(texts: Sequence[str], *, tokens: Tokens, seed: int, n: int = CALIBRATION_TEXTS) -> list[list[int]]:
    """Return the token ids of `n` randomly chosen texts, prepared as the runtime prepares them."""
    chosen = random.Random(seed).sample(list(texts), min(n, len(texts)))
    encoded = tokens.encode([normalise(text) for text in chosen])
    return [list(text.windows[0].ids) for text in encoded]


def save_graph(graph: Any, *, path: Path) -> None:
    """Write a graph as OpenVINO IR: `path` (.xml) and its weights (.bin); float constants stay float32."""
    path.parent.mkdir(parents=True, exist_ok=True)
    quiet_openvino().save_model(graph, str(path), compress_to_fp16=False)
