"""LoRA: the encoder stays frozen, each linear layer learns a low-rank change (Hu et al. 2021, arXiv:2106.09685).

    y = x (W + s B A)^T + b,   A [r, in], B [out, r],   s = alpha / r   (rsLoRA: alpha / sqrt(r))

PEFT owns the layers and the file format. `fuse` only computes them differently while training: s B A is added to W
once a step, so the forward and the gradient towards x each cost one matrix product instead of three, and only the
gradients of A and B use the thin matrices:

    dx = dy (W + s B A),   dB = s dy^T (x A^T),   dA = s (dy B)^T x
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any, cast

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from peft.tuners.lora import Linear as LoraLinear
from torch import Tensor, nn

from training.recipe import LoraRecipe, RecipeError

ADAPTER = "default"


def attach_adapter(encoder: nn.Module, *, recipe: LoraRecipe) -> PeftModel:
    """Put an adapter on the encoder's linear layers; its weights are float32 whatever the encoder's are."""
    config = LoraConfig(
        r=recipe.rank,
        lora_alpha=cast(Any, recipe.alpha),
        lora_dropout=recipe.dropout,
        use_rslora=recipe.rslora,
        use_dora=recipe.dora,
        target_modules=list(_target_names(encoder, wanted=recipe.targets)),
        bias="none",
    )
    return get_peft_model(cast(Any, encoder), config)


def _target_names(encoder: nn.Module, *, wanted: tuple[str, ...]) -> Iterator[str]:
    names = [name for name, module in encoder.named_modules() if isinstance(module, nn.Linear)]
    chosen = [name for name in names if not wanted or name.endswith(wanted)]
    if not chosen:
        raise RecipeError(f"lora.targets {list(wanted)} match no linear layer of the encoder; it has: {names[:8]} …")
    yield from chosen


class _FusedLinear(torch.autograd.Function):
    """The linear layer of the module's docstring; x [..., in], W [out, in] frozen."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, a: Tensor, b: Tensor, scale: float) -> Tensor:
        a, b = a.to(x.dtype), b.to(x.dtype)
        merged = torch.addmm(weight, b, a, alpha=scale)
        ctx.save_for_backward(x, merged, a, b)
        ctx.scale = scale
        return nn.functional.linear(x, merged, bias)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        x, merged, a, b = ctx.saved_tensors
        dy = grads[0].reshape(-1, merged.shape[0])
        flat = x.reshape(-1, merged.shape[1])
        dx = (dy @ merged).view_as(x) if ctx.needs_input_grad[0] else None
        # As [r, out]: the product of two wide rows is faster than that of two tall columns.
        db = ((flat @ a.t()).t() @ dy).t().float().mul_(ctx.scale)
        da = ((dy @ b).t() @ flat).float().mul_(ctx.scale)
        return dx, None, None, da, db, None


def fuse_layers(model: nn.Module) -> int:
    """Make every LoRA layer compute the fused form; returns how many. Layers with dropout or DoRA stay PEFT's."""
    layers = [module for module in model.modules() if isinstance(module, LoraLinear) and _is_fusable(module)]
    for layer in layers:
        vars(layer)["forward"] = partial(_fused_forward, layer)
    return len(layers)


def _is_fusable(layer: LoraLinear) -> bool:
    return isinstance(layer.lora_dropout[ADAPTER], nn.Identity) and not layer.use_dora.get(ADAPTER, False)


def _fused_forward(layer: LoraLinear, x: Tensor) -> Tensor:
    base = cast(nn.Linear, layer.get_base_layer())
    a, b = layer.lora_A[ADAPTER].weight, layer.lora_B[ADAPTER].weight
    result: Tensor = cast(Any, _FusedLinear).apply(x, base.weight, base.bias, a, b, layer.scaling[ADAPTER])
    return result
