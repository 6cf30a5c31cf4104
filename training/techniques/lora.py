"""LoRA: the encoder is frozen, and each linear layer learns a low-rank update (Hu et al. 2021, arXiv:2106.09685).

    y = x (W + s B A)^T + b,   A [r, in], B [out, r],   s = alpha / r   (rsLoRA: alpha / sqrt(r))

PEFT provides the layers and the file format. `fuse_layers` makes training faster and changes no result: it adds s B A
to W once per step, so that y and dx cost one matrix product each instead of three:

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
    """Add an adapter with float32 weights to the encoder's linear layers. Raises RecipeError if no layer matches."""
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
    """The linear layer of the module's docstring for x [..., in] and a frozen W [out, in]."""

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
        # Computed as [r, out] and transposed: this layout is the faster one.
        db = ((flat @ a.t()).t() @ dy).t().float().mul_(ctx.scale)
        da = ((dy @ b).t() @ flat).float().mul_(ctx.scale)
        return dx, None, None, da, db, None


def fuse_layers(model: nn.Module) -> int:
    """Make LoRA layers compute the fused form and return their number; layers with dropout or DoRA keep PEFT's form."""
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
