"""A reply put together from sentences that the knowledge base already says, each with its source.

Nothing is invented: no greeting, no name, no sentence that is not in an article. When no sentence is near enough to
the question there is no draft, and the desk says "no good answer".
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from app.answers.decide.article_ranking import Matrix, Vector
from app.answers.decide.passages import sentences
from app.answers.domain import Draft, DraftSentence, Hit, Passage

THRESHOLD = 0.45
"""Cosine of question and best sentence below which there is no good answer.

With all-MiniLM-L6-v2, 51 articles and `searchable` sentences, 95 % of banking77's questions lie above it and 5 % of
clinc150's out-of-scope ones.
"""

NEAR_BEST = 0.7
"""A further sentence must reach this share of the best one's similarity."""

SAME = 0.95
"""Two sentences this near say the same; the second is left out."""

MIN_WORDS = 4
UNIT_CHARACTERS = 350
"""The most characters of a sentence together with those that point back to it."""

_POINTS_BACK = re.compile(
    r"(?:They|Their|It|Its|This|These|That|Those|Both|Then|There|He|She|Otherwise|Meanwhile|Afterwards|After that|"
    r"So|But|And|If (?:it|they|that|not)|In (?:that|this) case|The (?:new|old|other|same|first|second) one)\b"
)


def candidates(hits: Sequence[Hit], *, passages: Sequence[Passage]) -> tuple[DraftSentence, ...]:
    """The sentences of the found articles that may be quoted, in the order of the hits and of the text.

    A sentence that points back ("They cost …") is quoted with the one before it. Fragments shorter than four words,
    questions, parts of a list, and sentences with an unfilled `{{ placeholder }}` are left out.
    """
    by_article: dict[int, list[Passage]] = {hit.article_id: [] for hit in hits}
    for passage in passages:
        if passage.article_id in by_article:
            by_article[passage.article_id].append(passage)
    found: dict[str, DraftSentence] = {}
    for article_id, parts in by_article.items():
        for passage in sorted(parts, key=lambda part: part.ordinal):
            for text in filter(_is_quotable, _units(passage.text)):
                quote = DraftSentence(text=text, source_kind="article", source_id=article_id)
                found.setdefault(text.casefold(), quote)
    return tuple(found.values())


def searchable(sentence: DraftSentence, *, hits: Sequence[Hit]) -> str:
    """The text that the search encoder reads for a sentence: the article's title gives its subject."""
    title = next((hit.title for hit in hits if hit.article_id == sentence.source_id), "")
    return f"{title}. {sentence.text}" if title else sentence.text


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


def _units(text: str) -> list[str]:
    units: list[str] = []
    for sentence in sentences(text):
        if not _POINTS_BACK.match(sentence):
            units.append(sentence)
        elif units and len(units[-1]) + len(sentence) < UNIT_CHARACTERS:
            units[-1] = f"{units[-1]} {sentence}"
    return units


def _is_quotable(text: str) -> bool:
    is_whole = text[0].isupper() or not text[0].isalpha()
    return is_whole and len(text.split()) >= MIN_WORDS and "{{" not in text and not text.endswith(("?", ":", ";"))
