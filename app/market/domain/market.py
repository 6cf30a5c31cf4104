"""Feeds, posts, stories, companies and mentions of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from app.core.quarantine.arrival import ItemForm
from app.core.text.times import Precision

FeedKind = Literal["push", "rss", "file"]
PostState = Literal["created", "updated", "unchanged", "failed"]
SubjectKind = Literal["entity", "topic", "feed", "market"]

LONGEST_READING_S = 10
"""Seconds of processor time that one RSS or Atom document may take; ten megabytes of ordinary news take three."""


@dataclass(frozen=True, kw_only=True)
class Feed:
    """A source of posts; `next_fetch_at` is for kinds that are polled, `last_error` is a code.

    `weight` ranks its posts; `language` is taken for that of its posts where it is given; with `silent_after_ms` it is
    said to be silent when nothing came for so long. `interval_ms` is how often it is fetched, None: as often as the
    installation fetches feeds. A `file` feed may watch the folder in `url`. The posts of a feed that `is_daily` have a
    date and no time.
    """

    id: int
    slug: str
    name: str
    kind: FeedKind
    url: str | None = None
    zone: str = "UTC"
    weight: float = 1.0
    licence_note: str = ""
    team_id: int | None = None
    is_active: bool = True
    etag: str | None = None
    last_modified: str | None = None
    last_fetched_at: int | None = None
    last_post_at: int | None = None
    last_error: str | None = None
    n_failures: int = 0
    next_fetch_at: int | None = None
    language: str = ""
    silent_after_ms: int | None = None
    interval_ms: int | None = None
    last_received_at: int | None = None
    is_daily: bool = False
    version: int = 1


@dataclass(frozen=True, kw_only=True)
class PostDraft:
    """One item of a feed as it was read, before anything is stored."""

    external_id: str
    title: str
    body: str = ""
    url: str | None = None
    author: str | None = None
    occurred_at: int | None = None
    precision: Precision = "second"


@dataclass(frozen=True, kw_only=True)
class PostResult:
    """The result of one row: `error` is a code with `params` when it failed, `row` counts rows from 1.

    A row that failed has its `raw` form, where it was read out of a file or a feed.
    """

    external_id: str
    id: int | None
    state: PostState
    error: str | None = None
    params: Mapping[str, object] = field(default_factory=dict)
    row: int = 0
    raw: str = field(default="", compare=False, repr=False)
    form: ItemForm = field(default="jsonl", compare=False, repr=False)


@dataclass(frozen=True, kw_only=True)
class Post:
    """One item of a feed: `text` is what the model reads; posts of one story say the same.

    `pending_at` is when the model may read it; None: it has.
    """

    id: int
    feed_id: int
    external_id: str
    title: str
    body: str
    text: str
    occurred_at: int
    received_at: int
    precision: Precision = "second"
    url: str | None = None
    author: str | None = None
    story_id: int | None = None
    topic: str | None = None
    topic_probability: float | None = None
    is_topic_abstained: bool = False
    sentiment: str | None = None
    sentiment_score: float | None = None
    language: str = "en"
    is_supported: bool = True
    pending_at: int | None = None
    version: int = 1


@dataclass(frozen=True, kw_only=True)
class Story:
    """Posts that say the same: `key` is the fingerprint of the first one's title, times are event times."""

    id: int
    key: str
    title: str
    first_at: int
    last_at: int


@dataclass(frozen=True, kw_only=True)
class Entity:
    """A company that is watched; an alias in `ambiguous` counts only beside another sign of the company."""

    id: int
    ticker: str
    name: str
    sector: str = ""
    aliases: tuple[str, ...] = ()
    ambiguous: tuple[str, ...] = ()
    competitors: tuple[str, ...] = ()
    version: int = 1


@dataclass(frozen=True, kw_only=True)
class Span:
    """The place of an entity in a text: characters `start` to `end`."""

    entity_id: int
    start: int
    end: int
    surface: str


@dataclass(frozen=True, kw_only=True)
class Mention:
    """An entity in a post with the sentiment towards it; abstained mentions carry no label into the series.

    `occurred_at` is the post's event time.
    """

    id: int
    post_id: int
    entity_id: int
    start: int
    end: int
    surface: str
    occurred_at: int
    sentiment: str | None = None
    sentiment_score: float | None = None
    probability: float | None = None
    is_abstained: bool = False


@dataclass(frozen=True, kw_only=True)
class PostFilter:
    """A choice of posts; None means any. Times are milliseconds UTC, `until` exclusive."""

    entity_id: int | None = None
    topic: str | None = None
    feed_id: int | None = None
    sentiment: str | None = None
    since: int | None = None
    until: int | None = None
    query: str = ""
