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

from models.examples import Example
from training.data.boilerplate import add_boilerplate
from training.data.corpora import CorpusDescription

NAME = "bellwether_phrases"
FOLDER = Path(__file__).parent / "phrases"
VALIDATION_EVERY = 6
REPEATS = 8


def load_phrases(task: str, *, split: str) -> list[Example]:
    """Return a task's messages of one split; the test split is empty, and so are tasks without a file."""
    if split == "test":
        return []
    is_validation, n_copies = split == "validation", 1 if split == "validation" else REPEATS
    rows = [
        row
        for at, row in _number_within_label(task)
        if (at % VALIDATION_EVERY == VALIDATION_EVERY - 1) == is_validation
    ]
    return [
        _make_example(add_boilerplate(text, seed=f"{copy}/{text}") if copy else text, label=label, split=split)
        for copy in range(n_copies)
        for text, label in rows
    ]


def describe_phrases() -> CorpusDescription:
    """Return name, licence, origin, rows and SHA-256, as `describe_corpus` does for a corpus."""
    files = sorted(FOLDER.glob("*.txt"))
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()
    rows = {
        split: sum(len(load_phrases(path.stem, split=split)) for path in files) for split in ("train", "validation")
    }
    return CorpusDescription(
        name=NAME, licence="Apache-2.0", origin="this repository", rows=rows, sha256={"train": digest}
    )


def has_phrases(task: str) -> bool:
    """True when there are messages for the task."""
    return (FOLDER / f"{task}.txt").is_file()


def _make_example(text: str, *, label: str, split: str) -> Example:
    return Example(text=text, labels=(label,), split=split, source=NAME)


def _number_within_label(task: str) -> Iterator[tuple[int, tuple[str, str]]]:
    """Yield each message (text, label) with its index among the messages of its label."""
    places: dict[str, int] = {}
    for text, label in _read_messages(task):
        places[label] = places.get(label, -1) + 1
        yield places[label], (text, label)


@cache
def _read_messages(task: str) -> tuple[tuple[str, str], ...]:
    path, label = FOLDER / f"{task}.txt", ""
    found: list[tuple[str, str]] = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else ():
        if line.startswith("["):
            label = line.strip("[] ")
        elif line.strip() and not line.startswith("#"):
            found.append((line.strip(), label))
    return tuple(found)
