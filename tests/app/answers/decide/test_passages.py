from __future__ import annotations

import pytest

from app.answers.decide.passages import PASSAGE_CHARACTERS, passages, plain, searchable, sentences
from app.answers.domain import Article, Passage


def article(body: str, *, title: str = "Cards") -> Article:
    return Article(id=7, slug="cards", title=title, body=body)


def cut(body: str) -> list[tuple[str, str]]:
    return [(passage.heading, passage.text) for passage in passages(article(body))]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("", []),
        ("One line.", [("Cards", "One line.")]),
        ("One\nline.\n\nAnother.", [("Cards", "One line.\nAnother.")]),
        ("Before.\n\n## PIN\n\nAfter.", [("Cards", "Before."), ("PIN", "After.")]),
        ("# Cards ##\nText.", [("Cards", "Text.")]),
        ("## Empty\n## PIN\nText.", [("PIN", "Text.")]),
        ("- one\n- two\n  more\n1. three", [("Cards", "one\ntwo more\nthree")]),
        ("```\n# not a heading\n```\nText.", [("Cards", "# not a heading Text.")]),
        (
            "Before.\n| Post | Time | Price |\n|---|:-:|---|\n| Fast | 2 days | 12 EUR |\n| Slow | 7 days |\n\nAfter.",
            [("Cards", "Before.\nFast: Time 2 days; Price 12 EUR.\nSlow: Time 7 days.\nAfter.")],
        ),
        ("#hashtag is no heading", [("Cards", "#hashtag is no heading")]),
    ],
)
def test_an_article_is_cut_at_its_headings(body: str, expected: list[tuple[str, str]]) -> None:
    assert cut(body) == expected


def test_long_text_is_cut_between_sentences_and_nothing_is_lost() -> None:
    written = [f"Sentence number {number} says something of no great length." for number in range(60)]
    found = passages(article("\n\n".join([" ".join(written[:30]), " ".join(written[30:])])))
    assert [passage.ordinal for passage in found] == list(range(len(found)))
    assert all(len(passage.text) <= PASSAGE_CHARACTERS for passage in found)
    assert " ".join(passage.text for passage in found).split() == " ".join(written).split()
    assert all(passage.text.endswith(".") for passage in found)


def test_a_sentence_longer_than_a_passage_stays_whole() -> None:
    long = "word " * 200
    assert [passage.text for passage in passages(article(f"Short. {long}"))] == [f"Short. {long}".strip()]


@pytest.mark.parametrize(
    ("markdown", "expected"),
    [
        ("**Bold** and *light* and __more__ and `code`", "Bold and light and more and code"),
        ('See [the page](/help/pin "PIN") now', "See the page now"),
        ("![a card](card.png)", "a card"),
        ("snake_case_name and 2 * 3 * 4", "snake_case_name and 2 * 3 * 4"),
        ("> quoted", "quoted"),
    ],
)
def test_markdown_becomes_plain_words(markdown: str, expected: str) -> None:
    assert plain(markdown) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two! Three? Four", ["One.", "Two!", "Three?", "Four"]),
        ("It costs 4.50 EUR. That is all.", ["It costs 4.50 EUR.", "That is all."]),
        ("Use a wallet, e.g. Apple Pay. Then tap.", ["Use a wallet, e.g. Apple Pay.", "Then tap."]),
        ("Ask Mr. Finch. He knows.", ["Ask Mr. Finch.", "He knows."]),
        ("one line\nanother line", ["one line", "another line"]),
        ("He said “No.” Then he left.", ["He said “No.”", "Then he left."]),
        ("第一句。第二句！", ["第一句。", "第二句！"]),
        ("version 2.0 is out. it works", ["version 2.0 is out. it works"]),
        ("", []),
    ],
)
def test_sentences(text: str, expected: list[str]) -> None:
    assert list(sentences(text)) == expected


def test_the_heading_is_searched_with_the_text() -> None:
    assert searchable(Passage(article_id=1, ordinal=0, heading="PIN", text="Three tries.")) == "PIN. Three tries."
