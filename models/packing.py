"""Pack windows of token ids into rows for the graph: several short texts share a row, so that there is little padding.

The mask has the number of its text at each token, so that a text attends only to its own tokens, and its positions
count from zero: its result does not depend on the row. Few different shapes occur, so that little has to be compiled.
The idea is from Krell et al. 2021, arXiv:2107.02027; rows are filled by best fit, longest text first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from models.tokens import Window

Ids = NDArray[np.int64]
Numbers = NDArray[np.intp]

WIDTHS = (64, 128, 256, 512)
LENGTHS = (16, 32, 48, 64, 96, 128, 192, 256, 384, 512)
ROWS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128)


@dataclass(frozen=True)
class Batch:
    """The input of one run of the graph: `ids`, `mask` and `positions` [rows, tokens], padded at the end.

    The mask is 1, 2, … on the texts of a row and 0 on padding. Window `windows[i]` is text number `numbers[i]` of row
    `rows[i]`; it has `lengths[i]` tokens, the first at `starts[i]`.
    """

    windows: Numbers
    rows: Numbers
    numbers: Numbers
    starts: Numbers
    lengths: Numbers
    ids: Ids
    mask: Ids
    positions: Ids


@dataclass
class _Row:
    width: int
    members: list[int]
    n_used: int


def batches(windows: Sequence[Window], *, budget: int, pad: int = 0, is_packing: bool = True) -> Iterator[Batch]:
    """Yield batches of at most `budget` tokens, or of one row, the widest first; every window is in one of them.

    Without `is_packing` every row has a single window.
    """
    lengths = [len(window.ids) for window in windows]
    filled = _filled(lengths) if is_packing else _single(lengths)
    at = 0
    while at < len(filled):
        width = filled[at].width
        rows = [row for row in filled[at : at + max(1, budget // width)] if row.width == width or not is_packing]
        yield _batch(windows, rows=rows, budget=budget, pad=pad)
        at += len(rows)


def _filled(lengths: Sequence[int]) -> list[_Row]:
    """Return rows, the widest first: each window goes to the fullest row with room, or to a new row of least width."""
    rows: list[_Row] = []
    open_rows: dict[int, list[_Row]] = {}
    for window in sorted(range(len(lengths)), key=lengths.__getitem__, reverse=True):
        length = lengths[window]
        room = min((free for free, having in open_rows.items() if free >= length and having), default=None)
        if room is None:
            row = _Row(_round_up(length, steps=WIDTHS), [], 0)
            rows.append(row)
        else:
            row = open_rows[room].pop()
        row.members.append(window)
        row.n_used += length
        open_rows.setdefault(row.width - row.n_used, []).append(row)
    return rows


def _single(lengths: Sequence[int]) -> list[_Row]:
    order = sorted(range(len(lengths)), key=lengths.__getitem__, reverse=True)
    return [_Row(_round_up(lengths[window], steps=LENGTHS), [window], lengths[window]) for window in order]


def _batch(windows: Sequence[Window], *, rows: Sequence[_Row], budget: int, pad: int) -> Batch:
    width = rows[0].width
    if len(rows) == 1:
        # A single row is as narrow as its texts allow: one short text is the most frequent call.
        width = min(width, _round_up(rows[0].n_used, steps=LENGTHS))
    height = min(_round_up(len(rows), steps=ROWS), max(1, budget // width))
    members = np.fromiter(chain.from_iterable(row.members for row in rows), np.intp)
    lengths = np.fromiter((len(windows[member].ids) for member in members), np.intp, len(members))
    of_row = np.fromiter((len(row.members) for row in rows), np.intp, len(rows))
    firsts = np.concatenate([[0], np.cumsum(of_row)[:-1]])
    before = np.cumsum(lengths) - lengths
    row_of = np.repeat(np.arange(len(rows)), of_row)
    starts = before - before[firsts][row_of]
    numbers = np.arange(len(members)) - firsts[row_of] + 1
    positions = np.arange(lengths.sum()) - np.repeat(before, lengths)
    places = np.repeat(row_of * width + starts, lengths) + positions
    tokens = np.fromiter(chain.from_iterable(windows[member].ids for member in members), np.int64, len(positions))
    return Batch(
        windows=members, rows=row_of, numbers=numbers, starts=starts, lengths=lengths,
        ids=_laid(tokens, places=places, shape=(height, width), rest=pad),
        mask=_laid(np.repeat(numbers, lengths), places=places, shape=(height, width)),
        positions=_laid(positions, places=places, shape=(height, width)),
    )  # fmt: skip


def _laid(values: NDArray[np.int64], *, places: Numbers, shape: tuple[int, int], rest: int = 0) -> Ids:
    flat = np.full(shape[0] * shape[1], rest, np.int64)
    flat[places] = values
    return flat.reshape(shape)


def _round_up(count: int, *, steps: Sequence[int]) -> int:
    return next((step for step in steps if step >= count), count)
