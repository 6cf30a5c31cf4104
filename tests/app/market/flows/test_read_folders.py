"""A watched folder: files are read once, half-written ones left alone, and every file ends in done or failed."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from app.core import changes, clock
from app.core.errors import DatabaseBusy
from app.core.events import event_log
from app.core.permissions import SYSTEM
from app.core.services import Services
from app.market.domain.market import Feed, PostFilter
from app.market.flows import ingest_posts as posts_flow
from app.market.flows import read_folders
from app.market.flows.keep_feeds import FEED
from app.market.sources import feed_process
from app.market.sources.watched_folder import LEASE_MS, SETTLED_MS
from app.market.store import feeds as feed_rows
from app.market.store import posts

GOOD = '{"external_id": "1", "title": "Larkspur rises", "published_at": "2026-03-01"}\n'
NOW = 1_780_000_000_000


@pytest.fixture
def feed(services: Services, tmp_path: Path) -> Feed:
    """A file feed whose folder is watched."""
    services.policy = replace(services.policy, feed_folder=tmp_path / "feeds")
    made = changes.add(services.db, FEED, {"slug": "drop", "name": "Drop", "kind": "file"}, viewer=SYSTEM).row
    (tmp_path / "feeds" / "drop").mkdir(parents=True)
    return made


def put(services: Services, feed: Feed, name: str, text: str, *, age_ms: int = 2 * SETTLED_MS) -> Path:
    """A file in the feed's folder that was written so long ago."""
    folder = read_folders.folder_of(services, feed)
    assert folder is not None
    file = folder / name
    file.write_text(text, encoding="utf-8")
    at = (NOW - age_ms) * 1_000_000
    os.utime(file, ns=(at, at))
    return file


def names(services: Services, feed: Feed) -> list[str]:
    """What lies in the folder and below it."""
    folder = read_folders.folder_of(services, feed)
    assert folder is not None
    return sorted(str(entry.relative_to(folder)) for entry in folder.rglob("*") if entry.is_file())


def n_posts(services: Services) -> int:
    return posts.page(services.db, PostFilter(), viewer=SYSTEM).total


def test_a_file_is_read_once_and_put_away(services: Services, feed: Feed) -> None:
    put(services, feed, "a.jsonl", GOOD)
    put(services, feed, "b.csv", "title,published_at\nLarkspur falls,2026-03-02\n")
    with clock.frozen(NOW):
        assert read_folders.read_all(services) == 2
        assert read_folders.read_all(services) == 0
    assert names(services, feed) == ["done/a.jsonl", "done/b.csv"]
    assert n_posts(services) == 2
    put(services, feed, "a.jsonl", GOOD)
    with clock.frozen(NOW):
        read_folders.read_all(services)
    assert names(services, feed) == ["done/a-2.jsonl", "done/a.jsonl", "done/b.csv"]
    assert n_posts(services) == 2


def test_what_is_half_written_or_not_for_us_is_left_alone(services: Services, feed: Feed) -> None:
    put(services, feed, "fresh.jsonl", GOOD, age_ms=SETTLED_MS - 1)
    put(services, feed, "c.jsonl.part", GOOD)
    put(services, feed, ".d.jsonl", GOOD)
    put(services, feed, "e.exe", GOOD)
    secret = put(services, feed, "secret.txt", GOOD)
    secret.with_name("link.jsonl").symlink_to(secret)
    with clock.frozen(NOW):
        assert read_folders.read_all(services) == 0
    with clock.frozen(NOW + 1):
        assert read_folders.read_all(services) == 1
    assert n_posts(services) == 1


@pytest.mark.parametrize("text", ["", "colour,size\nred,2\n", "title,published_at\nLarkspur falls,never\n"])
def test_a_file_with_faults_is_among_the_failed(services: Services, feed: Feed, text: str) -> None:
    put(services, feed, "bad.csv", text)
    with clock.frozen(NOW):
        assert read_folders.read_all(services) == 1
    assert names(services, feed) == ["failed/bad.csv"]
    (event,) = [one for one in event_log.of(services.db, "feed", feed.id) if one.verb == "file_read"]
    assert not event.after["is_good"]


def test_malformed_xml_gives_what_can_be_read(services: Services, feed: Feed) -> None:
    put(services, feed, "x.xml", "<rss version='2.0'><channel><item><title>Larkspur falls</title></item><item><tit")
    put(services, feed, "y.xml", "\x00\x01 this is no feed")
    with clock.frozen(NOW):
        assert read_folders.read_all(services) == 2
    assert names(services, feed) == ["done/x.xml", "failed/y.xml"]
    assert n_posts(services) == 1


@pytest.mark.parametrize(
    ("raw", "fault"),
    [
        (b"<" * 400_000, "feed_too_slow"),
        (b"x" * 10_000_001, "too_large"),
        (b"not a feed &#99999999999;", "not_a_feed"),
    ],
)
def test_a_hostile_file_is_among_the_failed_with_its_reason(
    services: Services, feed: Feed, monkeypatch: pytest.MonkeyPatch, raw: bytes, fault: str
) -> None:
    monkeypatch.setattr(feed_process, "MOST_WALL_S", 0.02 if fault == "feed_too_slow" else 30)
    put(services, feed, "x.xml", raw.decode())
    with clock.frozen(NOW):
        assert read_folders.read_all(services) == 1
    assert names(services, feed) == ["failed/x.xml"]
    assert feed_rows.get(services.db, feed.id).last_error == fault


def test_what_nobody_thought_of_leaves_no_file_in_working(
    services: Services, feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(services, feed, "a.jsonl", GOOD)
    monkeypatch.setattr("app.market.sources.post_drafts.from_jsonl", lambda *_, **__: 1 // 0)
    with clock.frozen(NOW):
        assert read_folders.read_all(services) == 1
    assert names(services, feed) == ["failed/a.jsonl"]
    assert feed_rows.get(services.db, feed.id).last_error == "unreadable"


def test_a_busy_database_puts_the_file_back(services: Services, feed: Feed, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(*_: object, **__: object) -> None:
        raise DatabaseBusy

    put(services, feed, "a.jsonl", GOOD)
    with monkeypatch.context() as patch, clock.frozen(NOW):
        patch.setattr(posts_flow, "receive_each", busy)
        read_folders.read_all(services)
    assert names(services, feed) == ["a.jsonl"]
    with clock.frozen(NOW + SETTLED_MS):
        read_folders.read_all(services)
    assert names(services, feed) == ["done/a.jsonl"]


def test_a_file_of_one_endless_line_is_read_piece_by_piece(services: Services, feed: Feed) -> None:
    put(services, feed, "a.jsonl", "x" * 5_000_000 + "\n" + GOOD)
    with clock.frozen(NOW):
        read_folders.read_all(services)
    (event,) = [one for one in event_log.of(services.db, "feed", feed.id) if one.verb == "file_read"]
    assert (event.after["created"], event.after["failed"]) == (1, 3)


def test_a_file_whose_worker_died_is_read_again(services: Services, feed: Feed) -> None:
    folder = read_folders.folder_of(services, feed)
    assert folder is not None
    (folder / "working").mkdir()
    put(services, feed, "working/a.jsonl", GOOD)
    with clock.frozen(NOW):
        assert read_folders.read_all(services) == 0
    with clock.frozen(NOW + LEASE_MS):
        assert read_folders.read_all(services) == 1
    assert names(services, feed) == ["done/a.jsonl"]


def test_a_paused_feed_reads_nothing(services: Services, feed: Feed) -> None:
    changes.change(services.db, FEED, feed.id, {"is_active": False}, viewer=SYSTEM)
    put(services, feed, "a.jsonl", GOOD)
    with clock.frozen(NOW):
        assert read_folders.read_all(services) == 0
