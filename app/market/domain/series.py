"""Counts over time, which are drawn and which rules are evaluated on."""

from __future__ import annotations

from dataclasses import dataclass

from app.core.interval import Range
from app.market.domain.market import SubjectKind


@dataclass(frozen=True, kw_only=True)
class Bucket:
    """Unique stories on one subject in one hour of event time, counted by their sentiment.

    `n_posts` counts the copies too. `score_sum` adds the stories' sentiment_score.
    `n_abstained` stories are in `n_stories` and in no class.
    """

    subject_kind: SubjectKind
    subject_id: str
    at: int
    n_posts: int = 0
    n_stories: int = 0
    n_negative: int = 0
    n_neutral: int = 0
    n_positive: int = 0
    n_abstained: int = 0
    score_sum: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Point:
    """One point of a drawn series; `net_sentiment` is None where nothing was said, `n_scored` stories have a class."""

    at: int
    n_posts: int
    n_stories: int
    n_negative: int
    net_sentiment: float | None
    negative_share: float | None
    n_scored: int = 0


@dataclass(frozen=True, kw_only=True)
class Expected:
    """The usual range of a subject's figures in one step that is drawn, and how sure the share seen in it is.

    `stories` is a count, `share` and `net` are those that so many stories usually have. None: too little is known.
    """

    at: int
    stories: Range | None = None
    share: Range | None = None
    net: Range | None = None
    share_seen: Range | None = None


@dataclass(frozen=True, kw_only=True)
class Window:
    """Sums over a stretch of time, on which rules are evaluated."""

    since: int
    until: int
    n_posts: int = 0
    n_stories: int = 0
    n_negative: int = 0
    n_neutral: int = 0
    n_positive: int = 0
    score_sum: float = 0.0

    @property
    def n_scored(self) -> int:
        """Stories with a class."""
        return self.n_negative + self.n_neutral + self.n_positive

    @property
    def negative_share(self) -> float | None:
        """Negative stories among those with a class, 0–1; None when there are none."""
        return self.n_negative / self.n_scored if self.n_scored else None

    @property
    def net_sentiment(self) -> float | None:
        """Mean sentiment_score of the stories with a class, −1 to 1; None when there are none."""
        return self.score_sum / self.n_scored if self.n_scored else None


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedPost:
    """The part of a post that is counted, without its words."""

    id: int
    feed_id: int
    occurred_at: int
    story_id: int | None
    topic: str | None
    is_topic_abstained: bool
    sentiment: str | None
    sentiment_score: float | None


@dataclass(frozen=True, kw_only=True)
class Saying:
    """One post's sentiment on one subject: the unit that buckets count.

    Posts of one story say the same: the earliest (`at`, then `post_id`) stands for it, the others are copies.
    `sentiment` None or `is_abstained`: counted as a story without a class. A post of no known story is its own.
    """

    subject_kind: SubjectKind
    subject_id: str
    post_id: int
    at: int
    story_id: int | None = None
    sentiment: str | None = None
    sentiment_score: float | None = None
    is_abstained: bool = False
