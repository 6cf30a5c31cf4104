from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from app.notify.domain.notification import Attempt, Outgoing
from app.notify.sources.notification_sender import send


class Receiving(ThreadingHTTPServer):
    """A receiver on this machine that answers as it is told and keeps what it was sent."""

    daemon_threads = True

    def __init__(self, *, status: int, headers: dict[str, str]) -> None:
        super().__init__(("127.0.0.1", 0), Answering)
        self.status, self.headers = status, headers
        self.received: list[tuple[bytes, dict[str, str]]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/in"


class Answering(BaseHTTPRequestHandler):
    server: Receiving

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.received.append((body, {name.lower(): value for name, value in self.headers.items()}))
        self.send_response_only(self.server.status)
        for name, value in self.server.headers.items():
            self.send_header(name, value)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""


@contextmanager
def receiving(status: int, **headers: str) -> Iterator[Receiving]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    with Receiving(status=status, headers=named) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def outgoing(url: str) -> Outgoing:
    return Outgoing(url=url, body='{"a":"兰"}'.encode(), headers={"webhook-id": "msg_1"})


def test_the_body_and_headers_arrive() -> None:
    with receiving(204) as server:
        assert send(outgoing(server.url), allow_private=True) == Attempt(is_delivered=True)
    ((body, headers),) = server.received
    assert body == '{"a":"兰"}'.encode()
    assert headers["webhook-id"] == "msg_1"


@pytest.mark.parametrize(
    ("status", "headers", "expected"),
    [
        (500, {}, Attempt(is_delivered=False, error="http_500")),
        (404, {}, Attempt(is_delivered=False, error="http_404")),
        (410, {}, Attempt(is_delivered=False, error="gone", is_gone=True)),
        (302, {"location": "http://127.0.0.1:9/"}, Attempt(is_delivered=False, error="redirected")),
        (503, {"retry_after": "120"}, Attempt(is_delivered=False, error="http_503", retry_after_ms=120_000)),
        (
            429,
            {"retry_after": "Mon, 02 Feb 2026 03:01:00 GMT", "date": "Mon, 02 Feb 2026 03:00:00 GMT"},
            Attempt(is_delivered=False, error="http_429", retry_after_ms=60_000),
        ),
        (
            429,
            {"retry_after": "Mon, 02 Feb 2026 02:00:00 GMT", "date": "Mon, 02 Feb 2026 03:00:00 GMT"},
            Attempt(is_delivered=False, error="http_429", retry_after_ms=0),
        ),
        (429, {"retry_after": "soon"}, Attempt(is_delivered=False, error="http_429")),
        (429, {"retry_after": "²"}, Attempt(is_delivered=False, error="http_429")),
    ],
)
def test_how_it_went(status: int, headers: dict[str, str], expected: Attempt) -> None:
    with receiving(status, **headers) as server:
        assert send(outgoing(server.url), allow_private=True) == expected
    assert len(server.received) == 1


def test_private_addresses_are_not_called() -> None:
    with receiving(200) as server:
        attempt = send(outgoing(server.url), allow_private=False)
    assert not attempt.is_delivered
    assert attempt.error
    assert server.received == []


def test_nobody_there_is_an_error_and_no_exception() -> None:
    with receiving(200) as server:
        url = server.url
    attempt = send(outgoing(url), allow_private=True)
    assert (attempt.is_delivered, attempt.error) == (False, "unreachable")
