"""Batches of rows of similar length, and the order in which a run takes the batches of its tasks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from training.data.encoding import Encoded

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Batch:
    """The padded arrays of one batch: token ids [B, L], attention mask [B, L], target spans [B, 2] and targets.

    `mask` is None when every row has L tokens. `rows` [B] are the rows' indices in their split.
    """

    ids: npt.NDArray[np.int64]
    mask: npt.NDArray[np.int64] | None
    spans: npt.NDArray[np.int64]
    targets: npt.NDArray[np.int64] | npt.NDArray[np.float32]
    rows: Rows

    @property
    def tokens(self) -> int:
        """Number of tokens without padding."""
        return int(self.ids.size if self.mask is None else self.mask.sum())


@dataclass(frozen=True)
class Step:
    """The rows of one optimiser step, all of one task."""

    task: str
    rows: Rows


def length_batches(
    lengths: npt.NDArray[np.int64], *, budget: int, max_rows: int, rng: np.random.Generator | None = None
) -> list[Rows]:
    """Group rows into batches of similar length with at most `budget` tokens (padding included) and `max_rows` rows.

    Every row is in exactly one batch. With `rng`, rows of equal length are shuffled, and so are the batches.
    """
    order = np.arange(len(lengths)) if rng is None else rng.permutation(len(lengths))
    order = order[np.argsort(lengths[order], kind="stable")[::-1]]
    batches: list[Rows] = []
    at = 0
    while at < len(order):
        longest = int(lengths[order[at]])
        size = max(1, min(max_rows, budget // max(longest, 1)))
        batches.append(order[at : at + size])
        at += size
    if rng is not None:
        batches = [batches[place] for place in rng.permutation(len(batches))]
    return batches


def schedule(
    lengths: Mapping[str, npt.NDArray[np.int64]],
    *,
    passes: Mapping[str, float],
    budget: int,
    max_rows: int,
    seed: int,
) -> list[Step]:
    """Return all steps of a run: each task's passes over its rows, spread evenly over the whole run.

    The order depends on the seed alone, so that a resumed run can continue from a step number.
    """
    placed: list[tuple[float, int, Step]] = []
    for number, (task, sizes) in enumerate(lengths.items()):
        rng = np.random.default_rng([seed, number])
        batches = _task_batches(sizes, passes=passes[task], budget=budget, max_rows=max_rows, rng=rng)
        jitter = rng.uniform(0, 1, len(batches))
        placed += [((k + jitter[k]) / len(batches), number, Step(task, rows)) for k, rows in enumerate(batches)]
    return [step for _, _, step in sorted(placed, key=lambda item: item[:2])]


def tempered_passes(
    lengths: Mapping[str, npt.NDArray[np.int64]], *, passes: Mapping[str, float], temperature: float
) -> dict[str, float]:
    """Return the passes of each task under temperature sampling; the total number of rows read stays the same.

        share of the rows read = n^(1/T) / sum over all tasks of n^(1/T)          for a task with n rows

    T = 1 is proportional to n, a higher T favours small tasks; T = 0 returns `passes` unchanged.
    """
    if not temperature:
        return dict(passes)
    rows = {task: max(1, len(sizes)) for task, sizes in lengths.items()}
    total = sum(passes[task] * count for task, count in rows.items())
    shares = {task: count ** (1 / temperature) for task, count in rows.items()}
    return {task: total * share / sum(shares.values()) / rows[task] for task, share in shares.items()}


def _task_batches(
    lengths: npt.NDArray[np.int64], *, passes: float, budget: int, max_rows: int, rng: np.random.Generator
) -> list[Rows]:
    batches: list[Rows] = []
    for _ in range(int(passes)):
        batches += length_batches(lengths, budget=budget, max_rows=max_rows, rng=rng)
    if passes > int(passes):
        last = length_batches(lengths, budget=budget, max_rows=max_rows, rng=rng)
        batches += last[: max(1, round(len(last) * (passes - int(passes))))]
    return batches


def collate(encoded: Encoded, *, rows: Rows | Sequence[int], pad_id: int) -> Batch:
    """Return the batch of the given rows, padded to the longest of them."""
    taken = [encoded.row(int(row)) for row in rows]
    longest = max(len(ids) for ids in taken)
    ids = np.full((len(taken), longest), pad_id, dtype=np.int64)
    for at, row_ids in enumerate(taken):
        ids[at, : len(row_ids)] = row_ids
    lengths = np.array([len(row_ids) for row_ids in taken])
    mask = None if (lengths == longest).all() else (np.arange(longest) < lengths[:, None]).astype(np.int64)
    index = np.asarray(rows)
    return Batch(ids, mask, encoded.spans[index].astype(np.int64), encoded.targets[index], index)
