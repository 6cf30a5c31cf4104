"""Moving validation rows to the training rows for a last run."""

from __future__ import annotations

from models.examples import Example
from training.data.splits import fold_validation

SPLITS = {
    "train": [Example(text=f"t{number}", labels=("a",)) for number in range(10)],
    "validation": [Example(text=f"v{number}", labels=("a",)) for number in range(20)],
    "test": [Example(text="x", labels=("a",))],
}


def test_nothing_is_moved_by_a_share_of_zero() -> None:
    assert fold_validation(SPLITS, share=0.0) == SPLITS


def test_moved_rows_are_trained_on_and_no_longer_validate() -> None:
    found = fold_validation(SPLITS, share=0.7)
    assert len(found["train"]) == 24
    assert len(found["validation"]) == 6
    everything = {row.text for row in SPLITS["train"] + SPLITS["validation"]}
    assert {row.text for row in found["train"] + found["validation"]} == everything
    assert found["test"] == SPLITS["test"]


def test_the_same_rows_are_moved_every_time() -> None:
    assert fold_validation(SPLITS, share=0.5) == fold_validation(SPLITS, share=0.5)
