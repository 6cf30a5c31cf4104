"""From a float32 encoder to the int8 graph that serves.

Post-training static quantisation (NNCF): weights, embeddings too, symmetric per channel; activations with one fixed
scale per tensor, measured on calibration texts from the training data. SmoothQuant (Xiao et al. 2022, arXiv
2211.10438) moves activation outliers into the weights, fast bias correction mends the mean shift (Nagel et al. 2019,
arXiv 1906.04721). Fixed scales are what makes an answer independent of its batch.
"""

from __future__ import annotations

import importlib
import random
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from models.graph import quiet_openvino
from models.text import normalise
from models.tokens import Tokens

CALIBRATION_TEXTS = 420


class _Traced(nn.Module):
    """The encoder as a function of ids and mask alone, for tracing."""

    def __init__(self, encoder: nn.Module, *, layers: Sequence[int] = ()) -> None:
        super().__init__()
        self.encoder, self.layers = encoder, layers

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Hidden states [rows, tokens, width] of the last layer, or of all that were asked for, side by side."""
        given: dict[str, Any] = {"input_ids": input_ids, "attention_mask": attention_mask}
        if not self.layers:
            return cast(Tensor, self.encoder(**given).last_hidden_state)
        states = self.encoder(**given, output_hidden_states=True).hidden_states
        return torch.cat([states[layer + 1] for layer in self.layers], dim=-1)


def float_graph(encoder: nn.Module, *, layers: Sequence[int] = ()) -> Any:
    """Trace a Hugging Face encoder into an OpenVINO model with free batch and length.

    With `layers` (from 0) it gives the hidden states after each of them side by side [rows, tokens, n * width].
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
    """The int8 model of a float graph, with activation scales measured on `rows` of token ids."""
    quiet_openvino()
    nncf = importlib.import_module("nncf")

    def feed(row: Sequence[int]) -> dict[str, Any]:
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
    """Scale embeddings after their rows were looked up, not before; returns in how many tables.

    The result is the same to the bit, but the table stays in 8 bits in memory: scaled first, the whole vocabulary
    would be unfolded to float32 when the graph is compiled.
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
    """The int8 table [rows, width] and the scales [rows, 1] that a lookup reads, where it has this form."""
    if lookup.get_type_name() != "Gather" or lookup.input_value(0).get_node().get_type_name() != "Multiply":
        return None
    weights, scales = (lookup.input_value(0).get_node().input_value(at).get_node() for at in (0, 1))
    if weights.get_type_name() != "Convert" or scales.get_type_name() != "Constant":
        return None
    table = weights.input_value(0).get_node()
    fits = table.get_type_name() == "Constant" and len(scales.shape) == 2 and scales.shape[0] == table.shape[0]
    return (table, scales) if fits else None


def calibration_rows(texts: Sequence[str], *, tokens: Tokens, seed: int, n: int = CALIBRATION_TEXTS) -> list[list[int]]:
    """Token ids of `n` seeded texts, as the runtime would feed them."""
    chosen = random.Random(seed).sample(list(texts), min(n, len(texts)))
    encoded = tokens.encode([normalise(text) for text in chosen])
    return [list(text.windows[0].ids) for text in encoded]


def save_graph(graph: Any, *, path: Path) -> None:
    """Write a graph as OpenVINO IR, `path` and its weights beside it; float constants as they are."""
    path.parent.mkdir(parents=True, exist_ok=True)
    quiet_openvino().save_model(graph, str(path), compress_to_fp16=False)
