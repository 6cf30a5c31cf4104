"""Normalisation: what becomes of a text, and that spans keep pointing at their words."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.text import normalise, tokens_of


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("AT&amp;T &lt;3", "AT&T <3"),
        ("cafe\u0301", "café"),
        ("a\x00b\tc\n\nd", "a b c d"),
        ("see https://t.co/QPN8Gwl7Uh now", "see http now"),
        ("see www.example.com/a?b=c", "see http"),
        ("@bob_1 hi, mail bob@example.com", "@user hi, mail bob@example.com"),
        (
            "my [CARD] and [iban], [Email] or [phone]",
            "my card number and account number, email address or phone number",
        ),
        ("$AAPL beats", "$AAPL beats"),
        ("👍🏽", "thumbs up sign"),
        ("😂😂😂 no", "face with tears of joy no"),
        ("broken \ud83d half", "broken half"),
        ("", ""),
        (" \u200b\ufeff ", ""),
        ("AT&T;x &nosuch; &#99999999;", "AT&T;x &nosuch; �"),
    ],
)
def test_text_becomes(text: str, expected: str) -> None:
    assert normalise(text).text == expected


def test_long_text_without_a_space_is_kept() -> None:
    assert normalise("x" * 100_000).text == "x" * 100_000


_WORD = st.text(alphabet="abcXYZ09", min_size=1, max_size=8)
_NOISE = st.text(alphabet=st.sampled_from(list(" \t\n&;amp#@$/:.[card]http😂👍é\u0301\u200b\x00\ud83d")), max_size=12)


@given(before=_NOISE, target=_WORD, after=_NOISE)
def test_span_of_a_plain_word_follows_it(before: str, target: str, after: str) -> None:
    text = f"{before} {target} {after}"
    start = len(before) + 1
    found = normalise(text, spans=[(start, start + len(target))])
    assert found.text[slice(*found.spans[0])] == target


@given(st.text(max_size=60), st.integers(-5, 70), st.integers(-5, 70))
def test_any_text_and_span_are_safe(text: str, start: int, end: int) -> None:
    found = normalise(text, spans=[(start, end)])
    first, last = found.spans[0]
    assert 0 <= first <= last <= len(found.text)
    assert found.text == normalise(text).text
    assert unicodedata.is_normalized("NFC", found.text) or "\u0300" in found.text
    found.text.encode("utf-8")


def test_span_that_ends_inside_an_edit_covers_the_replacement() -> None:
    text = "buy https://t.co/abc now"
    found = normalise(text, spans=[(0, 10)])
    assert found.text[slice(*found.spans[0])] == "buy http"


def test_tokens_of_takes_every_token_that_the_span_touches() -> None:
    offsets = [(0, 0), (0, 3), (4, 7), (7, 9), (0, 0)]
    assert tokens_of((5, 8), offsets=offsets) == (2, 4)
    assert tokens_of((3, 4), offsets=offsets) is None
