"""The analysts' own topics: defined, changed and given up; each change is counted over the last four weeks by a job."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace

from app.core import changes, clock
from app.core.db import Reads, Transaction
from app.core.errors import Conflict, InputError, NotFound
from app.core.events import history
from app.core.jobs import job_rows
from app.core.nouns import Changed, Fields, Noun
from app.core.permissions import Viewer
from app.core.registry import Registry
from app.core.services import Services
from app.market.decide.topic_definition import check_definition
from app.market.domain.topic import Likeness, OwnTopic
from app.market.flows import learn_topic
from app.market.store import topics

MOST_TOPICS = 200
WATCHERS: Registry[Callable[[Reads, str], Sequence[str]]] = Registry()
"""Names what watches the topic with this subject id, which is then not given up."""

_EXAMPLES = frozenset({"examples", "unlike", "reach"})
_DEFINITION = _EXAMPLES | {"words", "without"}


class OwnTopicNoun(Noun[OwnTopic]):
    """Topics in use; the row of one that was given up stays, so that its title is known where it was named."""

    name = "own_topic"
    permission = "feeds:write"
    fields = frozenset({"title", *_DEFINITION, "likeness"})
    needed = ("title",)
    unique = "title"
    title = "topic"
    titles = ("title",)
    derived = frozenset({"likeness"})

    def make(self, row: sqlite3.Row) -> OwnTopic:
        """A topic out of its row."""
        return topics.as_topic(row)

    def see(self, db: Reads, row: OwnTopic, viewer: Viewer) -> None:
        """Raise NotFound for a topic that was given up."""
        if not row.is_active:
            raise NotFound(noun="topic", id=row.id)

    def check(self, tx: Transaction, given: Fields, was: OwnTopic | None) -> Fields:
        """The fields of a topic; raises InputError."""
        if was is None and len(topics.every(tx)) >= MOST_TOPICS:
            raise InputError("too_many_topics", limit=MOST_TOPICS)
        return check_definition({"words": (), "examples": (), **given} if was is None else given, was=was)

    def columns(self, values: Fields) -> Fields:
        """The fields as their columns keep them."""
        likeness: Likeness | None = values.get("likeness")
        return {**values, **({} if likeness is None else {"likeness": asdict(likeness)})}

    def consequences(self, tx: Transaction, was: OwnTopic, wanted: Fields, *, is_undo: bool) -> Fields:
        """Nothing is like the examples that an undo brings back until the job has learned them."""
        return {"likeness": None} if is_undo and not _EXAMPLES.isdisjoint(wanted) else {}

    def delete(self, tx: Transaction, row: OwnTopic) -> None:
        """Give a topic up; raises Conflict `topic_watched` while a rule names it."""
        watching = [name for names_of in WATCHERS for name in names_of(tx, row.subject_id)]
        if watching:
            raise Conflict("topic_watched", name=watching[0])
        self.update(tx, row.id, {"is_active": False})

    def follow(self, tx: Transaction, was: OwnTopic | None, row: OwnTopic | None, viewer: Viewer) -> None:
        """Queue the job that counts a topic whose definition is new, other or gone."""
        topic = row or was
        if topic is not None and (was is None or row is None or _definition(was) != _definition(row)):
            _queue_count(tx, topic.id, viewer=viewer)


def _definition(topic: OwnTopic) -> list[object]:
    return [getattr(topic, name) for name in sorted(_DEFINITION)]


def _queue_count(tx: Transaction, topic_id: int, *, viewer: Viewer) -> None:
    params = {"topic_id": topic_id}
    job_id = job_rows.insert(tx, kind="count_topic", params=params, user_id=viewer.user_id, at=clock.now_ms())
    after = {"kind": "count_topic"}
    history.record(tx, actor=history.of(viewer), verb="queued", noun="job", noun_id=job_id, after=after)


OWN_TOPIC = OwnTopicNoun()


def every(services: Services) -> tuple[OwnTopic, ...]:
    """Return the topics in use, by title."""
    return topics.every(services.db)


def n_posts(services: Services) -> dict[int, int]:
    """Return how many posts each topic has."""
    return topics.counts(services.db)


def add_topic(services: Services, given: Fields, *, viewer: Viewer) -> Changed[OwnTopic]:
    """Define a topic by words, examples or both, and learn what its examples mean.

    Raises InputError, Conflict `name_taken`, and NotReady for examples when there is no search encoder.
    """
    return changes.add(services.db, OWN_TOPIC, _learned(services, given, was=None), viewer=viewer)


def change_topic(
    services: Services, topic_id: int, given: Fields, *, viewer: Viewer, version: int | None = None
) -> Changed[OwnTopic]:
    """Change a topic, and learn what other examples mean; raises NotFound, Stale, and as `add_topic` does."""
    was = OWN_TOPIC.get(services.db, topic_id, viewer=viewer)
    learned = _learned(services, given, was=was)
    # What was learned belongs to the examples that were read: nobody may have changed them meanwhile.
    asked = was.version if version is None and "likeness" in learned else version
    return changes.change(services.db, OWN_TOPIC, topic_id, learned, viewer=viewer, version=asked)


def _learned(services: Services, given: Fields, *, was: OwnTopic | None) -> Fields:
    """The fields with the likeness to the examples where these are new; it is learned before any transaction."""
    found = check_definition({"words": (), "examples": (), **given} if was is None else given, was=was)
    known = was or OwnTopic(id=0, title="", words=())
    wanted = replace(known, **{name: value for name, value in found.items() if name in _EXAMPLES})
    if all(getattr(wanted, name) == getattr(known, name) for name in _EXAMPLES):
        return given
    return {**given, "likeness": learn_topic.learn(services, wanted) if wanted.examples else None}
