"""Quantisation-aware training: train with weights and inputs rounded as int8 will round them.

    q(w) = s clamp(round(w / s), -127, 127),   s = max |w| / 127        one scale per output row of a weight matrix,
                                                                        one per layer for its inputs
    dq/dw = 1                                                           (straight-through estimator)

Weights and inputs of every linear layer pass through q in each step, so that the network adapts to the rounding
(Jacob et al. 2018, arXiv:1712.05877; Bengio et al. 2013, arXiv:1308.3432). After training the weights are replaced by
their rounded values; post-training quantisation then finds the same scales and leaves them unchanged. It is worth its
cost when post-training quantisation alone loses more than 0.3 points.
"""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

LEVELS = 127
# Weight of a new batch in the moving average of the inputs' range.
RANGE_MOMENTUM = 0.05


def fake_quantise(values: Tensor, *, limit: Tensor) -> Tensor:
    """Round values to the int8 grid of the range [-limit, limit]; the gradient is that of the identity."""
    scale = limit.clamp(min=1e-8) / LEVELS
    found = (values / scale).round().clamp(-LEVELS, LEVELS) * scale
    return values + (found - values).detach()


class _FakeQuantisedWeight(nn.Module):
    """Parametrization that rounds a weight [out, in] with one scale per row."""

    def forward(self, weight: Tensor) -> Tensor:
        return fake_quantise(weight, limit=weight.detach().abs().amax(dim=1, keepdim=True))


class _FakeQuantisedInput:
    """Forward pre-hook that rounds a layer's input; the range is a moving average over the training batches."""

    def __call__(self, module: nn.Module, given: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        limit = cast(Tensor, module.input_range)
        if module.training:
            now = given[0].detach().abs().amax().to(limit.dtype)
            limit.copy_(torch.where(limit == 0, now, (1 - RANGE_MOMENTUM) * limit + RANGE_MOMENTUM * now))
        return (fake_quantise(given[0], limit=limit.to(given[0].dtype)), *given[1:])


def add_fake_quantisation(encoder: nn.Module) -> None:
    """Make every linear layer of the encoder round its weights and inputs to int8."""
    for layer in _linear_layers(encoder):
        parametrize.register_parametrization(layer, "weight", _FakeQuantisedWeight())
        layer.register_buffer("input_range", torch.zeros(()), persistent=False)
        cast(Any, layer).rounding = layer.register_forward_pre_hook(_FakeQuantisedInput())


def remove_fake_quantisation(encoder: nn.Module) -> None:
    """Turn the layers into plain linear layers again, with the rounded weights."""
    for layer in _linear_layers(encoder):
        if parametrize.is_parametrized(layer, "weight"):
            parametrize.remove_parametrizations(layer, "weight", leave_parametrized=True)
            cast(Any, layer).rounding.remove()
            del layer.input_range, layer.rounding


def _linear_layers(encoder: nn.Module) -> list[nn.Linear]:
    return [module for module in encoder.modules() if isinstance(module, nn.Linear)]
