"""The model's judgement of posts: the topic and sentiment of each, and the sentiment towards each company in it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from app.core.prediction import Prediction, Reading
from app.core.services import Services
from app.market.domain.market import Mention, Post, Span
from app.model.flows.read_text import POST_ROLES, read
from app.model.store.predictions import Said

Item = tuple[str, tuple[Span, ...]]

DIGITS = 6


@dataclass(frozen=True, kw_only=True)
class Judged:
    """The reading of a post's text, and the prediction towards each of its mentions."""

    reading: Reading
    towards: tuple[Prediction | None, ...]


def judge(services: Services, items: Sequence[Item], *, languages: Mapping[str, str] | None = None) -> list[Judged]:
    """Read texts with the spans of the companies in them; raises NotReady, Overloaded, TaskMissing.

    `languages` are the codes of texts whose feed names one.
    """
    texts, targets = [], []
    for text, spans in items:
        texts += [text] * (1 + len(spans))
        targets += [None, *((span.start, span.end) for span in spans)]
    readings = iter(read(services, texts, roles=POST_ROLES, targets=targets, lane="bulk", languages=languages))
    return [
        Judged(reading=next(readings), towards=tuple(next(readings).of_role("market_sentiment") for _ in spans))
        for _, spans in items
    ]


def judged_post(post: Post, reading: Reading, *, held: Collection[str] = ()) -> Post:
    """Return the post as the model reads it; what a person said of the tasks in `held` stays."""
    topic, sentiment = reading.of_role("market_topic"), reading.of_role("market_sentiment")
    found = replace(post, language=reading.language, is_supported=reading.is_supported, pending_at=None)
    if topic is not None and topic.task not in held:
        found = replace(
            found,
            topic=None if topic.abstained else topic.label,
            topic_probability=round(topic.probability, DIGITS),
            is_topic_abstained=topic.abstained,
        )
    if sentiment is not None and sentiment.task not in held:
        found = replace(found, sentiment=_label(sentiment), sentiment_score=_score(sentiment))
    return found


def judged_mention(mention: Mention, prediction: Prediction | None) -> Mention:
    """Return the mention with the sentiment that was predicted towards it; unchanged where there is none."""
    if prediction is None:
        return mention
    return replace(
        mention,
        sentiment=_label(prediction),
        sentiment_score=_score(prediction),
        probability=round(prediction.probability, DIGITS),
        is_abstained=prediction.abstained,
    )


def predictions_of(post_id: int, *, mention_ids: Sequence[int], judged: Judged) -> list[Said]:
    """Return the predictions of a post and of its mentions, to be kept as they were said."""
    pairs = zip(mention_ids, judged.towards, strict=True)
    return [
        *(("post", post_id, one) for one in judged.reading.predictions),
        *(("mention", mention_id, one) for mention_id, one in pairs if one is not None),
    ]


def _label(prediction: Prediction) -> str | None:
    return None if prediction.abstained else prediction.label


def _score(prediction: Prediction) -> float | None:
    score = prediction.sentiment_score
    return None if prediction.abstained or score is None else round(score, DIGITS)
