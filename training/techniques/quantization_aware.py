"""Quantisation-aware fine-tuning: the network learns while it already computes as if it were int8.

    q(w) = s clamp(round(w / s), -127, 127),   s = max |w| / 127        a scale per output row for weights,
                                                                        one per layer for what goes in
    dq/dw = 1                                                           (straight through)

Weights and inputs of every linear layer pass through q in each step, so that what is learned survives the rounding
(Jacob et al. 2018, arXiv:1712.05877; Bengio et al. 2013, arXiv:1308.3432). Afterwards `bake` leaves weights that lie on
their grid: post-training quantisation finds the same scales and changes them no more. Worth its cost where
post-training quantisation alone loses more than 0.3 points.
"""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

LEVELS = 127
# How much of a new batch's range goes into the range that inputs are rounded by.
RANGE_MOMENTUM = 0.05


def fake_quantise(values: Tensor, *, limit: Tensor) -> Tensor:
    """Values as int8 with the range `limit` would hold them; the gradient passes as if nothing had happened."""
    scale = limit.clamp(min=1e-8) / LEVELS
    found = (values / scale).round().clamp(-LEVELS, LEVELS) * scale
    return values + (found - values).detach()


class _FakeQuantisedWeight(nn.Module):
    """A weight [out, in] rounded row by row."""

    def forward(self, weight: Tensor) -> Tensor:
        return fake_quantise(weight, limit=weight.detach().abs().amax(dim=1, keepdim=True))


class _FakeQuantisedInput:
    """Rounds what goes into a layer by a range that follows the batches in training."""

    def __call__(self, module: nn.Module, given: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        limit = cast(Tensor, module.input_range)
        if module.training:
            now = given[0].detach().abs().amax().to(limit.dtype)
            limit.copy_(torch.where(limit == 0, now, (1 - RANGE_MOMENTUM) * limit + RANGE_MOMENTUM * now))
        return (fake_quantise(given[0], limit=limit.to(given[0].dtype)), *given[1:])


def add_fake_quantisation(encoder: nn.Module) -> None:
    """Make every linear layer of the encoder compute as if it were int8."""
    for layer in _linear_layers(encoder):
        parametrize.register_parametrization(layer, "weight", _FakeQuantisedWeight())
        layer.register_buffer("input_range", torch.zeros(()), persistent=False)
        cast(Any, layer).rounding = layer.register_forward_pre_hook(_FakeQuantisedInput())


def remove_fake_quantisation(encoder: nn.Module) -> None:
    """Leave plain linear layers whose weights are the rounded ones."""
    for layer in _linear_layers(encoder):
        if parametrize.is_parametrized(layer, "weight"):
            parametrize.remove_parametrizations(layer, "weight", leave_parametrized=True)
            cast(Any, layer).rounding.remove()
            del layer.input_range, layer.rounding


def _linear_layers(encoder: nn.Module) -> list[nn.Linear]:
    return [module for module in encoder.modules() if isinstance(module, nn.Linear)]
