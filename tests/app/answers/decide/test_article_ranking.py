from __future__ import annotations

import numpy as np
import pytest

from app.answers.decide.article_ranking import fuse, nearest
from app.answers.domain import Article, Passage

ARTICLES = {number: Article(id=number, slug=f"a{number}", title=f"Article {number}", body="") for number in (1, 2, 3)}
PASSAGES = [
    Passage(article_id=1, ordinal=0, heading="h", text="one, first"),
    Passage(article_id=1, ordinal=1, heading="h", text="one, second"),
    Passage(article_id=2, ordinal=0, heading="h", text="two"),
    Passage(article_id=9, ordinal=0, heading="h", text="out of sight"),
]


def test_nearest_rows_come_first_and_ties_keep_their_order() -> None:
    matrix = np.array([[0.0, 1.0], [1.0, 0.0], [0.6, 0.8], [1.0, 0.0]], dtype=np.float32)
    query = np.array([1.0, 0.0], dtype=np.float32)
    found = nearest(query, matrix=matrix, limit=3)
    assert [row for row, _ in found] == [1, 3, 2]
    assert [similarity for _, similarity in found] == pytest.approx([1.0, 1.0, 0.6])
    assert nearest(query, matrix=matrix[:0]) == ()
    assert nearest(query, matrix=matrix, limit=0) == ()


def test_what_both_lists_find_comes_first() -> None:
    hits = fuse(
        [(3, -2.0), (1, -1.0)],
        vector_hits=[(2, 0.9), (1, 0.8), (0, 0.7)],
        articles=ARTICLES,
        passages=PASSAGES,
    )
    assert [hit.article_id for hit in hits] == [1, 2, 3]
    assert [(hit.text_rank, hit.vector_rank) for hit in hits] == [(2, 2), (None, 1), (1, None)]
    assert [hit.score for hit in hits] == pytest.approx([2 / 62, 1 / 61, 1 / 61])
    assert [hit.passage for hit in hits] == ["one, second", "two", ""]
    assert [hit.similarity for hit in hits] == [0.8, 0.9, 0.0]


def test_a_text_hit_shows_its_first_passage() -> None:
    (hit,) = fuse([(1, -1.0)], vector_hits=[], articles=ARTICLES, passages=PASSAGES)
    assert (hit.passage, hit.slug, hit.title) == ("one, first", "a1", "Article 1")


def test_what_is_out_of_sight_takes_no_rank() -> None:
    hits = fuse([(9, -9.0), (2, -1.0)], vector_hits=[(3, 0.99), (2, 0.5)], articles=ARTICLES, passages=PASSAGES)
    assert [(hit.article_id, hit.text_rank, hit.vector_rank) for hit in hits] == [(2, 1, 1)]


def test_what_was_written_for_the_intent_counts_as_first_in_a_third_list() -> None:
    hits = fuse(
        [(1, -2.0)], vector_hits=[(2, 0.9), (1, 0.8)], articles=ARTICLES, passages=PASSAGES, answering={3, 2, 99}
    )
    assert [hit.article_id for hit in hits] == [2, 1, 3]
    assert [hit.score for hit in hits] == pytest.approx([2 / 61, 1 / 61 + 1 / 62, 1 / 61])
    assert (hits[2].text_rank, hits[2].vector_rank, hits[2].similarity) == (None, None, 0.0)


def test_the_limit_holds_and_nothing_is_found_in_nothing() -> None:
    assert len(fuse([(1, 0.0), (2, 0.0), (3, 0.0)], vector_hits=[], articles=ARTICLES, passages=[], limit=2)) == 2
    assert fuse([], vector_hits=[], articles=ARTICLES, passages=PASSAGES) == ()
