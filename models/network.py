"""The network in torch: one encoder, and a pooling and a head for each task. The only module of models/ with torch.

hidden [B, L, H] = encoder(ids [B, L], mask [B, L])
mean: pooled [B, H]  = mean of hidden over the row's tokens, [CLS] and [SEP] included
span: pooled [B, 2H] = mean over the target's tokens, concatenated with the row's mean; no target: the mean twice
logits [B, k] = output(dropout(tanh(hidden_layer(pooled)))), where the hidden layer is optional
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from models.labels import Pooling, Task


class Head(nn.Module):
    """A task's head in float32: an optional tanh layer, then the output layer."""

    def __init__(self, width: int, *, labels: int, hidden: int = 0, dropout: float = 0.0) -> None:
        super().__init__()
        self.hidden = nn.Linear(width, hidden) if hidden else None
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(hidden or width, labels)

    def forward(self, pooled: Tensor) -> Tensor:
        """Return the logits [B, k] of pooled rows [B, W]."""
        if self.hidden is not None:
            pooled = torch.tanh(self.hidden(pooled))
        logits: Tensor = self.output(self.dropout(pooled))
        return logits


class Network(nn.Module):
    """Encoder and heads; `encoder` is a Hugging Face encoder, with or without an adapter."""

    def __init__(
        self,
        encoder: nn.Module,
        *,
        tasks: Mapping[str, Task],
        width: int,
        hidden: Mapping[str, int] | None = None,
        dropout: Mapping[str, float] | None = None,
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.tasks = dict(tasks)
        self.heads = nn.ModuleDict(
            {
                name: Head(
                    width * (2 if task.pooling == "span" else 1),
                    labels=len(task.labels),
                    hidden=(hidden or {}).get(name, 0),
                    dropout=(dropout or {}).get(name, 0.0),
                )
                for name, task in tasks.items()
            }
        )

    def encode(self, ids: Tensor, *, mask: Tensor | None = None) -> Tensor:
        """Return the last hidden states [B, L, H]; `mask` None means that no row is padded."""
        hidden: Tensor = self.encoder(input_ids=ids, attention_mask=mask).last_hidden_state
        return hidden

    def classify(self, hidden: Tensor, *, task: str, mask: Tensor | None = None, spans: Tensor | None = None) -> Tensor:
        """Return a task's logits [B, k] (float32) from hidden states; `spans` [B, 2] are token ranges."""
        with torch.autocast(hidden.device.type, enabled=False):
            pooled = pool(hidden.float(), pooling=self.tasks[task].pooling, mask=mask, spans=spans)
            logits: Tensor = self.heads[task](pooled)
        return logits

    def forward(self, ids: Tensor, *, task: str, mask: Tensor | None = None, spans: Tensor | None = None) -> Tensor:
        """Return a task's logits [B, k] for token ids [B, L]."""
        return self.classify(self.encode(ids, mask=mask), task=task, mask=mask, spans=spans)


def pool(hidden: Tensor, *, pooling: Pooling, mask: Tensor | None = None, spans: Tensor | None = None) -> Tensor:
    """Pool hidden states [B, L, H] to [B, H] (mean) or [B, 2H] (span: the target's mean, then the row's mean)."""
    mean = hidden.mean(dim=1) if mask is None else _weighted(hidden, weights=mask)
    if pooling == "mean":
        return mean
    if spans is None:
        return torch.cat([mean, mean], dim=-1)
    places = torch.arange(hidden.shape[1], device=hidden.device)
    inside = (places >= spans[:, :1]) & (places < spans[:, 1:])
    return torch.cat([_weighted(hidden, weights=inside), mean], dim=-1)


def _weighted(hidden: Tensor, *, weights: Tensor) -> Tensor:
    shares = weights.to(hidden.dtype)
    shares = shares / shares.sum(dim=1, keepdim=True).clamp(min=1e-9)
    return torch.einsum("blh,bl->bh", hidden, shares)
