"""Structured pruning: remove whole attention heads, feed-forward neurons and layers from the weight matrices.

    importance of a part = |sum over its weights of  w * dL/dw|      averaged over batches of training rows

This is the first-order change of the loss when the part is set to zero (Michel et al. 2019, arXiv:1905.10650; Molchanov
et al. 2019, arXiv:1906.10771). Importance by `magnitude`, the norm of the weights, needs no data and is the baseline.
The pruned encoder gives the same outputs as one whose unimportant parts are multiplied by zero, and is faster.

Vocabulary pruning keeps the word pieces that occur in the training texts, all single characters and the special pieces,
so that every text can still be tokenised. The embedding table is half of a small encoder. Kept pieces keep their
embeddings: a text of kept pieces has the same output as before.

Weight sharing (Lan et al. 2020, arXiv:1909.11942) replaces each group of consecutive layers by their average, which is
then trained as one layer.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
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

# Returns the loss of the next batch, ready for backward().
NextLoss = Callable[[], Tensor]


@dataclass(frozen=True)
class Importance:
    """Importance of the attention heads and of the feed-forward neurons of each layer."""

    heads: tuple[Tensor, ...]
    neurons: tuple[Tensor, ...]

    @property
    def layers(self) -> Tensor:
        """Importance of each layer: the sum over its heads and neurons."""
        return torch.stack([h.sum() + n.sum() for h, n in zip(self.heads, self.neurons, strict=True)])


def magnitude_importance(encoder: nn.Module) -> Importance:
    """Return importance by the norm of the weights."""
    layers = layers_of(encoder)
    return Importance(
        tuple(head_magnitudes(layer) for layer in layers), tuple(neuron_magnitudes(layer) for layer in layers)
    )


def first_order_importance(encoder: nn.Module, *, next_loss: NextLoss, batches: int) -> Importance:
    """Return first-order importance, averaged over `batches` batches; the encoder's weights must require gradients."""
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
    """Remove the least important heads and neurons of every layer, then the least important layers.

    The recipe's shares of each are kept, and at least one; all layers keep the same number of heads and neurons.
    """
    layers = list(layers_of(encoder))
    for at, layer in enumerate(layers):
        keep_heads(layer, chosen=_most_important(importance.heads[at], share=recipe.heads))
        keep_neurons(layer, chosen=_most_important(importance.neurons[at], share=recipe.neurons))
    keep_layers(encoder, chosen=_most_important(importance.layers, share=recipe.layers).tolist())


def _most_important(values: Tensor, *, share: float) -> Tensor:
    return largest_indices(values, n=max(1, round(len(values) * share)))


def share_layers(encoder: nn.Module, *, group: int) -> None:
    """Replace every `group` consecutive layers by one shared layer with their average weights.

    Raises RecipeError when the layers have different sizes.
    """
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
    """Return the sorted ids of pieces that occur `at_least` times in `rows`, special pieces and single characters."""
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
    """Return added pieces, the unknown piece, and the pieces that the template puts around a text."""
    added = {token["content"] for token in row["added_tokens"]}
    return {*added, *_template_pieces(row), row["model"].get("unk_token")}


def prune_vocabulary(encoder: nn.Module, *, tokenizer: Tokenizer, kept: Sequence[int]) -> Tokenizer:
    """Remove all other pieces from the encoder's embedding table and return the tokenizer with the new ids.

    Raises RecipeError unless the tokenizer is a WordPiece tokenizer: only those need nothing but a list of pieces.
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


def _template_pieces(row: Any) -> dict[str, Any]:
    """Return the special pieces that the tokenizer's template puts around a text, by name."""
    post = row.get("post_processor") or {}
    if post.get("type") == "BertProcessing":
        raise RecipeError("A tokenizer with BertProcessing names ids by itself; save it as a template first.")
    return dict(post.get("special_tokens", {}))
