"""Pooling and heads in numpy (float32): from hidden states to logits, with the formulas of models/network.py.

    sentence  mean of the hidden states over the attention mask, special tokens included
    span      mean over the target's tokens, concatenated with the sentence mean; no target: the sentence mean twice
    head      an optional hidden layer with tanh, then the output layer

This costs little compared with the encoder, so that one pass of the encoder serves all tasks and targets.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file

from models.artifact import ArtifactError

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Layer:
    """A linear layer: `weight` [out, in], `bias` [out]."""

    weight: Array
    bias: Array

    def __call__(self, x: Array) -> Array:
        """Return x @ weightᵀ + bias."""
        return x @ self.weight.T + self.bias


@dataclass(frozen=True)
class Head:
    """A task's head: from pooled rows [n, width] to logits [n, labels]."""

    output: Layer
    hidden: Layer | None = None

    def __call__(self, pooled: Array) -> Array:
        """Return the logits [n, labels] of pooled rows."""
        return self.output(pooled if self.hidden is None else np.tanh(self.hidden(pooled)))

    def twice(self) -> Head:
        """Return the head that gives for rows x [n, width] what this one gives for [x, x] [n, 2 × width]."""
        first = self.output if self.hidden is None else self.hidden
        width = first.weight.shape[1] // 2
        folded = Layer(first.weight[:, :width] + first.weight[:, width:], first.bias)
        return Head(folded) if self.hidden is None else Head(self.output, folded)


class Heads:
    """Several heads over the same pooled rows; those without a hidden layer are computed as one matrix product."""

    def __init__(self, heads: Mapping[str, Head]) -> None:
        plain = {name: head.output for name, head in heads.items() if head.hidden is None}
        self._rest = {name: head for name, head in heads.items() if name not in plain}
        self._names = tuple(plain)
        self._edges = np.cumsum([len(layer.bias) for layer in plain.values()])[:-1]
        self._plain = _beside(list(plain.values())) if plain else None

    def __call__(self, pooled: Array) -> dict[str, Array]:
        """Return each head's logits [n, labels] of pooled rows [n, width]."""
        found = {name: head(pooled) for name, head in self._rest.items()}
        if self._plain is not None:
            found |= zip(self._names, np.split(self._plain(pooled), self._edges, axis=1), strict=True)
        return found


def _beside(layers: Sequence[Layer]) -> Layer:
    return Layer(np.concatenate([one.weight for one in layers]), np.concatenate([one.bias for one in layers]))


def load_heads(path: Path, *, tasks: Iterable[str]) -> dict[str, Head]:
    """Read the heads of `tasks` from a safetensors file. Raises ArtifactError when the file or a head is missing."""
    try:
        tensors = load_file(path)
    except (OSError, SafetensorError) as error:
        raise ArtifactError("unreadable_heads", file=path.name, sentence=f"{path} cannot be read: {error}.") from error
    return {task: _head(tensors, task=task, path=path) for task in tasks}


def _head(tensors: Mapping[str, Array], *, task: str, path: Path) -> Head:
    output = _layer(tensors, prefix=f"{task}.output")
    if output is None:
        sentence = f"{path} has no head for the task {task}: export the run again."
        raise ArtifactError("missing_head", file=path.name, sentence=sentence)
    return Head(output, _layer(tensors, prefix=f"{task}.hidden"))


def _layer(tensors: Mapping[str, Array], *, prefix: str) -> Layer | None:
    if f"{prefix}.weight" not in tensors or f"{prefix}.bias" not in tensors:
        return None
    return Layer(tensors[f"{prefix}.weight"], tensors[f"{prefix}.bias"])


def text_means(hidden: Array, *, mask: NDArray[np.int64]) -> Array:
    """Return the mean over each text of each row: [rows, tokens, width] → [rows, texts, width].

    The mask [rows, tokens] is 1, 2, … on the texts of a row and 0 on padding. Rows with fewer texts are filled with
    zeros.
    """
    numbers = np.arange(1, mask.max(initial=1) + 1)
    weights = (mask[:, None, :] == numbers[None, :, None]).astype(np.float32)
    counts = np.maximum(weights.sum(axis=2, keepdims=True), 1)
    return np.asarray(np.matmul(weights, hidden) / counts, dtype=np.float32)


def span_mean(hidden: Array, *, span: tuple[int, int]) -> Array:
    """Return the mean of a row's hidden states [tokens, width] over the half-open token range `span`."""
    return np.asarray(hidden[span[0] : span[1]].mean(axis=0), dtype=np.float32)
