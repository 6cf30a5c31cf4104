"""Batches: every row once, never above the budget; the order of steps follows from the seed."""

from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.examples import from_row
from models.labels import make_task
from tests.tiny import tiny_tokenizer
from training.data.batching import collate, length_batches, schedule, tempered_passes
from training.data.encoding import encode

_LENGTHS = st.lists(st.integers(1, 60), min_size=1, max_size=80).map(lambda sizes: np.array(sizes, dtype=np.int64))


@given(lengths=_LENGTHS, budget=st.integers(1, 200), seed=st.integers(0, 3))
def test_every_row_once_within_the_budget(lengths: np.ndarray, budget: int, seed: int) -> None:
    batches = length_batches(lengths, budget=budget, max_rows=16, rng=np.random.default_rng(seed))
    assert sorted(int(row) for rows in batches for row in rows) == list(range(len(lengths)))
    for rows in batches:
        assert len(rows) <= 16
        assert len(rows) == 1 or len(rows) * lengths[rows].max() <= budget


def test_schedule_gives_each_task_its_passes_and_spreads_them() -> None:
    lengths = {"a": np.full(40, 10), "b": np.full(200, 10)}
    steps = schedule(lengths, passes={"a": 2.5, "b": 1}, budget=100, max_rows=64, seed=0)
    assert Counter(step.task for step in steps) == {"a": 10, "b": 20}
    rows = Counter(int(row) for step in steps if step.task == "a" for row in step.rows)
    assert set(rows.values()) == {2, 3}
    half = Counter(step.task for step in steps[: len(steps) // 2])
    assert abs(half["a"] - 5) <= 1
    assert abs(half["b"] - 10) <= 1
    again = schedule(lengths, passes={"a": 2.5, "b": 1}, budget=100, max_rows=64, seed=0)
    assert all((one.rows == two.rows).all() and one.task == two.task for one, two in zip(steps, again, strict=True))


def test_collate_pads_and_masks_only_where_it_must() -> None:
    task = make_task("t", role="intent", kind="single", pooling="span", labels=["x", "y"])
    rows = [
        from_row({"text": "my card is lost", "target": "card", "label": "y"}),
        from_row({"text": "hello", "label": "x"}),
    ]
    encoded = encode(rows, task=task, tokenizer=tiny_tokenizer())
    batch = collate(encoded, rows=[0, 1], pad_id=0)
    assert batch.mask is not None
    assert batch.mask.tolist() == [[1, 1, 1, 1, 1, 1], [1, 1, 1, 0, 0, 0]]
    assert batch.ids[1, 3:].tolist() == [0, 0, 0]
    assert batch.spans.tolist() == [[2, 3], [0, 3]]
    assert batch.targets.tolist() == [1, 0]
    assert batch.tokens == 9
    assert collate(encoded, rows=[0, 0], pad_id=0).mask is None


def test_temperature_shares_the_same_rows_out_anew() -> None:
    lengths = {"large": np.full(900, 5, dtype=np.int64), "small": np.full(100, 5, dtype=np.int64)}
    passes = {"large": 1.0, "small": 3.0}
    assert tempered_passes(lengths, passes=passes, temperature=0) == passes
    for temperature, ratio in ((1.0, 9.0), (2.0, 3.0)):
        found = tempered_passes(lengths, passes=passes, temperature=temperature)
        large, small = 900 * found["large"], 100 * found["small"]
        assert round(large + small) == 1200
        assert round(large / small, 6) == ratio
