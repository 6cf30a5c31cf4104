"""Token masking: every time a training text is read, [MASK] replaces a random share of its tokens.

    x'_i = [MASK] with probability p, else x_i            for every token except the special ones

The network cannot memorise a text by a single word; the rest of the text has to determine the label (word dropout,
Iyyer et al. 2015; token cutoff, Shen et al. 2020, arXiv:2009.13818). Masking adds no measurable time to a step.
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
    """The id of the mask token, and the ids of the tokens that are never masked."""

    mask_id: int
    kept: Collection[int]

    def mask_tokens(self, batch: Batch, *, share: float) -> Batch:
        """Mask each token with probability `share`, drawn from torch's random state; return the new batch."""
        if not share:
            return batch
        drawn = torch.rand(batch.ids.shape).numpy() < share
        hidden = drawn & ~np.isin(batch.ids, list(self.kept))
        return replace(batch, ids=np.where(hidden, self.mask_id, batch.ids))


def make_masking(tokenizer: Tokenizer) -> Masking | None:
    """Return the masking for a tokenizer, None when its vocabulary has no mask token."""
    mask = next((found for name in _MASKS if (found := tokenizer.token_to_id(name)) is not None), None)
    special = [tokenizer.token_to_id(name) for name in _SPECIAL]
    return None if mask is None else Masking(mask, frozenset(found for found in special if found is not None))
