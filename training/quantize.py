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

    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Hidden states [rows, tokens, width]."""
        return cast(Tensor, self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state)


def float_graph(encoder: nn.Module) -> Any:
    """Trace a Hugging Face encoder (eager attention) into an OpenVINO model with free batch and length."""
    openvino = quiet_openvino()
    ids = torch.full((2, 16), 5, dtype=torch.long)
    mask = torch.ones_like(ids)
    mask[1, 9:] = 0
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        traced = _Traced(encoder).eval()
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

    return nncf.quantize(
        graph,
        nncf.Dataset(list(rows), feed),
        model_type=nncf.ModelType.TRANSFORMER,
        preset=nncf.QuantizationPreset.MIXED,
        subset_size=len(rows),
        fast_bias_correction=True,
    )


def calibration_rows(texts: Sequence[str], *, tokens: Tokens, seed: int, n: int = CALIBRATION_TEXTS) -> list[list[int]]:
    """Token ids of `n` seeded texts, as the runtime would feed them."""
    chosen = random.Random(seed).sample(list(texts), min(n, len(texts)))
    encoded = tokens.encode([normalise(text) for text in chosen])
    return [list(text.windows[0].ids) for text in encoded]


def save_graph(graph: Any, *, path: Path) -> None:
    """Write a graph as OpenVINO IR, `path` and its weights beside it; float constants as they are."""
    path.parent.mkdir(parents=True, exist_ok=True)
    quiet_openvino().save_model(graph, str(path), compress_to_fp16=False)
