"""Live updates: in order, resumed, bounded, and only what the reader may see."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import TestResponse

from app.core import changes
from app.core.events import event_log
from app.core.events.event import Event
from app.core.permissions import SYSTEM
from app.desk.domain.ticket import TicketDraft
from app.desk.flows import file_ticket, keep_queues
from app.people.flows import keep_sessions, keep_tokens
from app.people.flows.keep_accounts import USER
from app.people.flows.keep_teams import TEAM
from app.people.store import tokens
from app.web import event_stream
from tests.app.site import Caller, Site, make_site


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """A site of its own whose streams look often and close soon."""
    monkeypatch.setattr(event_stream, "POLL_S", 0.01)
    monkeypatch.setattr(event_stream, "HEARTBEAT_S", 0.03)
    monkeypatch.setattr(event_stream, "LONGEST_S", 0.2)
    made = make_site(tmp_path, stream_clients=2)
    made.person("admin")
    yield made
    made.app.extensions["bellwether"].close()


def _happen(site: Site, *nouns: str) -> list[int]:
    with site.services.db.transaction() as tx:
        happened = [
            Event(actor_kind="system", actor_id="test", verb="created", noun=noun, noun_id=number, at=number)
            for number, noun in enumerate(nouns, start=1)
        ]
        return event_log.record_all(tx, happened)


def _open(api: Caller, path: str = "/api/v1/stream", **headers: str) -> TestResponse:
    environ = {"wsgi.multithread": True}
    found: TestResponse = api("GET", path, headers=headers, environ_overrides=environ)
    return found


def _told(answer: TestResponse) -> list[dict[str, str]]:
    blocks = answer.get_data(as_text=True).strip().split("\n\n")
    return [dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":")) for block in blocks]


def _of(answer: TestResponse, kind: str) -> list[dict[str, Any]]:
    return [json.loads(block["data"]) for block in _told(answer) if block.get("event") == kind]


def test_events_come_in_order_with_their_ids(own: Site) -> None:
    last = event_log.last_id(own.services.db)
    ids = _happen(own, "alert", "ticket", "alert")
    answer = _open(own.caller("admin"), **{"Last-Event-ID": str(last)})
    assert answer.content_type.startswith("text/event-stream")
    assert answer.headers["Cache-Control"] == "no-store"
    blocks = [block for block in _told(answer) if block.get("event") in {"alert", "ticket"}]
    assert [int(block["id"]) for block in blocks] == ids
    first = json.loads(blocks[0]["data"])
    assert (first["type"], first["noun_id"]) == ("alert.created", "alr_1")


def test_a_new_stream_starts_now(own: Site) -> None:
    _happen(own, "alert")
    answer = _open(own.caller("admin"))
    assert _of(answer, "alert") == []
    assert _told(answer)[0] == {"retry": "3000"}
    assert ": hb" in answer.get_data(as_text=True)


def test_what_happens_meanwhile_arrives(own: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_stream, "LONGEST_S", 60.0)
    monkeypatch.setattr(event_stream, "HEARTBEAT_S", 60.0)
    answer = _open(own.caller("admin"))
    blocks: Any = iter(answer.response)
    assert next(blocks).startswith(b"retry:")
    timer = threading.Timer(0.05, _happen, (own, "alert"))
    timer.start()
    assert b"event: alert" in next(blocks)
    timer.join()
    answer.close()


def test_only_what_the_reader_may_see(own: Site) -> None:
    last = event_log.last_id(own.services.db)
    _happen(own, "alert", "user")
    answer = _open(own.caller("alerts:read"), **{"Last-Event-ID": str(last)})
    assert (len(_of(answer, "alert")), len(_of(answer, "user"))) == (1, 0)


def test_only_the_nouns_asked_for(own: Site) -> None:
    last = event_log.last_id(own.services.db)
    _happen(own, "alert", "rule")
    answer = _open(own.caller("admin"), "/api/v1/stream?types=rule,feed", **{"Last-Event-ID": str(last)})
    assert (len(_of(answer, "alert")), len(_of(answer, "rule"))) == (0, 1)


@pytest.mark.parametrize("behind", ["0", "999999"])
def test_too_far_behind_begins_afresh(own: Site, behind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_stream, "MOST_BEHIND", 1)
    _happen(own, "alert", "alert", "alert")
    api = own.caller("admin")
    answer = _open(api, **{"Last-Event-ID": behind})
    newest = event_log.last_id(own.services.db)
    assert _of(answer, "reset") == [{"last_id": newest}]
    assert _of(answer, "alert") == []


def test_seats_are_counted_and_given_back(own: Site) -> None:
    api, seats = own.caller("admin"), own.app.extensions["bellwether.stream"]
    first, _second = seats.take("agent:77"), seats.take("agent:77")
    full = _open(api)
    assert (full.status_code, full.get_json(force=True)["type"]) == (429, "/problems/stream_full")
    seats.leave(first)
    answer = _open(api)
    assert answer.status_code == 200
    answer.get_data()
    answer.close()
    assert [seat.owner for seat in seats.taken] == ["agent:77"]


def test_the_newest_stream_takes_over_its_readers_own_oldest(own: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_stream, "LONGEST_S", 60.0)
    monkeypatch.setattr(event_stream, "POLL_S", 30.0)  # what ends is told at once, not at the next look
    api, seats = own.caller("admin"), own.app.extensions["bellwether.stream"]
    other = seats.take("agent:77")
    oldest = _open(api)
    newest = _open(api)
    assert newest.status_code == 200
    assert _told(oldest)[-1] == {"event": "taken", "data": "{}"}
    oldest.close()
    # The seats are as many as before, and nobody else's was taken.
    assert len(seats.taken) == 2
    assert seats.taken[0] is other
    assert not other.is_over.is_set()
    newest.close()
    assert seats.taken == [other]


def test_somebody_elses_seat_is_never_taken_over(own: Site) -> None:
    seats = own.app.extensions["bellwether.stream"]
    held = [seats.take("agent:1"), seats.take("agent:2")]
    assert seats.take("token:1") is None
    assert seats.take("agent:2") is not None
    assert [seat.is_taken_over for seat in held] == [False, True]


def test_a_server_without_threads_refuses(own: Site) -> None:
    answer = own.caller("admin")("GET", "/api/v1/stream", environ_overrides={"wsgi.multithread": False})
    told = answer.get_json(force=True)
    assert answer.status_code == 503
    assert "/api/v1/events" in told["detail"]


def test_a_stopping_server_ends_its_streams(own: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_stream, "LONGEST_S", 60.0)
    own.app.extensions["bellwether.stream"].stop()
    assert _told(_open(own.caller("admin")))[0] == {"retry": "3000"}


def test_a_reader_that_left_ends_its_stream(own: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_stream, "LONGEST_S", 60.0)
    environ = {"wsgi.multithread": True, "waitress.client_disconnected": lambda: True}
    answer = own.caller("admin")("GET", "/api/v1/stream", environ_overrides=environ)
    assert answer.get_data(as_text=True).startswith("retry:")


def _before_a_rule(own: Site) -> dict[str, str]:
    last = event_log.last_id(own.services.db)
    _happen(own, "rule")
    return {"Last-Event-ID": str(last)}


def _runs_until(own: Site, answer: TestResponse, act: Callable[[], object]) -> float:
    """Seconds from an act to the end of a stream that nothing else ends; what happens after it is not told."""
    blocks: Any = iter(answer.response)
    assert next(blocks).startswith(b"retry:")
    assert b"event: rule" in next(blocks)
    act()
    _happen(own, "rule")
    began = time.monotonic()
    assert b"rule" not in b"".join(blocks)
    answer.close()
    return time.monotonic() - began


def _unscoped(own: Site) -> None:
    with own.services.db.transaction() as tx:
        tx.execute("UPDATE token SET scopes = '[\"predict\"]'")


def _revoked(own: Site) -> None:
    for token in tokens.every(own.services.db):
        keep_tokens.revoke_token(own.services, token.id, viewer=SYSTEM)


def _switched_off(own: Site) -> None:
    changes.change(own.services.db, USER, own.person("analyst").id, {"is_active": False}, viewer=SYSTEM)


@pytest.mark.parametrize("act", [_revoked, _unscoped, _switched_off])
def test_a_token_that_has_ended_ends_its_stream_within_a_second(
    own: Site, monkeypatch: pytest.MonkeyPatch, act: Callable[[Site], None]
) -> None:
    monkeypatch.undo()
    api = own.caller("alerts:read", role="analyst")
    answer = _open(api, "/api/v1/stream?types=rule", **_before_a_rule(own))
    assert _runs_until(own, answer, partial(act, own)) < 1


def test_a_session_that_has_ended_ends_its_stream_within_a_second(own: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    client = own.signed_in("admin")
    environ = {"wsgi.multithread": True}
    answer = client.get("/api/v1/stream?types=rule", environ_overrides=environ, headers=_before_a_rule(own))
    end = partial(keep_sessions.end_all, own.services, own.person("admin").id, viewer=SYSTEM)
    assert _runs_until(own, answer, end) < 1


def test_a_stream_sees_no_longer_what_has_left_its_sight(own: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_stream, "LONGEST_S", 2.0)
    agent = own.person("agent")
    team = changes.add(own.services.db, TEAM, {"name": "Night"}, viewer=SYSTEM).row
    queue = keep_queues.add_queue(own.services, viewer=SYSTEM, slug="night", title="Night", team_id=team.id)
    changes.change(own.services.db, TEAM, team.id, {"user_ids": [agent.id]}, viewer=SYSTEM)
    draft = TicketDraft(subject="", body="Where is my order", channel="api", queue="night")
    api, last = own.caller("tickets:read", role="agent"), event_log.last_id(own.services.db)
    file_ticket.receive(own.services, draft, viewer=SYSTEM)
    answer = _open(api, "/api/v1/stream?types=ticket", **{"Last-Event-ID": str(last)})
    blocks: Any = iter(answer.response)
    assert next(blocks).startswith(b"retry:")
    assert b"event: ticket" in next(blocks)
    changes.change(own.services.db, TEAM, team.id, {"user_ids": []}, viewer=SYSTEM)
    file_ticket.receive(own.services, draft, viewer=SYSTEM)
    assert queue.team_id == team.id
    assert b"event: ticket" not in b"".join(blocks)
    answer.close()


def test_polling_tells_the_same(own: Site) -> None:
    api = own.caller("admin")
    start = api("GET", "/api/v1/events").get_json()["meta"]["after_cursor"]
    _happen(own, "alert", "ticket", "alert")
    first = api("GET", f"/api/v1/events?after={start}&limit=2").get_json()
    assert [event["type"] for event in first["data"]] == ["alert.created", "ticket.created"]
    assert first["meta"]["has_more"]
    second = api("GET", f"/api/v1/events?after={first['meta']['after_cursor']}").get_json()
    assert [event["noun_id"] for event in second["data"]] == ["alr_3"]
    assert not second["meta"]["has_more"]
