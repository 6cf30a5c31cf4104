"""Encode examples as arrays: concatenated token ids, the target's token spans, and label indices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from models.examples import Example
from models.labels import Task
from models.text import normalise, tokens_of
from training.data.corpora import DataError

Ints = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Encoded:
    """The n encoded rows of a task's split; the token ids of row i are `ids[starts[i]:starts[i + 1]]`.

    `spans` [n, 2] are the token ranges of the targets, the whole row where there is no target. `targets` are label
    indices [n] for a single-label task and 0/1 [n, k] for a multi-label task.
    """

    ids: Ints
    starts: npt.NDArray[np.int64]
    spans: Ints
    targets: npt.NDArray[np.int64] | Floats

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        """Number of tokens of each row [n]."""
        return np.diff(self.starts)

    def row(self, index: int) -> Ints:
        """Return the token ids of one row."""
        return self.ids[self.starts[index] : self.starts[index + 1]]


def encode(examples: Sequence[Example], *, task: Task, tokenizer: Tokenizer) -> Encoded:
    """Normalise and tokenise examples; the tokenizer truncates. Raises DataError for a label outside the task."""
    prepared = [normalise(row.text, spans=[row.span] if row.span else []) for row in examples]
    encodings = tokenizer.encode_batch([row.text for row in prepared])
    lengths = [len(encoding.ids) for encoding in encodings]
    spans = [
        (tokens_of(row.spans[0], offsets=encoding.offsets) if row.spans else None) or (0, len(encoding.ids))
        for row, encoding in zip(prepared, encodings, strict=True)
    ]
    return Encoded(
        ids=np.fromiter((token for encoding in encodings for token in encoding.ids), dtype=np.int32),
        starts=np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]),
        spans=np.array(spans, dtype=np.int32).reshape(-1, 2),
        targets=label_columns(examples, task=task),
    )


def label_columns(examples: Sequence[Example], *, task: Task) -> npt.NDArray[np.int64] | Floats:
    """Return label indices [n] for a single-label task, 0/1 rows [n, k] for a multi-label task.

    Raises DataError for a label outside the task.
    """
    index = task.index()
    for row in examples:
        for label in row.labels:
            if label not in index:
                raise DataError(f"Task {task.name}: training never saw the label {label!r} (text: {row.text[:60]!r}).")
    if task.kind == "single":
        return np.array([index[row.labels[0]] for row in examples], dtype=np.int64)
    rows = np.zeros((len(examples), len(task.labels)), dtype=np.float32)
    for at, row in enumerate(examples):
        rows[at, [index[label] for label in row.labels]] = 1.0
    return rows


def open_tokenizer(path: str, *, max_length: int) -> Tokenizer:
    """Open a tokenizer.json; the tokenizer truncates at `max_length` tokens and does not pad."""
    tokenizer = Tokenizer.from_file(path)
    tokenizer.no_padding()
    tokenizer.enable_truncation(max_length)
    return tokenizer
