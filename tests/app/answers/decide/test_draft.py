from __future__ import annotations

import numpy as np
import pytest

from app.answers.decide.article_ranking import Matrix, Vector
from app.answers.decide.draft import candidates, compose, searchable
from app.answers.domain import Draft, DraftSentence, Hit, Passage


def at(*degrees: float) -> Matrix:
    """Unit vectors at these angles from the question; the cosine is the similarity."""
    return np.array([[np.cos(np.radians(one)), np.sin(np.radians(one))] for one in degrees], dtype=np.float32)


QUESTION: Vector = at(0)[0]


def quoted(*sources: int) -> list[DraftSentence]:
    return [
        DraftSentence(text=f"Sentence {number} of it.", source_kind="article", source_id=source)
        for number, source in enumerate(sources)
    ]


def hit(article_id: int) -> Hit:
    return Hit(
        article_id=article_id,
        title="t",
        slug="s",
        score=1.0,
        text_rank=1,
        vector_rank=1,
        similarity=0.9,
        passage="p",
    )


def test_candidates_are_the_sentences_of_the_hits() -> None:
    passages = [
        Passage(article_id=1, ordinal=1, heading="h", text="Express takes two working days. Too short."),
        Passage(article_id=1, ordinal=0, heading="h", text="Your card is on its way. Why is it late for me?"),
        Passage(
            article_id=2,
            ordinal=0,
            heading="h",
            text="YOUR CARD IS ON ITS WAY. Hello {{ customer.name }}, dear friend.",
        ),
        Passage(article_id=3, ordinal=0, heading="h", text="This one was not found."),
    ]
    found = candidates([hit(2), hit(1)], passages=passages)
    assert [(one.source_id, one.text) for one in found] == [
        (2, "YOUR CARD IS ON ITS WAY."),
        (1, "Express takes two working days."),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Cards cost 6 EUR. They are free when stolen.", ["Cards cost 6 EUR. They are free when stolen."]),
        ("They are free when stolen. Cards cost 6 EUR.", ["Cards cost 6 EUR."]),
        (
            "Things to do when it is there:\nactivate it in the app;\nThe rest is done by us.",
            ["The rest is done by us."],
        ),
        ("Theirs is another matter entirely.", ["Theirs is another matter entirely."]),
        ("6 EUR is what it costs.", ["6 EUR is what it costs."]),
    ],
)
def test_what_is_quoted_stands_on_its_own(text: str, expected: list[str]) -> None:
    found = candidates([hit(1)], passages=[Passage(article_id=1, ordinal=0, heading="h", text=text)])
    assert [one.text for one in found] == expected


def test_the_best_sentences_in_reading_order() -> None:
    sentences = quoted(1, 1, 2, 1)
    draft = compose(QUESTION, sentences=sentences, vectors=at(30, -10, -40, 60), limit=3)
    assert draft.sentences == (sentences[0], sentences[1], sentences[2])
    assert draft.confidence == pytest.approx(np.cos(np.radians(10)))


def test_the_article_of_the_best_sentence_comes_first() -> None:
    sentences = quoted(1, 2, 1)
    draft = compose(QUESTION, sentences=sentences, vectors=at(-30, 5, 40))
    assert [one.source_id for one in draft.sentences] == [2, 1, 1]


def test_no_sentence_is_near_enough_and_nothing_is_said() -> None:
    draft = compose(QUESTION, sentences=quoted(1, 1), vectors=at(70, 80), threshold=0.45)
    assert draft.sentences == ()
    assert draft.text == ""
    assert draft.confidence == pytest.approx(np.cos(np.radians(70)), abs=1e-6)


def test_a_draft_just_at_the_threshold_is_given() -> None:
    vectors = at(60)
    similarity = float((vectors @ QUESTION)[0])
    assert compose(QUESTION, sentences=quoted(1), vectors=vectors, threshold=similarity).sentences
    assert not compose(QUESTION, sentences=quoted(1), vectors=vectors, threshold=similarity + 1e-6).sentences


def test_a_sentence_is_searched_with_the_title_of_its_article() -> None:
    (sentence,) = quoted(1)
    assert searchable(sentence, hits=[hit(2), hit(1)]) == "t. Sentence 0 of it."
    assert searchable(sentence, hits=[]) == "Sentence 0 of it."


def test_what_says_the_same_is_said_once_and_what_is_far_from_the_best_not_at_all() -> None:
    sentences = quoted(1, 1, 1, 1)
    draft = compose(QUESTION, sentences=sentences, vectors=at(5, 10, -30, 55))
    assert draft.sentences == (sentences[0], sentences[2])


def test_opposite_vectors_give_no_negative_confidence() -> None:
    assert compose(QUESTION, sentences=quoted(1), vectors=at(180)).confidence == 0.0


def test_nothing_to_quote() -> None:
    assert compose(QUESTION, sentences=[], vectors=at()[:0].reshape(0, 2)) == Draft()


def test_each_sentence_needs_its_vector() -> None:
    with pytest.raises(ValueError, match="2 sentences with 1 vectors"):
        compose(QUESTION, sentences=quoted(1, 1), vectors=at(0))
