"""Corrections of posts and of mentions in them; each is counted in every series at once."""

from __future__ import annotations

import sqlite3
from dataclasses import replace

from app.core.db import Reads, Transaction
from app.core.errors import NotFound
from app.core.events.event import Event
from app.core.nouns import Fields, Noun
from app.core.permissions import Viewer
from app.core.prediction import StoredPrediction
from app.intents.decide.label_columns import columns as label_columns
from app.intents.flows.correct_prediction import SeenText
from app.intents.flows.undo_correction import UNDO_CORRECTION
from app.market.domain.market import Post
from app.market.flows.count_posts import keep_counts
from app.market.store import mentions, posts


class PostSubject:
    """A post as the subject of a correction."""

    noun = "post"

    def seen(self, tx: Transaction, subject_id: int, *, viewer: Viewer) -> SeenText:
        """The text of a post; raises NotFound for one out of sight."""
        post = POST.get(tx, subject_id, viewer=viewer)
        return SeenText(noun_id=post.id, text=post.text)

    def believed(self, tx: Transaction, stored: StoredPrediction, *, noun_id: int, label: str) -> Fields:
        """The columns that a person's label changes."""
        return label_columns(stored.prediction.role, label=label)

    def write(self, tx: Transaction, subject_id: int, *, noun_id: int, columns: Fields) -> Fields:
        """Write the columns of a post and count its story anew; returns what they were."""
        post = posts.get(tx, noun_id)
        with keep_counts(tx, _stories(post.story_id)):
            posts.update(tx, replace(post, **columns), columns=tuple(columns))
        return {key: getattr(post, key) for key in columns}


class MentionSubject(PostSubject):
    """A mention in a post as the subject of a correction."""

    def seen(self, tx: Transaction, subject_id: int, *, viewer: Viewer) -> SeenText:
        """The text of the post with the place of the mention; raises NotFound for one out of sight."""
        mention = mentions.get(tx, subject_id)
        post = POST.get(tx, mention.post_id, viewer=viewer)
        return SeenText(noun_id=post.id, text=post.text, target=(mention.start, mention.end))

    def believed(self, tx: Transaction, stored: StoredPrediction, *, noun_id: int, label: str) -> Fields:
        """The columns that a person's label changes; a person does not abstain."""
        role, found = stored.prediction.role, super().believed(tx, stored, noun_id=noun_id, label=label)
        is_sentiment = role in ("sentiment", "market_sentiment")
        return {**found, **({"probability": None, "is_abstained": False} if is_sentiment else {})}

    def write(self, tx: Transaction, subject_id: int, *, noun_id: int, columns: Fields) -> Fields:
        """Write the columns of a mention and count the story of its post anew; returns what they were."""
        post = posts.get(tx, noun_id)
        with keep_counts(tx, _stories(post.story_id)):
            mention = mentions.get(tx, subject_id)
            mentions.judge(tx, replace(mention, **columns))
        return {key: getattr(mention, key) for key in columns}


def _stories(story_id: int | None) -> list[int]:
    return [] if story_id is None else [story_id]


class PostNoun(Noun[Post]):
    """Posts of feeds in sight; nobody edits one, and corrections of it or of its mentions can be taken back."""

    name = "post"
    permission = "posts:write"
    fields = frozenset[str]()

    def make(self, row: sqlite3.Row) -> Post:
        """A post out of its row."""
        return posts.as_post(row)

    def see(self, db: Reads, row: Post, viewer: Viewer) -> None:
        """Raise NotFound for a post out of the viewer's sight."""
        if not viewer.sees_feed(row.feed_id):
            raise NotFound(noun="post", id=row.id)

    def is_in_the_way(self, event: Event, later: Event) -> bool:
        """Return True where a later event changed the same fields of the post, or of the same mention in it."""
        is_same = event.after.get("subject_id") == later.after.get("subject_id")
        return is_same and super().is_in_the_way(event, later)


POST = PostNoun({"corrected": UNDO_CORRECTION})
