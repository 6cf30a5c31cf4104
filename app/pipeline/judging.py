"""What the model says of a post: its topic, its sentiment, and the sentiment towards each entity in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app import clock
from app.domain.market import Span
from app.domain.prediction import Prediction, Reading
from app.pipeline.reading import POST_ROLES, read
from app.pipeline.services import Services
from app.store import corrections, mentions, posts, predictions
from app.store.db import Transaction

Item = tuple[str, tuple[Span, ...]]

DIGITS = 6


@dataclass(frozen=True, kw_only=True)
class Judged:
    """The reading of a post's text, and one towards each of its mentions."""

    reading: Reading
    towards: tuple[Prediction | None, ...]


def judge(services: Services, items: Sequence[Item], *, languages: Mapping[str, str] | None = None) -> list[Judged]:
    """Read texts with the spans of the entities in them; raises NotReady, Overloaded, TaskMissing.

    `languages` are the codes of texts whose feed names one.
    """
    texts, targets = [], []
    for text, spans in items:
        texts += [text] * (1 + len(spans))
        targets += [None, *((span.start, span.end) for span in spans)]
    readings = iter(read(services, texts, roles=POST_ROLES, targets=targets, lane="bulk", languages=languages))
    found = []
    for _, spans in items:
        whole = next(readings)
        towards = tuple(next(readings).of_role("market_sentiment") for _ in spans)
        found.append(Judged(reading=whole, towards=towards))
    return found


def write(tx: Transaction, post_id: int, *, mention_ids: Sequence[int], judged: Judged) -> None:
    """Keep the predictions of a post and its mentions, and put them in force; a person's corrections stay."""
    now, reading = clock.now_ms(), judged.reading
    predictions.insert_all(tx, subject_kind="post", subject_id=post_id, predictions=reading.predictions, at=now)
    changes: dict[str, Any] = {"language": reading.language, "is_supported": reading.is_supported, "pending_at": None}
    changes |= _topic(tx, post_id, reading.of_role("market_topic"))
    sentiment = reading.of_role("market_sentiment")
    if sentiment is not None and not _is_corrected(tx, "post", post_id, sentiment):
        changes |= {"sentiment": _label(sentiment), "sentiment_score": _score(sentiment)}
    posts.update(tx, post_id, changes=changes)
    for mention_id, prediction in zip(mention_ids, judged.towards, strict=True):
        if prediction is not None:
            _towards(tx, mention_id, prediction, at=now)


def _topic(tx: Transaction, post_id: int, topic: Prediction | None) -> dict[str, Any]:
    if topic is None or _is_corrected(tx, "post", post_id, topic):
        return {}
    return {
        "topic": None if topic.abstained else topic.label,
        "topic_probability": round(topic.probability, DIGITS),
        "is_topic_abstained": topic.abstained,
    }


def _towards(tx: Transaction, mention_id: int, prediction: Prediction, *, at: int) -> None:
    predictions.insert_all(tx, subject_kind="mention", subject_id=mention_id, predictions=[prediction], at=at)
    if not _is_corrected(tx, "mention", mention_id, prediction):
        mentions.judge(
            tx,
            mention_id,
            sentiment=_label(prediction),
            sentiment_score=_score(prediction),
            probability=round(prediction.probability, DIGITS),
            is_abstained=prediction.abstained,
        )


def _is_corrected(tx: Transaction, kind: str, subject_id: int, prediction: Prediction) -> bool:
    # A label that a person gave to an earlier wording says nothing of this one.
    text = posts.read(tx, subject_id).text if kind == "post" else None
    known = corrections.in_force(tx, subject_kind=kind, subject_id=subject_id, task=prediction.task, text=text)
    return known is not None


def _label(prediction: Prediction) -> str | None:
    return None if prediction.abstained else prediction.label


def _score(prediction: Prediction) -> float | None:
    score = prediction.sentiment_score
    return None if prediction.abstained or score is None else round(score, DIGITS)
