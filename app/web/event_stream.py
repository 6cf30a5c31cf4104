"""Live updates as server-sent events: every event in sight, resumed by its id after a break."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial

from flask import Flask, Response, current_app, request
from marshmallow import fields

from app.core.errors import NotReady, Overloaded
from app.core.events import event_log
from app.core.events.event import Event
from app.core.permissions import Viewer
from app.core.services import Services
from app.web import access
from app.web.api import api_lists
from app.web.api.api_shapes import Between, GivenId, Id, Instant, Json, Shape, Whole, instant, page_of, public_id
from app.web.api.openapi import blueprint, route

group = blueprint("stream", about="What happens, as it happens.")

POLL_S = 0.5
HEARTBEAT_S = 15.0
LONGEST_S = 900.0
RETRY_MS = 3000
PERMISSION = "stream:read"
BATCH = 200
MOST_BEHIND = 2000
PREFIXES = {"ticket": "tkt", "message": "msg", "post": "pst", "alert": "alr", "rule": "rul", "feed": "fed"}


@dataclass(eq=False)
class Seat:
    """The place of one stream; `is_over` is set when the stream has to end."""

    owner: str
    is_over: threading.Event = field(default_factory=threading.Event)
    is_taken_over: bool = False


@dataclass
class Seats:
    """The streams of one process, oldest first."""

    limit: int
    taken: list[Seat] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    is_stopping: bool = False

    def take(self, owner: str) -> Seat | None:
        """Take a free seat, or the owner's oldest one, whose stream then ends; returns None where others have all.

        So a reader who goes from page to page is not kept out by streams of pages that are already closed.
        """
        with self.lock:
            if len(self.taken) >= self.limit:
                oldest = next((seat for seat in self.taken if seat.owner == owner), None)
                if oldest is None:
                    return None
                oldest.is_taken_over = True
                oldest.is_over.set()
                self.taken.remove(oldest)
            seat = Seat(owner)
            self.taken.append(seat)
            if self.is_stopping:
                seat.is_over.set()
            return seat

    def leave(self, seat: Seat) -> None:
        """Give a seat back, unless it was taken over."""
        with self.lock:
            if seat in self.taken:
                self.taken.remove(seat)

    def stop(self) -> None:
        """End every stream, because the process stops."""
        with self.lock:
            self.is_stopping = True
            for seat in self.taken:
                seat.is_over.set()


class ActorShape(Shape):
    """Who did it: agent, rule, model, token or system."""

    kind = fields.String()
    id = fields.String()


class EventShape(Shape):
    """One change; `type` is noun and verb, such as `ticket.routed`."""

    id = Id("evt")
    type = fields.String()
    noun = fields.String()
    noun_id = fields.String()
    actor = fields.Nested(ActorShape)
    at = Instant()
    after = fields.Dict()


class EventQuery(Shape):
    """Events after an id; without one, those from now on."""

    after = GivenId("evt", load_default=None)
    types = fields.String(load_default="", metadata={"description": "Nouns with commas: ticket,alert."})
    limit = Whole(load_default=100, validate=Between(1, BATCH))


@route(group, "/events", needs=PERMISSION, query=EventQuery, returns=page_of(EventShape, "EventPage"))
def list_events(query: Json) -> Json:
    """Events in sight, oldest first; `meta.after_cursor` is what to send as `after` next time."""
    services = access.services()
    newest = event_log.last_id(services.db)
    start = newest if query["after"] is None else query["after"]
    found = event_log.after(services.db, start, limit=query["limit"], viewer=access.viewer())
    has_more = len(found) == query["limit"]
    last = found[-1].id if has_more else max(newest, start)
    answer = api_lists.whole(as_json(event) for event in found if _is_wanted(event, query["types"]))
    answer["meta"] |= {"has_more": has_more, "after_cursor": public_id("evt", last)}
    return answer


@route(group, "/stream", needs=PERMISSION, query=EventQuery)
def stream(query: Json) -> Response:
    """The same as a live stream (`text/event-stream`), resumed with `Last-Event-ID`; needs a threaded server.

    Where all streams are taken, the caller's own oldest one ends with `event: taken` and makes room.
    """
    seats: Seats = current_app.extensions["bellwether.stream"]
    if not request.environ.get("wsgi.multithread"):
        raise NotReady("stream_needs_threads")
    viewer = access.viewer()
    seat = seats.take(f"{viewer.actor_kind}:{viewer.actor_id}")
    if seat is None:
        raise Overloaded("stream_full", limit=seats.limit, retry_after=15)
    live = _Stream(
        services=access.services(),
        viewer=viewer,
        find_viewer=access.viewer_after_request(),
        types=query["types"],
        is_gone=request.environ.get("waitress.client_disconnected") or (lambda: False),
        seat=seat,
    )
    answer = Response(live.lines(_start_id(query["after"])), content_type="text/event-stream")
    answer.call_on_close(partial(seats.leave, seat))
    answer.headers.update({"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
    return answer


@dataclass
class _Stream:
    services: Services
    viewer: Viewer
    find_viewer: Callable[[], Viewer | None]
    types: str
    is_gone: Callable[[], bool]
    seat: Seat
    silent_s: float = 0.0
    open_s: float = 0.0

    def lines(self, start: int | None) -> Iterator[str]:
        """Yield the text of the stream until token or session end, the reader leaves, or `LONGEST_S` have passed.

        Each poll reads the viewer anew: another process may have ended the session, or changed what is in sight.
        """
        yield f"retry: {RETRY_MS}\n\n"
        last, opening = self._open(start)
        yield from opening
        while not self._is_over():
            last, found = self._next(last)
            for event in found:
                yield _line(event)
            if found:
                self.silent_s = 0.0
            elif self.silent_s >= HEARTBEAT_S:
                self.silent_s = 0.0
                yield ": hb\n\n"
            self._pause()
        if self.seat.is_taken_over:
            # Without this event the browser would reconnect at once and take the seat from the other page.
            yield "event: taken\ndata: {}\n\n"

    def _open(self, start: int | None) -> tuple[int, list[str]]:
        newest = event_log.last_id(self.services.db)
        if start is None:
            return newest, []
        # Too far behind, or an id of another database: the reader loads the page anew and goes on from here.
        if start > newest or newest - start > MOST_BEHIND or start + 1 < event_log.first_id(self.services.db):
            return newest, [f"id: {newest}\nevent: reset\ndata: {json.dumps({'last_id': newest})}\n\n"]
        return start, []

    def _next(self, last: int) -> tuple[int, list[Event]]:
        newest = event_log.last_id(self.services.db)
        if newest == last:
            return last, []
        found = event_log.after(self.services.db, last, limit=BATCH, viewer=self.viewer)
        reached = found[-1].id if len(found) == BATCH else max(newest, *(event.id for event in found), last)
        return reached, [event for event in found if _is_wanted(event, self.types)]

    def _is_over(self) -> bool:
        is_done = self.seat.is_over.is_set() or self.open_s >= LONGEST_S or self.is_gone()
        return is_done or not self._is_admitted()

    def _is_admitted(self) -> bool:
        now = self.find_viewer()
        if now is None or not now.may(PERMISSION):
            return False
        self.viewer = now
        return True

    def _pause(self) -> None:
        self.seat.is_over.wait(POLL_S)
        self.silent_s += POLL_S
        self.open_s += POLL_S


def as_json(event: Event) -> Json:
    """Return an event for the API's shape, which formats ids and times."""
    prefix = PREFIXES.get(event.noun)
    return {
        "id": event.id,
        "type": f"{event.noun}.{event.verb}",
        "noun": event.noun,
        "noun_id": public_id(prefix, event.noun_id) if prefix else str(event.noun_id),
        "actor": {"kind": event.actor_kind, "id": event.actor_id},
        "at": event.at,
        "after": event.after,
    }


def _line(event: Event) -> str:
    shown = as_json(event) | {"id": public_id("evt", event.id), "at": instant(event.at)}
    return f"id: {event.id}\nevent: {event.noun}\ndata: {json.dumps(shown, ensure_ascii=False)}\n\n"


def _is_wanted(event: Event, types: str) -> bool:
    return not types or event.noun in types.split(",")


def _start_id(after: int | None) -> int | None:
    given = request.headers.get("Last-Event-ID", "").removeprefix("evt_")
    return int(given) if given.isascii() and given.isdigit() and len(given) <= 18 else after


def install(app: Flask) -> None:
    """Add the seats for the streams of this process."""
    app.extensions["bellwether.stream"] = Seats(limit=app.extensions["bellwether.settings"].stream_clients)
