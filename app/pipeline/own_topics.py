"""The analysts' own topics: made, changed and deleted; found in whatever is counted, and in the last four weeks.

Posts are matched where their stories are counted, so that no way in can miss them; a job counts what was there before.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from app import clock
from app.domain.own_topic import OwnTopic
from app.domain.people import Viewer
from app.errors import Conflict, FieldError, InputError
from app.monitor.own_topics import Matcher, normal
from app.pipeline import history
from app.pipeline.services import Services
from app.store import jobs, own_topics, rules
from app.store.db import Transaction

LONGEST_TITLE, LONGEST_WORD, MOST_WORDS, MOST_TOPICS = 60, 80, 100, 200
SHORTEST_WORD = 2
_EDITABLE = frozenset({"title", "words", "without"})


def match(tx: Transaction, story_ids: Iterable[int]) -> None:
    """Find the topics of every post of these stories anew."""
    topics = own_topics.every(tx)
    if not topics and not own_topics.is_any(tx):
        return
    matcher = Matcher(topics)
    own_topics.put(tx, {post_id: matcher.find(text) for post_id, text in own_topics.texts(tx, story_ids).items()})


def add(
    services: Services, *, viewer: Viewer, title: str, words: Sequence[str], without: Sequence[str] = ()
) -> OwnTopic:
    """Define a topic and count the last 28 days for it, as a job; raises InputError, Conflict `name_taken`."""
    values = _checked({"title": title, "words": words, "without": without})
    with services.db.transaction() as tx:
        if len(own_topics.every(tx)) >= MOST_TOPICS:
            raise InputError("too_many_topics", limit=MOST_TOPICS)
        topic_id = own_topics.insert(tx, values=values)
        history.record(
            tx, actor=history.of(viewer), verb="created", noun="own_topic", noun_id=topic_id, after={"title": title}
        )
        _queue(tx, topic_id, viewer=viewer)
        return own_topics.get(tx, topic_id)


def change(
    services: Services, topic_id: int, *, viewer: Viewer, changes: Mapping[str, Any], version: int | None = None
) -> OwnTopic:
    """Change a topic; other words are counted anew, as a job. Raises NotFound, Stale, InputError, Conflict."""
    wanted = _checked(changes)
    with services.db.transaction() as tx:
        was = own_topics.get(tx, topic_id)
        topic = own_topics.update(tx, topic_id, changes=wanted, version=version)
        before = {key: getattr(was, key) for key in wanted}
        history.record(
            tx,
            actor=history.of(viewer),
            verb="edited",
            noun="own_topic",
            noun_id=topic_id,
            before=before,
            after=wanted,
        )
        if (topic.words, topic.without) != (was.words, was.without):
            _queue(tx, topic_id, viewer=viewer)
        return topic


def remove(services: Services, topic_id: int, *, viewer: Viewer) -> None:
    """Give a topic up; its counts go, as a job. Raises Conflict `topic_watched` while a rule names it."""
    with services.db.transaction() as tx:
        topic = own_topics.get(tx, topic_id)
        watching = [one.name for one in rules.every(tx) if one.subject_id == topic.subject_id]
        if watching:
            raise Conflict("topic_watched", name=watching[0])
        own_topics.update(tx, topic_id, changes={"is_active": False})
        history.record(
            tx,
            actor=history.of(viewer),
            verb="deleted",
            noun="own_topic",
            noun_id=topic_id,
            before={"title": topic.title},
        )
        _queue(tx, topic_id, viewer=viewer)


def _queue(tx: Transaction, topic_id: int, *, viewer: Viewer) -> None:
    job_id = jobs.insert(
        tx, kind="count_topic", params={"topic_id": topic_id}, user_id=viewer.user_id, at=clock.now_ms()
    )
    history.record(
        tx, actor=history.of(viewer), verb="queued", noun="job", noun_id=job_id, after={"kind": "count_topic"}
    )


def _checked(values: Mapping[str, Any]) -> dict[str, Any]:
    unknown = sorted(set(values) - _EDITABLE)
    if unknown:
        raise InputError("unknown_field", field=unknown[0])
    found = dict(values)
    if "title" in found:
        found["title"] = " ".join(str(found["title"]).split())
        if not found["title"]:
            raise InputError("empty_field", fields=[FieldError(pointer="/title", code="empty")])
        if len(found["title"]) > LONGEST_TITLE:
            raise InputError("too_long", limit=LONGEST_TITLE)
    for key in ("words", "without"):
        if key in found:
            found[key] = _phrases(found[key], key=key)
    if "words" in found and not found["words"]:
        raise InputError("topic_without_words", fields=[FieldError(pointer="/words", code="empty")])
    return found


def _phrases(given: Iterable[str], *, key: str) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(phrase for one in given if (phrase := " ".join(str(one).split()))))
    if len(found) > MOST_WORDS:
        raise InputError("too_many_words", limit=MOST_WORDS)
    for phrase in found:
        bare = normal(phrase).replace("*", "").strip()
        # A single Chinese character is a word; a single letter is in every text.
        if len(phrase) > LONGEST_WORD or len(bare) < (SHORTEST_WORD if bare.isascii() else 1):
            raise InputError("bad_word", fields=[FieldError(pointer=f"/{key}", code="bad_word")], word=phrase[:40])
    return found
