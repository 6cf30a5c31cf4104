"""What the model says of a post: its topic, its sentiment, and the sentiment towards each entity in it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.core.db import Transaction
from app.core.prediction import Prediction, Reading
from app.core.services import Services
from app.intents.store import corrections
from app.market.domain.market import Span
from app.market.store import mentions, posts
from app.model.flows.read_text import POST_ROLES, read
from app.model.store.predictions import Said

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


def said(post_id: int, *, mention_ids: Sequence[int], judged: Judged) -> list[Said]:
    """The predictions of a post and of its mentions, to be kept as they were said."""
    pairs = zip(mention_ids, judged.towards, strict=True)
    return [
        *(("post", post_id, one) for one in judged.reading.predictions),
        *(("mention", mention_id, one) for mention_id, one in pairs if one is not None),
    ]


def columns(judged: Judged, *, held: Collection[str] = ()) -> dict[str, Any]:
    """What the model puts into the columns of a post; the tasks in `held` have a person's label, which stays."""
    reading = judged.reading
    topic, sentiment = reading.of_role("market_topic"), reading.of_role("market_sentiment")
    found: dict[str, Any] = {"language": reading.language, "is_supported": reading.is_supported, "pending_at": None}
    if topic is not None and topic.task not in held:
        found |= {
            "topic": None if topic.abstained else topic.label,
            "topic_probability": round(topic.probability, DIGITS),
            "is_topic_abstained": topic.abstained,
        }
    if sentiment is not None and sentiment.task not in held:
        found |= {"sentiment": _label(sentiment), "sentiment_score": _score(sentiment)}
    return found


def towards(prediction: Prediction) -> dict[str, Any]:
    """What the model puts into the columns of a mention."""
    return {
        "sentiment": _label(prediction),
        "sentiment_score": _score(prediction),
        "probability": round(prediction.probability, DIGITS),
        "is_abstained": prediction.abstained,
    }


def write(tx: Transaction, post_id: int, *, text: str, mention_ids: Sequence[int], judged: Judged) -> list[Said]:
    """Put predictions in force for a post that is stored already, and say which are to be kept.

    A person's corrections stay; a label given to an earlier wording says nothing of this `text`.
    """
    by_hand = corrections.tasks_in_force(tx, subject_kind="post", subject_ids=[post_id], text=text)
    posts.change(tx, post_id, changes=columns(judged, held={task for _, task in by_hand}))
    by_hand = corrections.tasks_in_force(tx, subject_kind="mention", subject_ids=mention_ids)
    for mention_id, prediction in zip(mention_ids, judged.towards, strict=True):
        if prediction is not None and (mention_id, prediction.task) not in by_hand:
            mentions.judge(tx, mention_id, **towards(prediction))
    return said(post_id, mention_ids=mention_ids, judged=judged)


def _label(prediction: Prediction) -> str | None:
    return None if prediction.abstained else prediction.label


def _score(prediction: Prediction) -> float | None:
    score = prediction.sentiment_score
    return None if prediction.abstained or score is None else round(score, DIGITS)
