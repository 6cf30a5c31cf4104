"""Masking tokens in training."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from training.data.batching import Batch
from training.data.encoding import open_tokenizer
from training.data.masking import Masking, make_masking

MASKING = Masking(mask_id=4, kept=frozenset({0, 2, 3}))


def _batch(rows: int = 200) -> Batch:
    ids = np.tile(np.array([2, 10, 11, 12, 13, 3, 0, 0], dtype=np.int64), (rows, 1))
    return Batch(
        ids, (ids != 0).astype(np.int64), np.zeros((rows, 2), np.int64), np.zeros(rows, np.int64), np.arange(rows)
    )


def test_a_share_of_zero_changes_nothing() -> None:
    batch = _batch()
    assert MASKING.mask_tokens(batch, share=0.0) is batch


def test_about_the_share_is_hidden_and_special_tokens_never() -> None:
    torch.manual_seed(0)
    hidden = MASKING.mask_tokens(_batch(), share=0.25)
    words = hidden.ids[:, 1:5]
    assert 0.2 < (words == 4).mean() < 0.3
    assert (hidden.ids[:, [0, 5, 6, 7]] == [2, 3, 0, 0]).all()
    assert (np.where(words == 4, _batch().ids[:, 1:5], words) == _batch().ids[:, 1:5]).all()


def test_each_time_other_tokens_are_hidden() -> None:
    torch.manual_seed(0)
    first, second = (MASKING.mask_tokens(_batch(), share=0.25).ids for _ in range(2))
    assert (first != second).any()


def test_the_ids_are_the_tokenizers(encoder: Path) -> None:
    tokenizer = open_tokenizer(str(encoder / "tokenizer.json"), max_length=32)
    found = make_masking(tokenizer)
    assert found is not None
    assert found.mask_id == tokenizer.token_to_id("[MASK]")
    assert {tokenizer.token_to_id("[CLS]"), tokenizer.token_to_id("[SEP]")} <= set(found.kept)
