"""Attention for training on a CPU: plain matrix products and a float32 softmax.

    out = softmax(s Q K^T + mask) V          Q, K, V [B, heads, L, d]

On the CPU the backward pass of PyTorch's fused attention is slow at small head sizes, and its bfloat16 softmax is
slower than a float32 softmax with two conversions.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.masking_utils import eager_mask

NAME = "bellwether_cpu"


def attention(
    module: nn.Module, query: Tensor, key: Tensor, value: Tensor, attention_mask: Tensor | None, **options: Any
) -> tuple[Tensor, None]:
    """Return the attention output [B, L, heads, d], as transformers expects it; the option `scaling` is s."""
    scaling = options.get("scaling") or query.shape[-1] ** -0.5
    logits = (query * scaling) @ key.transpose(-1, -2)
    if attention_mask is not None:
        logits = logits + attention_mask
    shares = torch.softmax(logits, dim=-1, dtype=torch.float32).to(value.dtype)
    return (shares @ value).transpose(1, 2).contiguous(), None


AttentionInterface.register(NAME, attention)
AttentionMaskInterface.register(NAME, eager_mask)
