"""Hand-written customer messages in everyday words, which complement the corpora that are made from templates.

phrases/<task>.txt has one message per line: `[label]` starts the messages of a label, `#` starts a comment. Every
sixth message of a label is a validation row. Training sees each message eight times, with different boilerplate
(boilerplate.py).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from models.examples import Example
from training.data.envelope import enclosed

NAME = "bellwether_phrases"
FOLDER = Path(__file__).parent / "phrases"
VALIDATION_EVERY = 6
REPEATS = 8


def phrases(task: str, *, split: str) -> list[Example]:
    """Return a task's messages of one split; the test split is empty, and so are tasks without a file."""
    kept = [row for at, row in _numbered(task) if (at % VALIDATION_EVERY == VALIDATION_EVERY - 1) == _is_held(split)]
    if split == "validation":
        return [_example(text, label=label, split=split) for text, label in kept]
    if split != "train":
        return []
    return [
        _example(enclosed(text, seed=f"{turn}/{text}") if turn else text, label=label, split=split)
        for turn in range(REPEATS)
        for text, label in kept
    ]


def describe_phrases() -> dict[str, Any]:
    """Return name, licence, origin, rows and SHA-256, as `describe_corpus` does for a corpus."""
    files = sorted(FOLDER.glob("*.txt"))
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()
    rows = {split: sum(len(phrases(path.stem, split=split)) for path in files) for split in ("train", "validation")}
    about = {"name": NAME, "licence": "Apache-2.0", "origin": "this repository"}
    return about | {"rows": rows, "sha256": {"train": digest}}


def has_phrases(task: str) -> bool:
    """True when there are messages for the task."""
    return (FOLDER / f"{task}.txt").is_file()


def _is_held(split: str) -> bool:
    return split == "validation"


def _example(text: str, *, label: str, split: str) -> Example:
    return Example(text=text, labels=(label,), split=split, source=NAME)


def _numbered(task: str) -> Iterator[tuple[int, tuple[str, str]]]:
    """Yield each message (text, label) with its index among the messages of its label."""
    places: dict[str, int] = {}
    for text, label in _read(task):
        places[label] = places.get(label, -1) + 1
        yield places[label], (text, label)


@cache
def _read(task: str) -> tuple[tuple[str, str], ...]:
    path, label = FOLDER / f"{task}.txt", ""
    found: list[tuple[str, str]] = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else ():
        if line.startswith("["):
            label = line.strip("[] ")
        elif line.strip() and not line.startswith("#"):
            found.append((line.strip(), label))
    return tuple(found)
