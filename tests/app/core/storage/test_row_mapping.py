"""What is written comes back: predictions, events, macros, articles, idempotency keys, notifications."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.answers.domain import MacroAction, Passage
from app.answers.store import articles, macros
from app.core.db import Database, open_database
from app.core.errors import InputError, NotFound
from app.core.events import event_log
from app.core.events.event import Event
from app.core.permissions import SYSTEM, Viewer
from app.core.prediction import Prediction, Scored
from app.core.storage import blobs, idempotency_keys
from app.core.storage.idempotency_keys import Kept
from app.desk.domain.ticket import AttachmentDraft
from app.desk.store import attachments
from app.market.domain.series import Bucket
from app.market.store import buckets
from app.model.store import predictions
from app.notify.store import notifications, receivers


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    """A new database."""
    database = open_database(tmp_path / "desk.sqlite")
    yield database
    database.close()


def test_a_prediction_comes_back_whole(db: Database) -> None:
    top = (Scored(label="anger", probability=0.75), Scored(label="joy", probability=0.25))
    given = Prediction(
        task="emotion",
        role="emotion",
        model="m@1.0",
        label="anger",
        probability=0.75,
        top=top,
        labels=("anger",),
        abstained=True,
        band="medium",
        band_precision=0.9,
    )
    shadow = replace(given, is_shadow=True, label="joy")
    with db.transaction() as tx:
        predictions.insert_all(tx, subject_kind="message", subject_id=3, predictions=[given, shadow], at=7)
    one, two = predictions.of_messages(db, [3, 4])
    assert (one.prediction, two.prediction) == (given, shadow)
    latest = predictions.latest(db, subject_kind="message", subject_id=3, task="emotion")
    assert latest == one


def test_events_are_read_by_thing_and_by_time(db: Database) -> None:
    def event(noun: str, number: int) -> Event:
        return Event(actor_kind="system", actor_id="x", verb="did", noun=noun, noun_id=number, after={"n": 1}, at=5)

    with db.transaction() as tx:
        ids = [event_log.record(tx, event(noun, 1)) for noun in ("ticket", "alert", "user", "ticket")]
    assert [one.id for one in event_log.of(db, "ticket", 1)] == [ids[0], ids[3]]
    assert [one.id for one in event_log.after(db, ids[0])] == ids[1:]
    analyst = Viewer(user_id=1, name="", role="analyst", permissions=frozenset({"alerts:read"}))
    assert [one.noun for one in event_log.after(db, 0, viewer=analyst)] == ["alert"]
    blind = Viewer(user_id=1, name="", role="agent", permissions=frozenset({"tickets:read"}), queue_ids=frozenset({9}))
    assert event_log.after(db, 0, viewer=blind) == ()
    assert event_log.last_id(db) == ids[-1]
    assert [one.noun for one in event_log.page(db, noun="user").items] == ["user"]


def test_an_idempotency_key_is_one_request(db: Database) -> None:
    asked = {"actor": "t1", "key": "k", "fingerprint": "f"}
    answer = Kept(status=201, headers={"etag": "1"}, body=b"{}")
    assert idempotency_keys.find(db, **asked) is None
    with db.transaction() as tx:
        idempotency_keys.keep(tx, answer, at=10, **asked)
        idempotency_keys.keep(tx, Kept(status=200), at=11, **asked)
    assert idempotency_keys.find(db, **asked) == answer
    with pytest.raises(InputError, match="idempotency_key_reused"):
        idempotency_keys.find(db, **asked | {"fingerprint": "other"})
    with db.transaction() as tx:
        assert idempotency_keys.expire(tx, before=10) == 0
        assert idempotency_keys.expire(tx, before=11) == 1
    assert idempotency_keys.find(db, **asked | {"fingerprint": "other"}) is None


def test_a_notification_is_queued_once_and_claimed_once(db: Database) -> None:
    with db.transaction() as tx:
        receiver = receivers.insert(tx, values={"name": "r", "kind": "webhook", "url": "http://x", "secret": "s"})
        new = [
            notifications.insert(
                tx, receiver_id=receiver, verb="v", noun="n", noun_id=1, dedup_key="k", body={"a": 1}, at=10
            )
            for _ in range(2)
        ]
        assert new == [1, None]
    (due,) = notifications.due(db, now=10, limit=5)
    with db.transaction() as tx:
        assert notifications.claim(tx, due.id, now=10, until=100)
        assert not notifications.claim(tx, due.id, now=10, until=100)
    assert notifications.due(db, now=99, limit=5) == ()
    # Its worker died: after the lease it is due again.
    assert [one.id for one in notifications.due(db, now=100, limit=5)] == [due.id]


def test_macros_and_articles_come_back(db: Database) -> None:
    actions = (MacroAction(type="add_tag", value="x"),)
    with db.transaction() as tx:
        macro_id = tx.insert(
            "macro", {"name": "m", "body": "Hello Ünal", "intents": ("a", "b"), "actions": macros.pairs(actions)}
        )
        article_id = tx.insert("article", {"slug": "s", "title": "Refunds", "body": "Money returns.", "updated_at": 1})
        passages = [Passage(article_id=article_id, ordinal=one, heading="h", text=str(one)) for one in range(2)]
        vectors = np.eye(2, 3, dtype=np.float32)
        articles.put_passages(tx, article_id, passages=passages, vectors=vectors, encoder="e")
    macro = macros.get(db, macro_id)
    assert (macro.intents, macro.actions) == (("a", "b"), actions)
    assert macros.search(db, "hello") == (macro,)
    assert [found for found, _ in articles.search(db, "refunded refund?")] == [article_id]
    assert articles.search(db, "?") == []
    read, matrix = articles.passages(db)
    assert list(read) == passages
    np.testing.assert_array_equal(matrix, vectors)
    assert articles.unread(db, encoder="other") == (article_id,)
    with db.transaction() as tx:
        tx.execute("DELETE FROM article WHERE id = ?", (article_id,))
    assert articles.search(db, "refund") == []
    assert articles.passages(db)[0] == ()


def test_the_same_file_is_kept_once(db: Database) -> None:
    with db.transaction() as tx:
        digest = blobs.put(tx, b"content")
        assert blobs.put(tx, b"content") == digest
    assert blobs.get(db, digest) == b"content"
    with db.transaction() as tx:
        blobs.drop(tx, digest)
    with pytest.raises(NotFound):
        blobs.get(db, digest)
    with pytest.raises(NotFound):
        attachments.content(db, 1, viewer=SYSTEM)
    assert AttachmentDraft(name="a", media_type="b", content=b"").is_left_out is False


def test_buckets_add_up_and_vanish(db: Database) -> None:
    one = Bucket(subject_kind="topic", subject_id="macro", at=0, n_posts=2, n_stories=1, n_negative=1, score_sum=-0.5)
    with db.transaction() as tx:
        buckets.add(tx, [one, one])
    (kept,) = buckets.every(db)
    assert (kept.n_posts, kept.score_sum) == (4, -1.0)
    window = buckets.windows(db, subject_kind="topic", since=0, until=1)["macro"]
    assert window == buckets.window(db, subject_kind="topic", subject_id="macro", since=0, until=1)
    counted = buckets.counts(db, subject_kind="topic", since=0, until=1)
    assert counted == {"macro": replace(window, score_sum=0.0)}
    assert buckets.counts(db, subject_kind="topic", since=1, until=2) == {}
    with db.transaction() as tx:
        buckets.add(tx, [replace(one, n_posts=-4, n_stories=-2, n_negative=-2, score_sum=1.0)])
    assert buckets.every(db) == ()
