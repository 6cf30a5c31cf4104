"""From normalised text to rows of token ids: windows for long texts, few shapes for the graph.

A text longer than a window is read through several, each full and evenly spread, so that no token near a cut is seen
without its neighbours; after `MAX_WINDOWS` the rest of the text is not read, which the counts report.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Encoding, Tokenizer

from models.text import Normalised, Span, tokens_of

MAX_WINDOWS = 8
LENGTHS = (8, 12, 16, 20, 24, 32, 40, 48, 64, 80, 96, 128, 192, 256, 384, 512)
ROWS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128)


@dataclass(frozen=True)
class Window:
    """One row for the graph: `ids` with the special tokens; `ranges` are token ranges of the text's spans in it."""

    ids: Sequence[int]
    ranges: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Encoded:
    """A text as windows; tokens are counted without the special ones."""

    windows: tuple[Window, ...]
    n_tokens: int
    n_used: int


@dataclass(frozen=True)
class Batch:
    """Rows for one run of the graph; `rows` are the windows' numbers, the array may be padded below them."""

    rows: Sequence[int]
    ids: NDArray[np.int64]
    mask: NDArray[np.int64]


class Tokens:
    """The tokenizer of an artifact, cut to windows of `max_length` tokens, special tokens included."""

    def __init__(self, path: Path, *, max_length: int) -> None:
        self._tokenizer = Tokenizer.from_file(str(path))
        self.pad = _pad_id(self._tokenizer)
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        probe = self._tokenizer.encode("a")
        marks = [at for at, special in enumerate(probe.special_tokens_mask) if not special]
        first, last = (marks[0], marks[-1] + 1) if marks else (1, len(probe.ids) - 1)
        self._before, self._after = probe.ids[:first], probe.ids[last:]
        self._room = max_length - len(self._before) - len(self._after)

    def encode(self, texts: Sequence[Normalised]) -> list[Encoded]:
        """Tokenise normalised texts; every text has at least one window, the empty one too."""
        encodings = self._tokenizer.encode_batch([text.text for text in texts], add_special_tokens=False)
        return [self._encoded(found, spans=text.spans) for found, text in zip(encodings, texts, strict=True)]

    def _encoded(self, found: Encoding, *, spans: Sequence[Span]) -> Encoded:
        ids = found.ids
        ranges = [tokens_of(span, offsets=found.offsets) or (0, 0) for span in spans]
        starts = window_starts(len(ids), room=self._room)
        windows = tuple(self._window(ids, start=start, ranges=ranges) for start in starts)
        used = len(ids) if len(ids) <= self._room * MAX_WINDOWS else starts[-1] + self._room
        return Encoded(windows, len(ids), used)

    def _window(self, ids: Sequence[int], *, start: int, ranges: Sequence[tuple[int, int]]) -> Window:
        body = ids[start : start + self._room]
        shift = len(self._before) - start
        low, high = len(self._before), len(self._before) + len(body)
        moved = tuple((min(max(a + shift, low), high), min(max(b + shift, low), high)) for a, b in ranges)
        return Window([*self._before, *body, *self._after], moved)


def _pad_id(tokenizer: Tokenizer) -> int:
    known = (tokenizer.token_to_id(token) for token in ("[PAD]", "<pad>"))
    return next((found for found in known if found is not None), 0)


def window_starts(n_tokens: int, *, room: int) -> list[int]:
    """Where windows of `room` tokens begin: evenly spread to the end, or side by side when the text is too long."""
    count = -(-n_tokens // room)
    if count <= 1:
        return [0]
    if count > MAX_WINDOWS:
        return [at * room for at in range(MAX_WINDOWS)]
    return [round(at * (n_tokens - room) / (count - 1)) for at in range(count)]


def batches(windows: Sequence[Window], *, budget: int, pad: int = 0) -> Iterator[Batch]:
    """Group windows by length into arrays of at most `budget` tokens, of few shapes, longest first."""
    order = sorted(range(len(windows)), key=lambda at: -len(windows[at].ids))
    at = 0
    while at < len(order):
        length = _round_up(len(windows[order[at]].ids), steps=LENGTHS)
        rows = order[at : at + max(1, budget // length)]
        height = min(_round_up(len(rows), steps=ROWS), max(1, budget // length))
        yield _batch(windows, rows=rows, shape=(height, length), pad=pad)
        at += len(rows)


def _batch(windows: Sequence[Window], *, rows: Sequence[int], shape: tuple[int, int], pad: int) -> Batch:
    ids = np.full(shape, pad, dtype=np.int64)
    mask = np.zeros(shape, dtype=np.int64)
    for row, number in enumerate(rows):
        found = windows[number].ids
        ids[row, : len(found)] = found
        mask[row, : len(found)] = 1
    mask[len(rows) :, 0] = 1
    return Batch(rows, ids, mask)


def _round_up(count: int, *, steps: Sequence[int]) -> int:
    return next((step for step in steps if step >= count), count)
