from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.artifact import Artifact
from models.text import normalise
from models.tokens import MAX_WINDOWS, Tokens, Window, batches, window_starts


@given(n_tokens=st.integers(0, 2000), room=st.integers(2, 126))
def test_windows_are_full_and_cover_the_text(n_tokens: int, room: int) -> None:
    starts = window_starts(n_tokens, room=room)
    assert starts == sorted(set(starts))
    assert len(starts) <= MAX_WINDOWS
    covered = {at for start in starts for at in range(start, start + room)}
    assert set(range(min(n_tokens, room * MAX_WINDOWS))) <= covered
    assert len(starts) == 1 or starts[-1] + room <= max(n_tokens, room)


@given(lengths=st.lists(st.integers(1, 128), max_size=80), budget=st.sampled_from([128, 1024]))
def test_batches_hold_every_row_once_within_the_budget(lengths: list[int], budget: int) -> None:
    windows = [Window([at + 1] * length, ()) for at, length in enumerate(lengths)]
    seen = []
    for batch in batches(windows, budget=budget):
        assert batch.ids.size <= max(budget, 128)
        for row, number in enumerate(batch.rows):
            assert batch.ids[row][batch.mask[row] == 1].tolist() == list(windows[number].ids)
            seen.append(number)
    assert sorted(seen) == list(range(len(windows)))


def test_batches_come_in_few_shapes() -> None:
    windows = [Window([7] * length, ()) for length in range(1, 129) for _ in range(5)]
    assert len({batch.ids.shape for batch in batches(windows, budget=1024)}) <= 24


@pytest.mark.parametrize(("span", "words"), [((3, 8), ["apple"]), ((3, 5), ["apple"]), ((0, 2), ["in"])])
def test_a_span_becomes_the_tokens_that_touch_it(tiny: Artifact, span: tuple[int, int], words: list[str]) -> None:
    tokens = Tokens(tiny.folder / "tokenizer.json", max_length=32)
    window = tokens.encode([normalise("in apple we trust", spans=[span])])[0].windows[0]
    start, end = window.ranges[0]
    known = [tokens._tokenizer.id_to_token(at) for at in list(window.ids)[start:end]]
    assert known == words


def test_special_tokens_stand_around_every_window(tiny: Artifact) -> None:
    tokens = Tokens(tiny.folder / "tokenizer.json", max_length=32)
    encoded = tokens.encode([normalise("order " * 70), normalise("")])
    marks = {(window.ids[0], window.ids[-1]) for text in encoded for window in text.windows}
    assert len(marks) == 1
    assert [len(window.ids) for window in encoded[0].windows] == [32, 32, 32]
    assert len(encoded[1].windows[0].ids) == 2
