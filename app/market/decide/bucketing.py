"""Posts counted into hourly buckets of unique stories, and buckets into windows and points.

A story counts once for each subject, in the hour of its first post; every post counts in `n_posts` of its own hour.
Scores are rounded to 1/1024, which floats add and take away without any error: buckets kept up to date one post at a
time are equal, to the last bit, to buckets counted anew.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import accumulate

from app.core.durations import HOUR_MS
from app.market.domain.market import Mention, SubjectKind
from app.market.domain.series import Bucket, CountedPost, Point, Saying, Window

MARKET = "all"
"""The subject id of the whole market."""

SCORE_STEPS = 1024
N_COUNTS = 7

Place = tuple[SubjectKind, str, int]
Counts = tuple[float, ...]


def bucket_at(at: int) -> int:
    """Return the beginning of the hour that `at` (milliseconds UTC) falls into."""
    return at - at % HOUR_MS


def sayings(post: CountedPost, *, mentions: Sequence[Mention], topics: Sequence[str] = ()) -> tuple[Saying, ...]:
    """Return what a post says of each subject: its companies, its topics, its feed and the market.

    Of several mentions of one entity the surest counts. An abstained topic is no subject; `topics` are the subject ids
    of the analysts' own.
    """
    found = [_towards(post, mention) for mention in _surest(mentions)]
    own = topics if post.topic is None or post.is_topic_abstained else (post.topic, *topics)
    subjects: list[tuple[SubjectKind, str]] = [("topic", topic) for topic in own]
    subjects += [("feed", str(post.feed_id)), ("market", MARKET)]
    found += [
        Saying(
            subject_kind=kind,
            subject_id=subject_id,
            post_id=post.id,
            at=post.occurred_at,
            story_id=post.story_id,
            sentiment=post.sentiment,
            sentiment_score=post.sentiment_score,
            is_abstained=post.sentiment is None,
        )
        for kind, subject_id in subjects
    ]
    return tuple(found)


def tally(all_sayings: Iterable[Saying]) -> tuple[Bucket, ...]:
    """Return buckets counted from nothing, of sayings in any order; incremental counting must equal them."""
    return difference(all_sayings, before=())


def difference(after: Iterable[Saying], *, before: Iterable[Saying]) -> tuple[Bucket, ...]:
    """Return what to add to buckets that count the sayings `before`, so that they count those `after` instead."""
    sums: dict[Place, list[float]] = {}
    _count(after, sums=sums, sign=1)
    _count(before, sums=sums, sign=-1)
    return tuple(_bucket(place, counts=tuple(sums[place])) for place in sorted(sums) if any(sums[place]))


def _count(all_sayings: Iterable[Saying], *, sums: dict[Place, list[float]], sign: int) -> None:
    seen: set[tuple[str, str, int, int]] = set()
    for saying in sorted(all_sayings, key=_order):
        place = (saying.subject_kind, saying.subject_id, bucket_at(saying.at))
        held = sums.setdefault(place, [0.0] * N_COUNTS)
        held[0] += sign
        key = (saying.subject_kind, saying.subject_id, *_story_key(saying))
        if key not in seen:
            seen.add(key)
            for at, count in enumerate(_story_counts(saying), start=1):
                held[at] += sign * count


def merged(buckets: Iterable[Bucket]) -> tuple[Bucket, ...]:
    """Return buckets with those of one subject and hour added up, by subject and time; empty ones are left out."""
    sums: dict[Place, list[float]] = {}
    for bucket in buckets:
        held = sums.setdefault((bucket.subject_kind, bucket.subject_id, bucket.at), [0.0] * N_COUNTS)
        for at, count in enumerate(_counts(bucket)):
            held[at] += count
    return tuple(_bucket(place, counts=tuple(sums[place])) for place in sorted(sums) if any(sums[place]))


class Timeline:
    """One subject's buckets in order, with running sums: any window is found in O(log n)."""

    def __init__(self, buckets: Iterable[Bucket]) -> None:
        self.buckets = sorted(buckets, key=lambda bucket: bucket.at)
        self._times = [bucket.at for bucket in self.buckets]
        columns = zip(*map(_counts, self.buckets), strict=True)
        self._sums = [list(accumulate(column, initial=0.0)) for column in columns]

    def window(self, *, since: int, until: int) -> Window:
        """Sums of the buckets that begin at or after `since` and before `until` (milliseconds UTC)."""
        if not self.buckets:
            return Window(since=since, until=until)
        low, high = bisect_left(self._times, since), bisect_left(self._times, until)
        n_posts, n_stories, n_negative, n_neutral, n_positive, _, score_sum = (
            column[max(low, high)] - column[low] for column in self._sums
        )
        return Window(
            since=since,
            until=until,
            n_posts=int(n_posts),
            n_stories=int(n_stories),
            n_negative=int(n_negative),
            n_neutral=int(n_neutral),
            n_positive=int(n_positive),
            score_sum=score_sum,
        )


def points(buckets: Iterable[Bucket], *, since: int, until: int, step_ms: int) -> tuple[Point, ...]:
    """Return one point for every step from the hour of `since` to before `until`; silent steps are points with zeros.

    `step_ms` is a whole number of hours. Net sentiment is the mean sentiment_score of the stories with a class.
    """
    if step_ms < HOUR_MS or step_ms % HOUR_MS:
        raise ValueError(f"step_ms must be a whole number of hours, not {step_ms}")
    timeline = Timeline(buckets)
    starts = range(bucket_at(since), until, step_ms)
    return tuple(_point(timeline.window(since=at, until=min(at + step_ms, until))) for at in starts)


def _point(part: Window) -> Point:
    return Point(
        at=part.since,
        n_posts=part.n_posts,
        n_stories=part.n_stories,
        n_negative=part.n_negative,
        net_sentiment=part.net_sentiment,
        negative_share=part.negative_share,
        n_scored=part.n_scored,
    )


def _surest(mentions: Sequence[Mention]) -> list[Mention]:
    best: dict[int, Mention] = {}
    for mention in mentions:
        held = best.setdefault(mention.entity_id, mention)
        if _sureness(mention) > _sureness(held):
            best[mention.entity_id] = mention
    return list(best.values())


def _sureness(mention: Mention) -> tuple[bool, float]:
    return not mention.is_abstained and mention.sentiment is not None, mention.probability or 0.0


def _towards(post: CountedPost, mention: Mention) -> Saying:
    sentiment = None if mention.is_abstained else mention.sentiment
    return Saying(
        subject_kind="entity",
        subject_id=str(mention.entity_id),
        post_id=post.id,
        at=post.occurred_at,
        story_id=post.story_id,
        sentiment=sentiment,
        sentiment_score=mention.sentiment_score,
        is_abstained=sentiment is None,
    )


def _story_counts(saying: Saying) -> Counts:
    """The counts of one story, in the order of `_counts` after the posts."""
    sentiment = None if saying.is_abstained else saying.sentiment
    score = 0.0 if sentiment is None else saying.sentiment_score or 0.0
    return (
        1,
        sentiment == "negative",
        sentiment == "neutral",
        sentiment == "positive",
        sentiment is None,
        round(score * SCORE_STEPS) / SCORE_STEPS,
    )


def _order(saying: Saying) -> tuple[int, int]:
    return saying.at, saying.post_id


def _story_key(saying: Saying) -> tuple[int, int]:
    return (0, saying.story_id) if saying.story_id is not None else (1, saying.post_id)


def _counts(bucket: Bucket) -> Counts:
    return (
        bucket.n_posts,
        bucket.n_stories,
        bucket.n_negative,
        bucket.n_neutral,
        bucket.n_positive,
        bucket.n_abstained,
        bucket.score_sum,
    )


def _bucket(place: Place, *, counts: Counts) -> Bucket:
    n_posts, n_stories, n_negative, n_neutral, n_positive, n_abstained, score_sum = counts
    kind, subject_id, at = place
    return Bucket(
        subject_kind=kind,
        subject_id=subject_id,
        at=at,
        n_posts=int(n_posts),
        n_stories=int(n_stories),
        n_negative=int(n_negative),
        n_neutral=int(n_neutral),
        n_positive=int(n_positive),
        n_abstained=int(n_abstained),
        score_sum=score_sum,
    )
