"""A reply put together from sentences that the knowledge base already says, each with its source.

Nothing is invented: no greeting, no name, no sentence that is not in an article. When no sentence is near enough to
the question there is no draft, and the desk says "no good answer".
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from app.domain.knowledge import Draft, DraftSentence, Hit, Passage
from app.knowledge.passages import sentences
from app.knowledge.search import Matrix, Vector

THRESHOLD = 0.45
"""Cosine of question and best sentence below which there is no good answer."""

NEAR_BEST = 0.7
"""A further sentence must reach this share of the best one's similarity."""

SAME = 0.92
"""Two sentences this near say the same; the second is left out."""

MIN_WORDS = 4


def candidates(hits: Sequence[Hit], *, passages: Sequence[Passage]) -> tuple[DraftSentence, ...]:
    """The sentences that may be quoted: those of the found articles, in the order of the hits and of the text.

    Fragments shorter than four words, questions, and sentences with an unfilled `{{ placeholder }}` are left out.
    """
    by_article: dict[int, list[Passage]] = {hit.article_id: [] for hit in hits}
    for passage in passages:
        if passage.article_id in by_article:
            by_article[passage.article_id].append(passage)
    found: dict[str, DraftSentence] = {}
    for article_id, parts in by_article.items():
        for passage in sorted(parts, key=lambda part: part.ordinal):
            for text in sentences(passage.text):
                if _is_quotable(text):
                    found.setdefault(
                        text.casefold(), DraftSentence(text=text, source_kind="article", source_id=article_id)
                    )
    return tuple(found.values())


def compose(
    question: Vector,
    *,
    sentences: Sequence[DraftSentence],
    vectors: Matrix,
    threshold: float = THRESHOLD,
    limit: int = 4,
) -> Draft:
    """The best sentences for a question in reading order, or a draft without sentences ("no good answer").

    `question` [h] and `vectors` [n, h], a row a sentence, are of unit length. `confidence` is the best cosine,
    clipped to 0–1, also when it is below `threshold` and nothing is quoted.
    """
    if len(sentences) != len(vectors):
        raise ValueError(f"{len(sentences)} sentences with {len(vectors)} vectors")
    if not sentences:
        return Draft()
    similarities = vectors @ question
    best = float(similarities.max())
    confidence = min(max(best, 0.0), 1.0)
    if best < threshold:
        return Draft(confidence=confidence)
    chosen: list[int] = []
    for row in np.argsort(-similarities, kind="stable"):
        is_near = similarities[row] >= NEAR_BEST * best
        if len(chosen) == limit or not is_near:
            break
        if not any(float(vectors[row] @ vectors[other]) >= SAME for other in chosen):
            chosen.append(int(row))
    return Draft(
        sentences=tuple(sentences[row] for row in _in_reading_order(chosen, sentences=sentences)), confidence=confidence
    )


def _in_reading_order(chosen: list[int], *, sentences: Sequence[DraftSentence]) -> list[int]:
    # The article of the best sentence comes first; inside an article its own order is the readable one.
    articles = list(dict.fromkeys(sentences[row].source_id for row in chosen))
    return sorted(chosen, key=lambda row: (articles.index(sentences[row].source_id), row))


def _is_quotable(text: str) -> bool:
    return len(text.split()) >= MIN_WORDS and "{{" not in text and not text.endswith("?")
