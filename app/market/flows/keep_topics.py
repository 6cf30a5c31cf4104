"""The analysts' own topics: made, changed and deleted; found in whatever is counted, and in the last four weeks.

Posts are matched where their stories are counted, so that no way in can miss them; a job counts what was there before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from app.core import clock
from app.core.db import Reads, Transaction
from app.core.errors import Conflict, FieldError, InputError
from app.core.events import history
from app.core.jobs import job_rows
from app.core.permissions import Viewer
from app.core.registry import Registry
from app.core.services import Services
from app.market.decide.topic_words import Matcher, normal
from app.market.domain.topic import OwnTopic
from app.market.flows import learn_topic
from app.market.store import topics as own_topics

LONGEST_TITLE, LONGEST_WORD, MOST_WORDS, MOST_TOPICS = 60, 80, 100, 200
SHORTEST_WORD = 2
LONGEST_EXAMPLE, FEWEST_EXAMPLES, MOST_EXAMPLES, WIDEST_REACH = 2000, 3, 50, 20.0
_MAKING = ("words", "without", "examples", "unlike", "reach")
_EDITABLE = frozenset({"title", *_MAKING})
WATCHERS: Registry[Callable[[Reads, str], Sequence[str]]] = Registry()
"""Names what watches the topic with this subject id, which is then not given up."""


def match(tx: Transaction, story_ids: Iterable[int]) -> None:
    """Find the topics of every post of these stories anew."""
    topics = own_topics.every(tx)
    if not topics and not own_topics.is_any(tx):
        return
    matcher = Matcher(topics)
    told = own_topics.texts(tx, story_ids)
    alike = own_topics.likes(tx, told)
    own_topics.put(tx, {post_id: matcher.find(text, alike=alike.get(post_id, ())) for post_id, text in told.items()})


def add(services: Services, *, viewer: Viewer, title: str, **given: Any) -> OwnTopic:
    """Define a topic by words, examples or both and count the last 28 days for it, as a job.

    Raises InputError, Conflict `name_taken`, and NotReady for examples when there is no search encoder.
    """
    values = _learned(services, _checked({"words": (), "examples": (), "title": title, **given}))
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
    """Change a topic; what makes it is counted anew, as a job. Raises NotFound, Stale, and as `add`."""
    known = own_topics.get(services.db, topic_id)
    wanted = _checked(changes)
    _check_made(words=wanted.get("words", known.words), examples=wanted.get("examples", known.examples))
    stored = _learned(services, wanted, known=known)
    with services.db.transaction() as tx:
        was = own_topics.get(tx, topic_id)
        topic = own_topics.update(tx, topic_id, changes=stored, version=version)
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
        if any(getattr(topic, key) != getattr(was, key) for key in _MAKING):
            _queue(tx, topic_id, viewer=viewer)
        return topic


def preview(
    services: Services, *, viewer: Viewer, examples: Sequence[str], unlike: Sequence[str] = (), reach: float
) -> learn_topic.Preview:
    """What these examples would find among the newest posts, before a topic counts; raises InputError, NotReady."""
    wanted = _checked({"words": (), "examples": examples, "unlike": unlike, "reach": reach})
    return learn_topic.preview(
        services, examples=wanted["examples"], unlike=wanted["unlike"], reach=float(wanted["reach"]), viewer=viewer
    )


def remove(services: Services, topic_id: int, *, viewer: Viewer) -> None:
    """Give a topic up; its counts go, as a job. Raises Conflict `topic_watched` while a rule names it."""
    with services.db.transaction() as tx:
        topic = own_topics.get(tx, topic_id)
        watching = [name for names_of in WATCHERS for name in names_of(tx, topic.subject_id)]
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
    job_id = job_rows.insert(
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
        found["title"] = _title(found["title"])
    for key in ("words", "without"):
        if key in found:
            found[key] = _phrases(found[key], key=key)
    for key in ("examples", "unlike"):
        if key in found:
            found[key] = _texts(found[key], key=key)
    if "reach" in found and not 0 < float(found["reach"]) <= WIDEST_REACH:
        raise InputError("bad_reach", fields=[FieldError(pointer="/reach", code="bad_reach")], limit=WIDEST_REACH)
    if {"words", "examples"} <= set(found):
        _check_made(words=found["words"], examples=found["examples"])
    return found


def _title(given: Any) -> str:
    title = " ".join(str(given).split())
    if not title:
        raise InputError("empty_field", fields=[FieldError(pointer="/title", code="empty")])
    if len(title) > LONGEST_TITLE:
        raise InputError("too_long", limit=LONGEST_TITLE)
    return title


def _check_made(*, words: Sequence[str], examples: Sequence[str]) -> None:
    if not words and not examples:
        raise InputError("topic_without_words", fields=[FieldError(pointer="/words", code="topic_without_words")])
    if examples and len(examples) < FEWEST_EXAMPLES:
        pointer = [FieldError(pointer="/examples", code="too_few_examples")]
        raise InputError("too_few_examples", fields=pointer, limit=FEWEST_EXAMPLES)


def _learned(services: Services, values: dict[str, Any], *, known: OwnTopic | None = None) -> dict[str, Any]:
    """The values with what the examples mean, where they changed."""
    made = {key: values.get(key, getattr(known, key, ())) for key in ("examples", "unlike")}
    reach = float(values.get("reach", known.reach if known else OwnTopic.reach))
    if not made["examples"]:
        return values | {"likeness": None}
    if known is not None and (made["examples"], made["unlike"], reach) == (known.examples, known.unlike, known.reach):
        return values
    return values | {"likeness": asdict(learn_topic.learned(services, **made, reach=reach))}


def _texts(given: Iterable[str], *, key: str) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(text for one in given if (text := " ".join(str(one).split()))))
    if len(found) > MOST_EXAMPLES:
        raise InputError("too_many_examples", limit=MOST_EXAMPLES)
    if any(len(text) > LONGEST_EXAMPLE for text in found):
        raise InputError("too_long", fields=[FieldError(pointer=f"/{key}", code="too_long")], limit=LONGEST_EXAMPLE)
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
