"""Near-duplicates share half of their word trigrams, whatever links are around them."""

from __future__ import annotations

from models.examples import Example
from training.data.near_duplicates import drop_near_duplicates, word_trigrams

KNOWN = [Example(text, ("a",)) for text in (
    "Apple shares fall 3 % after weak guidance https://t.co/abc",
    "$TSLA - Tesla opens a plant in Texas",
    "short text",
)]  # fmt: skip


def _kept(*texts: str, at_least: int = 0) -> list[str]:
    return [
        row.text
        for row in drop_near_duplicates([Example(text, ("a",)) for text in texts], known=KNOWN, at_least=at_least)
    ]


def test_a_repeated_headline_is_a_near_duplicate_and_a_new_one_is_not() -> None:
    twin = "apple shares fall 3 % after weak guidance, again! https://t.co/xyz"
    new = "Apple shares rise as iPhone sales surprise"
    assert _kept(twin, new, "Short text") == [new]


def test_half_of_the_triples_is_the_edge() -> None:
    assert len(word_trigrams("tesla opens a plant")) == 2
    assert _kept("Tesla opens a shop") == []
    assert _kept("Tesla opens new shop today") == ["Tesla opens new shop today"]


def test_too_few_rows_are_better_than_none() -> None:
    assert _kept("short text", "something else entirely", at_least=2) == ["short text", "something else entirely"]


def test_a_trigram_of_many_rows_makes_no_near_duplicate() -> None:
    many = [Example(f"please tell me about thing {at}", ("a",)) for at in range(600)]
    row = Example("please tell me about thing nine thousand", ("a",))
    assert drop_near_duplicates([row], known=many, at_least=0) == [row]
