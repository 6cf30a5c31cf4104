from __future__ import annotations

import random

import pytest

from models.examples import Example
from models.labels import make_task
from training.data.augmentation import NOISES, add_noise, augment
from training.data.tasks import TaskData
from training.recipe import AUGMENTATIONS

TEXT = "Please tell Apple Inc about your modern clinic account, because people want something"
ROW = Example(TEXT, ("neutral",), target="Apple Inc", span=(12, 21), split="train")


def test_every_kind_that_a_recipe_may_name_is_there() -> None:
    assert tuple(NOISES) == AUGMENTATIONS


@pytest.mark.parametrize("kind", AUGMENTATIONS)
def test_noise_changes_the_text_but_neither_target_nor_label(kind: str) -> None:
    copies = [add_noise(ROW, kind=kind, rng=random.Random(seed)) for seed in range(20)]
    assert sum(copy.text != TEXT for copy in copies) >= 15
    for copy in copies:
        assert copy.span is not None
        assert copy.text[slice(*copy.span)] == "Apple Inc"
        assert copy.labels == ROW.labels
    assert copies[3] == add_noise(ROW, kind=kind, rng=random.Random(3))


def test_slang_and_ocr_write_what_people_and_scanners_write() -> None:
    slang = add_noise(Example("thanks for your message", ("a",)), kind="slang", rng=random.Random(0)).text
    assert slang.split()[1:] == ["4", "ur", "msg"]
    words = {add_noise(Example("modern", ("a",)), kind="ocr", rng=random.Random(seed)).text for seed in range(400)}
    assert words >= {"modem", "rnodern", "m0dern"}


def test_copies_stand_behind_the_training_rows_alone() -> None:
    task = make_task("mood", role="sentiment", kind="single", pooling="mean", labels=("neutral",))
    splits = {"train": [ROW] * 10, "validation": [ROW]}
    found = augment({"mood": TaskData(task, splits)}, share=0.5, kinds=("typo",), seed=1)["mood"].splits
    assert len(found["train"]) == 15
    assert found["train"][:10] == splits["train"]
    assert found["validation"] == splits["validation"]
    assert augment({"mood": TaskData(task, splits)}, share=0.5, kinds=("typo",), seed=1)["mood"].splits == found
