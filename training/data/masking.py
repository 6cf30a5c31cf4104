"""Token masking: in training a share of a text's tokens is hidden behind [MASK], anew each time it comes.

    x'_i = [MASK] with probability p, else x_i            for every token but the special ones

A network that has learnt its rows by heart can no longer know them by one word; the label has to follow from what is
left (word dropout, Iyyer et al. 2015; token cutoff, Shen et al. 2020, arXiv:2009.13818). It costs nothing in a step.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np
import torch
from tokenizers import Tokenizer

from training.data.batching import Batch

_SPECIAL = ("[CLS]", "[SEP]", "[PAD]", "[UNK]", "<s>", "</s>", "<pad>", "<unk>")
_MASKS = ("[MASK]", "<mask>")


@dataclass(frozen=True)
class Masking:
    """The id that hides a token, and the ids that are never hidden."""

    mask_id: int
    kept: Collection[int]

    def hide(self, batch: Batch, *, share: float) -> Batch:
        """The batch with about `share` of its tokens hidden, drawn from torch's random state."""
        if not share:
            return batch
        drawn = torch.rand(batch.ids.shape).numpy() < share
        hidden = drawn & ~np.isin(batch.ids, list(self.kept))
        return replace(batch, ids=np.where(hidden, self.mask_id, batch.ids))


def masking_of(tokenizer: Tokenizer) -> Masking | None:
    """How this tokenizer's tokens are hidden; None where it has no token for that."""
    mask = next((found for name in _MASKS if (found := tokenizer.token_to_id(name)) is not None), None)
    special = [tokenizer.token_to_id(name) for name in _SPECIAL]
    return None if mask is None else Masking(mask, frozenset(found for found in special if found is not None))
