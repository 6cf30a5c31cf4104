"""Remove layers, heads, neurons, channels or embeddings of an encoder, and save and load encoders of any such shape.

Removing a part slices it out of the weight matrices, so that it costs no computation any more; no masks are used. An
encoder is saved as one safetensors file with its configuration in the metadata; on loading, the shapes of the weights
determine the modules. Removal needs an encoder with BERT's module structure (BERT, RoBERTa, XLM-R, MiniLM); saving and
loading work for every model family.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from transformers import AutoConfig, AutoModel

from training.recipe import RecipeError

HEAD_SIZE = "head_size"


def save_encoder(encoder: nn.Module, *, path: Path, dtype: torch.dtype = torch.float32) -> None:
    """Write weights and configuration to a safetensors file; weights that several layers share are written once."""
    first: dict[int, str] = {}
    weights: dict[str, Tensor] = {}
    shared: dict[str, str] = {}
    for name, value in encoder.state_dict().items():
        kept = first.setdefault(value.data_ptr(), name)
        if kept == name:
            weights[name] = value.detach().to(dtype).contiguous()
        else:
            shared[name] = kept
    config = cast(Any, encoder).config.to_dict() | {HEAD_SIZE: _head_size(encoder)}
    save_file(weights, path, metadata={"config": json.dumps(config, default=str), "shared": json.dumps(shared)})


def open_encoder(path: Path, *, attention: str = "eager") -> nn.Module:
    """Load a float32 encoder that `save_encoder` wrote; `attention` names transformers' attention implementation."""
    with safe_open(path, framework="pt") as file:
        about = file.metadata()
        weights = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118
    config, shared = json.loads(about["config"]), json.loads(about["shared"])
    encoder = cast(
        nn.Module, cast(Any, AutoModel).from_config(_encoder_config(config), attn_implementation=attention)
    ).float()
    if getattr(encoder, "pooler", None) is not None:
        cast(Any, encoder).pooler = None
    _resize_modules(encoder, weights=weights | {name: weights[kept] for name, kept in shared.items()})
    for layer in _bert_layers(encoder):
        _set_head_size(layer, size=config[HEAD_SIZE])
    _tie_weights(encoder, shared=shared)
    return encoder


def _encoder_config(row: dict[str, Any]) -> Any:
    """Return a configuration that passes transformers' checks, although the heads of a pruned encoder need not divide
    its width."""
    known = {name: value for name, value in row.items() if name not in (HEAD_SIZE, "dtype", "torch_dtype")}
    if known.get("hidden_size", 0) % known.get("num_attention_heads", 1):
        known["num_attention_heads"] = 1
    return AutoConfig.for_model(**known)


def _resize_modules(encoder: nn.Module, *, weights: Mapping[str, Tensor]) -> None:
    for name, module in list(encoder.named_modules()):
        wanted = weights.get(f"{name}.weight")
        if wanted is not None and cast(Tensor, module.weight).shape != wanted.shape:
            _replace_module(encoder, name=name, module=_module_like(module, weight=wanted))
    encoder.load_state_dict(weights)


def _module_like(module: nn.Module, *, weight: Tensor) -> nn.Module:
    """Return a new module of the same type with the shape of `weight`."""
    if isinstance(module, nn.Linear):
        return nn.Linear(weight.shape[1], weight.shape[0], bias=module.bias is not None)
    if isinstance(module, nn.Embedding):
        return nn.Embedding(weight.shape[0], weight.shape[1], padding_idx=module.padding_idx)
    return nn.LayerNorm(weight.shape[0], eps=cast(nn.LayerNorm, module).eps)


def _replace_module(encoder: nn.Module, *, name: str, module: nn.Module) -> None:
    parent, _, last = name.rpartition(".")
    setattr(encoder.get_submodule(parent), last, module)


def _tie_weights(encoder: nn.Module, *, shared: Mapping[str, str]) -> None:
    for name, kept in shared.items():
        parent, _, last = name.rpartition(".")
        holder, _, kind = kept.rpartition(".")
        setattr(encoder.get_submodule(parent), last, getattr(encoder.get_submodule(holder), kind))


# --- surgery ------------------------------------------------------------------------------------------------


def layers_of(encoder: nn.Module) -> nn.ModuleList:
    """Return the layers of an encoder with BERT's module structure; raises RecipeError for any other encoder."""
    found = _bert_layers(encoder)
    if not len(found):
        kind = getattr(cast(Any, encoder).config, "model_type", "unknown")
        raise RecipeError(f"Encoders of the family {kind} cannot be cut: only those in BERT's form can.")
    return found


def _bert_layers(encoder: nn.Module) -> nn.ModuleList:
    found = getattr(getattr(encoder, "encoder", None), "layer", None)
    is_bert = isinstance(found, nn.ModuleList) and all(_has_module(layer, "attention.self.query") for layer in found)
    return cast(nn.ModuleList, found) if is_bert else nn.ModuleList()


def _has_module(module: nn.Module, path: str) -> bool:
    return path in {name for name, _ in module.named_modules()}


def _head_size(encoder: nn.Module) -> int:
    layers = _bert_layers(encoder)
    return int(cast(Any, layers[0]).attention.self.attention_head_size) if len(layers) else 0


def _set_head_size(layer: nn.Module, *, size: int) -> None:
    attention = cast(Any, layer).attention.self
    attention.attention_head_size, attention.scaling = size, size**-0.5
    attention.all_head_size = attention.query.out_features
    attention.num_attention_heads = attention.all_head_size // size


def keep_layers(encoder: nn.Module, *, chosen: Sequence[int]) -> None:
    """Keep only these layers, counted from 0. Raises RecipeError when the encoder has no such layer."""
    layers = layers_of(encoder)
    if not chosen or max(chosen) >= len(layers):
        raise RecipeError(f"The layers {list(chosen)} cannot be kept: the encoder has {len(layers)}, counted from 0.")
    cast(Any, encoder).encoder.layer = nn.ModuleList([layers[at] for at in chosen])
    cast(Any, encoder).config.num_hidden_layers = len(chosen)


def keep_neurons(layer: nn.Module, *, chosen: Tensor) -> None:
    """Keep only these feed-forward neurons of a layer."""
    parts = cast(Any, layer)
    parts.intermediate.dense = _slice_linear(parts.intermediate.dense, rows=chosen)
    parts.output.dense = _slice_linear(parts.output.dense, columns=chosen)


def keep_heads(layer: nn.Module, *, chosen: Tensor) -> None:
    """Keep only these attention heads of a layer, at least one."""
    attention = cast(Any, layer).attention
    size = int(attention.self.attention_head_size)
    rows = (chosen[:, None] * size + torch.arange(size)).flatten()
    for name in ("query", "key", "value"):
        setattr(attention.self, name, _slice_linear(getattr(attention.self, name), rows=rows))
    attention.output.dense = _slice_linear(attention.output.dense, columns=rows)
    _set_head_size(layer, size=size)


def keep_channels(encoder: nn.Module, *, chosen: Tensor) -> None:
    """Keep only these hidden channels, in embeddings, layer norms, and inputs and outputs of every layer."""
    layers_of(encoder)
    reads = ("query", "key", "value", "intermediate.dense")
    for name, module in list(encoder.named_modules()):
        if isinstance(module, nn.Embedding):
            _replace_module(encoder, name=name, module=_module_with(module, weight=module.weight[:, chosen]))
        elif isinstance(module, nn.LayerNorm):
            _replace_module(
                encoder, name=name, module=_module_with(module, weight=module.weight[chosen], bias=module.bias[chosen])
            )
        elif isinstance(module, nn.Linear):
            side = {"columns": chosen} if name.endswith(reads) else {"rows": chosen}
            _replace_module(encoder, name=name, module=_slice_linear(module, **side))
    cast(Any, encoder).config.hidden_size = len(chosen)


def keep_embedding_rows(encoder: nn.Module, *, chosen: Tensor) -> None:
    """Keep only these rows of the word embeddings; the padding row must be among them."""
    table = cast(nn.Embedding, cast(Any, encoder).get_input_embeddings())
    smaller = nn.Embedding(len(chosen), table.embedding_dim)
    smaller.weight = nn.Parameter(table.weight.detach()[chosen].clone())
    if table.padding_idx is not None:
        smaller.padding_idx = int((chosen == table.padding_idx).nonzero()[0])
        cast(Any, encoder).config.pad_token_id = smaller.padding_idx
    cast(Any, encoder).set_input_embeddings(smaller)
    cast(Any, encoder).config.vocab_size = len(chosen)


def _slice_linear(module: nn.Linear, *, rows: Tensor | None = None, columns: Tensor | None = None) -> nn.Linear:
    weight, bias = module.weight.detach(), module.bias.detach()
    if rows is not None:
        weight, bias = weight[rows], bias[rows]
    if columns is not None:
        weight = weight[:, columns]
    return cast(nn.Linear, _module_with(module, weight=weight, bias=bias))


def _module_with(module: nn.Module, *, weight: Tensor, bias: Tensor | None = None) -> nn.Module:
    made = cast(Any, _module_like(module, weight=weight))
    made.weight = nn.Parameter(weight.detach().clone())
    if bias is not None:
        made.bias = nn.Parameter(bias.detach().clone())
    return cast(nn.Module, made)


def neuron_magnitudes(layer: nn.Module) -> Tensor:
    """Return each feed-forward neuron's magnitude: the norm of its input weights times that of its output weights."""
    parts = cast(Any, layer)
    return cast(Tensor, (parts.intermediate.dense.weight.norm(dim=1) * parts.output.dense.weight.norm(dim=0)).detach())


def head_magnitudes(layer: nn.Module) -> Tensor:
    """Return each attention head's magnitude: the norm of its value weights times that of its output weights."""
    attention = cast(Any, layer).attention
    count = int(attention.self.num_attention_heads)
    value = attention.self.value.weight.detach().reshape(count, -1).norm(dim=1)
    out = attention.output.dense.weight.detach().t().reshape(count, -1).norm(dim=1)
    return cast(Tensor, value * out)


def largest_indices(values: Tensor, *, n: int) -> Tensor:
    """Return the indices of the `n` largest values in ascending order."""
    return values.topk(min(n, len(values))).indices.sort().values


def embedding_tables(encoder: nn.Module) -> Iterator[Tensor]:
    """Yield the weights of the word, position and type embeddings."""
    for module in encoder.modules():
        if isinstance(module, nn.Embedding):
            yield module.weight
