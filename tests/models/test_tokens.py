from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.artifact import Artifact
from models.text import normalise
from models.tokens import MAX_WINDOWS, Tokens, window_starts


@given(n_tokens=st.integers(0, 2000), room=st.integers(2, 126))
def test_windows_are_full_and_cover_the_text(n_tokens: int, room: int) -> None:
    starts = window_starts(n_tokens, room=room)
    assert starts == sorted(set(starts))
    assert len(starts) <= MAX_WINDOWS
    covered = {at for start in starts for at in range(start, start + room)}
    assert set(range(min(n_tokens, room * MAX_WINDOWS))) <= covered
    assert len(starts) == 1 or starts[-1] + room <= max(n_tokens, room)


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


def test_ids_are_the_same_with_and_without_spans(tiny: Artifact) -> None:
    tokens = Tokens(tiny.folder / "tokenizer.json", max_length=32)
    texts = ["my card was stolen", "é 😀 ok", "order " * 70, ""]
    plain = tokens.encode([normalise(text) for text in texts])
    found = tokens.encode([normalise(text, spans=[(0, 2)]) for text in texts])
    assert [[w.ids for w in text.windows] for text in plain] == [[w.ids for w in text.windows] for text in found]
    assert [text.n_used for text in plain] == [text.n_used for text in found]
