"""Structured pruning: whole heads, feed-forward neurons and layers are taken away, and the weights get smaller.

    importance of a part = |sum over its weights of  w * dL/dw|      averaged over batches of training rows

is the first-order change of the loss when the part is set to zero (Michel et al. 2019, arXiv:1905.10650; Molchanov et
al. 2019, arXiv:1906.10771). `magnitude` ranks by the norm of the weights instead, needs no data, and is the baseline.
What is left is sliced out of the matrices: the same answers as a mask would give, for less work.

Vocabulary pruning keeps the pieces that the training texts use (and all single characters and special pieces, so that
every text still has one): the embedding table is half of a small encoder, and a kept piece keeps its row, so texts
of kept pieces get the very same answers. Layers may also share their weights (Lan et al. 2020, arXiv:1909.11942):
consecutive layers are averaged into groups and learn as one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

import torch
from tokenizers import Tokenizer
from torch import Tensor, nn

from training.network.encoder_surgery import (
    head_magnitudes,
    keep_embedding_rows,
    keep_heads,
    keep_layers,
    keep_neurons,
    largest_indices,
    layers_of,
    neuron_magnitudes,
)
from training.recipe import PruneRecipe, RecipeError

# Gives the loss of the next batch, with its graph.
NextLoss = Callable[[], Tensor]


@dataclass(frozen=True)
class Importance:
    """How much each part matters: heads and neurons per layer, and each layer as a whole."""

    heads: tuple[Tensor, ...]
    neurons: tuple[Tensor, ...]

    @property
    def layers(self) -> Tensor:
        """A layer matters as much as its parts together."""
        return torch.stack([h.sum() + n.sum() for h, n in zip(self.heads, self.neurons, strict=True)])


def magnitude_importance(encoder: nn.Module) -> Importance:
    """Importance by the norm of the weights."""
    layers = layers_of(encoder)
    return Importance(
        tuple(head_magnitudes(layer) for layer in layers), tuple(neuron_magnitudes(layer) for layer in layers)
    )


def first_order_importance(encoder: nn.Module, *, next_loss: NextLoss, batches: int) -> Importance:
    """Importance by what the loss of `batches` batches would lose; the encoder's weights must be learning."""
    layers = list(layers_of(encoder))
    heads = [torch.zeros(int(cast(Any, layer).attention.self.num_attention_heads)) for layer in layers]
    neurons = [torch.zeros(cast(Any, layer).intermediate.dense.out_features) for layer in layers]
    for _ in range(batches):
        encoder.zero_grad()
        torch.autograd.backward(next_loss())
        for at, layer in enumerate(layers):
            heads[at] += _head_importance(layer) / batches
            neurons[at] += _neuron_importance(layer) / batches
    encoder.zero_grad()
    return Importance(tuple(heads), tuple(neurons))


def _first_order_terms(parameter: nn.Parameter) -> Tensor:
    assert parameter.grad is not None, "the encoder must be learning"
    return (parameter.detach() * parameter.grad).float()


def _head_importance(layer: nn.Module) -> Tensor:
    attention = cast(Any, layer).attention
    out = _first_order_terms(attention.output.dense.weight).sum(dim=0)
    return out.reshape(int(attention.self.num_attention_heads), -1).sum(dim=1).abs()


def _neuron_importance(layer: nn.Module) -> Tensor:
    return _first_order_terms(cast(Any, layer).output.dense.weight).sum(dim=0).abs()


def prune(encoder: nn.Module, *, importance: Importance, recipe: PruneRecipe) -> None:
    """Take away the least important layers, heads and neurons, so that the recipe's shares of each are left.

    At least one of each stays; every layer keeps as many neurons and heads as its neighbours.
    """
    layers = list(layers_of(encoder))
    for at, layer in enumerate(layers):
        keep_heads(layer, chosen=_most_important(importance.heads[at], share=recipe.heads))
        keep_neurons(layer, chosen=_most_important(importance.neurons[at], share=recipe.neurons))
    keep_layers(encoder, chosen=_most_important(importance.layers, share=recipe.layers).tolist())


def _most_important(values: Tensor, *, share: float) -> Tensor:
    return largest_indices(values, n=max(1, round(len(values) * share)))


@contextmanager
def masked(encoder: nn.Module, *, importance: Importance, recipe: PruneRecipe) -> Any:
    """For comparison: the encoder with the same heads and neurons multiplied by zero instead of taken away."""
    hooks = []
    for at, layer in enumerate(layers_of(encoder)):
        parts = cast(Any, layer)
        size = int(parts.attention.self.attention_head_size)
        heads = _mask(importance.heads[at], share=recipe.heads).repeat_interleave(size)
        neurons = _mask(importance.neurons[at], share=recipe.neurons)
        hooks += [_silence(parts.attention.output.dense, mask=heads), _silence(parts.output.dense, mask=neurons)]
    yield
    for hook in hooks:
        hook.remove()


def _mask(values: Tensor, *, share: float) -> Tensor:
    mask = torch.zeros(len(values))
    mask[_most_important(values, share=share)] = 1.0
    return mask


def _silence(module: nn.Module, *, mask: Tensor) -> Any:
    return module.register_forward_pre_hook(lambda _, given: (given[0] * mask, *given[1:]))


def share_layers(encoder: nn.Module, *, group: int) -> None:
    """Let every `group` consecutive layers be one: its weights start as their average and are stored once."""
    layers = layers_of(encoder)
    for start in range(0, len(layers), group):
        members = list(layers[start : start + group])
        shapes = [[value.shape for value in member.parameters()] for member in members]
        if any(other != shapes[0] for other in shapes):
            raise RecipeError("Layers of unequal size cannot share their weights: prune without sharing, or the other.")
        with torch.no_grad():
            for values in zip(*(member.parameters() for member in members), strict=True):
                values[0].copy_(torch.stack([value.detach() for value in values]).mean(dim=0))
        for at in range(start, start + len(members)):
            layers[at] = members[0]


# --- vocabulary ---------------------------------------------------------------------------------------------


def choose_pieces(tokenizer: Tokenizer, *, rows: Iterable[Sequence[int]], at_least: int) -> list[int]:
    """Ids of the pieces that stay, rising: used at least so often in `rows`, special, or a single character."""
    counts: dict[int, int] = {}
    for row in rows:
        for piece in row:
            counts[int(piece)] = counts.get(int(piece), 0) + 1
    vocabulary = tokenizer.get_vocab(with_added_tokens=True)
    special = _special_pieces(json.loads(tokenizer.to_str()))
    return sorted(
        number
        for piece, number in vocabulary.items()
        if counts.get(number, 0) >= at_least or piece in special or len(piece.removeprefix("##")) == 1
    )


def _special_pieces(row: Any) -> set[str]:
    """Added pieces, the unknown one and those that the template puts around a text."""
    added = {token["content"] for token in row["added_tokens"]}
    return {*added, *_template_pieces(row), row["model"].get("unk_token")}


def prune_vocabulary(encoder: nn.Module, *, tokenizer: Tokenizer, kept: Sequence[int]) -> Tokenizer:
    """Take the other pieces out of the encoder's table and return the tokenizer that goes with it.

    Works for WordPiece tokenizers (BERT's): their longest match needs the list of pieces alone. Raises RecipeError.
    """
    row = json.loads(tokenizer.to_str())
    if row["model"].get("type") != "WordPiece":
        raise RecipeError(f"Only WordPiece vocabularies can be pruned, not {row['model'].get('type')}.")
    new = {old: at for at, old in enumerate(kept)}
    row["model"]["vocab"] = {piece: new[old] for piece, old in row["model"]["vocab"].items() if old in new}
    for token in row["added_tokens"]:
        token["id"] = new[token["id"]]
    for entry in _template_pieces(row).values():
        entry["ids"] = [new[old] for old in entry["ids"]]
    row["padding"] = None
    keep_embedding_rows(encoder, chosen=torch.tensor(list(kept)))
    return Tokenizer.from_str(json.dumps(row))


def _template_pieces(row: Any) -> dict[str, dict[str, Any]]:
    """The special pieces of the template that stands around a text, by name."""
    post = row.get("post_processor") or {}
    if post.get("type") == "BertProcessing":
        raise RecipeError("A tokenizer with BertProcessing names ids by itself; save it as a template first.")
    found: dict[str, dict[str, Any]] = post.get("special_tokens", {})
    return found
