"""What clients that are silent, slow or many can take from the others: the real server, with short limits."""

from __future__ import annotations

import select
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from app.web.serving.connection import Limits, Pace
from app.web.serving.http_server import site_of
from tests.serving import Serving, request, rest_of, serving

LIMITS = Limits(
    n_connections=40, n_of_address=10, header_s=1.0, young_s=0.2, stall_s=1.5, least_rate=10_000, idle_s=3.0
)
PIECE = b"x" * 65_536


class Application:
    """Answers at once, holds a thread until it may go on, reads a body, or sends more than anybody can keep."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.n_closed = self.n_large = 0

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        path = environ["PATH_INFO"]
        if path == "/held":
            self.gate.wait(20)
        size = len(environ["wsgi.input"].read())
        start_response("200 OK", [("Content-Type", "text/plain")])
        if path == "/large":
            self.n_large += 1
            return [PIECE * 100]
        return self._endless() if path == "/endless" else [f"{path} {size}".encode()]

    def _endless(self) -> Iterator[bytes]:
        try:
            while True:
                yield PIECE
        finally:
            self.n_closed += 1


@pytest.fixture
def application() -> Application:
    return Application()


@pytest.fixture
def server(application: Application) -> Iterator[Serving]:
    with serving(application, limits=LIMITS, server_threads=4) as made:
        yield made
        application.gate.set()


def _until(is_so: Callable[[], bool], *, limit_s: float = 10) -> None:
    end = time.monotonic() + limit_s
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.01)


def _is_closed(client: socket.socket) -> bool:
    client.setblocking(False)
    try:
        return client.recv(65_536, socket.MSG_PEEK) == b""
    except BlockingIOError:
        return False
    except ConnectionError:
        return True


def _is_refused(client: socket.socket) -> bool:
    return _is_closed(client) or bool(select.select([client], [], [], 0)[0])


def test_many_silent_connections_leave_the_others_alone(server: Serving) -> None:
    silent = [server.connect(source="127.0.0.2") for _ in range(120)]
    started = time.monotonic()
    assert server.ask("/quick").endswith(b"/quick 0")
    assert time.monotonic() - started < 1
    _until(lambda: sum(map(_is_refused, silent)) >= 109)
    assert len(server.server.active_channels) <= 11


def test_a_silent_connection_is_closed_after_its_time(server: Serving) -> None:
    with server.connect() as client:
        started = time.monotonic()
        assert rest_of(client) == b""
        assert 0.5 < time.monotonic() - started < 4


def _body(client: socket.socket) -> bytes:
    """The body of one answer on a connection that stays open."""
    found = b""
    while b"\r\n\r\n" not in found or found.endswith(b"\r\n\r\n"):
        found += client.recv(65_536)
    return found.partition(b"\r\n\r\n")[2]


def _drip(client: socket.socket, *, piece: bytes, every_s: float = 0.1, limit_s: float = 10) -> tuple[bytes, float]:
    """Send a piece now and then until the server has something to say; that, and after how many seconds."""
    started = time.monotonic()
    while time.monotonic() - started < limit_s and not select.select([client], [], [], every_s)[0]:
        client.sendall(piece)
    return rest_of(client), time.monotonic() - started


def test_a_header_that_drips_is_cut(server: Serving) -> None:
    with server.connect() as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: here\r\n")
        answer, took_s = _drip(client, piece=b"X: y\r\n")
    assert answer.startswith(b"HTTP/1.1 408")
    assert took_s < 4


def test_a_second_request_has_its_own_time(server: Serving) -> None:
    with server.connect() as client:
        client.sendall(request("/first", headers=""))
        assert _body(client).endswith(b"/first 0")
        time.sleep(LIMITS.header_s + 1.2)
        client.sendall(request("/second", headers=""))
        assert _body(client).endswith(b"/second 0")
        answer, took_s = _drip(client, piece=b"X")
    assert answer.startswith(b"HTTP/1.1 408")
    assert took_s < 4


def test_a_connection_that_rests_too_long_is_closed(server: Serving) -> None:
    with server.connect() as client:
        client.sendall(request("/first", headers=""))
        assert _body(client).endswith(b"/first 0")
        started = time.monotonic()
        assert rest_of(client) == b""
        assert 2 < time.monotonic() - started < 7


def test_a_body_that_drips_is_cut(server: Serving) -> None:
    with server.connect() as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 1000000\r\n\r\n")
        answer, took_s = _drip(client, piece=b"xxxxxx")
    assert answer.startswith(b"HTTP/1.1 408")
    assert took_s < 5


def test_a_chunked_body_that_drips_is_cut(server: Serving) -> None:
    with server.connect() as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n")
        answer, took_s = _drip(client, piece=b"1\r\nx\r\n")
    assert answer.startswith(b"HTTP/1.1 408")
    assert took_s < 5


def test_a_slow_but_honest_upload_takes_as_long_as_it_takes(server: Serving) -> None:
    with server.connect() as client:
        client.sendall(b"POST /slow HTTP/1.1\r\nHost: here\r\nConnection: close\r\nContent-Length: 90000\r\n\r\n")
        for _ in range(45):
            client.sendall(b"x" * 2000)
            time.sleep(0.1)
        assert rest_of(client).endswith(b"/slow 90000")


def test_who_does_not_read_is_cut_and_frees_the_thread(server: Serving, application: Application) -> None:
    deaf = [server.connect(source=f"127.0.0.{2 + at}") for at in range(4)]
    for client in deaf:
        client.sendall(request("/endless"))
    _until(lambda: application.n_closed == 4, limit_s=20)
    assert server.ask("/quick").endswith(b"/quick 0")
    assert all(rest_of(client).startswith(b"HTTP/1.1 200") for client in deaf)


def test_who_reads_slowly_is_not_cut(server: Serving, application: Application) -> None:
    with server.connect() as client:
        client.sendall(request("/endless"))
        for _ in range(40):
            assert client.recv(40_000)
            time.sleep(0.1)
        assert application.n_closed == 0


def test_an_answer_that_takes_long_is_waited_for(server: Serving, application: Application) -> None:
    with server.connect() as client:
        client.sendall(request("/held"))
        time.sleep(LIMITS.header_s + LIMITS.stall_s + 1)
        assert not _is_closed(client)
        application.gate.set()
        client.setblocking(True)
        assert rest_of(client).endswith(b"/held 0")


def test_at_work_is_refused_and_not_cut(server: Serving, application: Application) -> None:
    busy = [server.connect(source="127.0.0.2") for _ in range(10)]
    for client in busy:
        client.sendall(request("/held"))
    _until(lambda: sum(bool(one.requests) for one in list(server.server.active_channels.values())) == 10)
    with server.connect(source="127.0.0.2") as one_more:
        assert rest_of(one_more).startswith(b"HTTP/1.1 503")
    with server.connect() as other:
        other.sendall(request("/held"))
        application.gate.set()
        assert rest_of(other).endswith(b"/held 0")
    assert all(rest_of(client).endswith(b"/held 0") for client in busy)


def test_all_addresses_together_have_a_limit(server: Serving) -> None:
    kept = [server.connect(source=f"127.0.1.{at % 20 + 1}") for at in range(100)]
    _until(lambda: sum(map(_is_refused, kept)) >= 60)
    time.sleep(2 * LIMITS.young_s)
    assert server.ask("/quick").endswith(b"/quick 0")


def test_one_that_has_only_just_come_is_not_closed_for_the_next(application: Application) -> None:
    with serving(application, limits=replace(LIMITS, young_s=60)) as made:
        first = made.connect(source="127.0.0.2")
        _until(lambda: len(made.server.active_channels) == 1)
        others = [made.connect(source="127.0.0.2") for _ in range(30)]
        _until(lambda: sum(map(_is_refused, others)) == 21)
        first.sendall(request("/first"))
        assert rest_of(first).endswith(b"/first 0")


def test_requests_that_are_sent_ahead_hold_no_thread(server: Serving, application: Application) -> None:
    ahead = [server.connect(source="127.0.0.2") for _ in range(8)]
    for client in ahead:
        client.sendall(request("/large", headers="") * 100)
    _until(lambda: application.n_large == 8)
    assert server.ask("/quick").endswith(b"/quick 0")
    answer = rest_of(ahead[0])
    assert answer.count(b"HTTP/1.1 200") == 1
    assert b"Connection: close" in answer


def test_a_trusted_proxy_may_have_more(application: Application) -> None:
    with serving(application, limits=LIMITS, trusted_proxies="127.0.0.2") as made:
        kept = [made.connect(source="127.0.0.2") for _ in range(30)]
        assert made.ask("/quick", source="127.0.0.2").endswith(b"/quick 0")
        assert not any(map(_is_closed, kept))


def test_whether_it_lives_is_answered_while_every_thread_is_held(server: Serving) -> None:
    busy = [server.connect(source="127.0.0.2") for _ in range(8)]
    for client in busy:
        client.sendall(request("/held"))
    _until(lambda: len(server.server.task_dispatcher.queue) >= 4)
    started = time.monotonic()
    assert server.ask("/health/live").endswith(b"/health/live 0")
    assert time.monotonic() - started < 1


def test_bodies_that_are_not_finished_have_a_limit_together(application: Application) -> None:
    limits = replace(LIMITS, n_unread_bytes=1_000_000)
    with serving(application, limits=limits) as made:
        senders = [made.connect(source="127.0.0.2") for _ in range(4)]
        for client in senders:
            client.sendall(b"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 400_000)
        assert select.select(senders, [], [], 3)[0]
        _until(lambda: sum(one.n_unread_bytes for one in list(made.server.active_channels.values())) <= 1_000_000)


def test_an_ipv6_address_counts_with_its_network() -> None:
    assert site_of("2001:db8:1:2::3") == site_of("2001:db8:1:2:ffff::9") != site_of("2001:db8:1:3::3")
    assert site_of("::ffff:192.0.2.7") == site_of("192.0.2.7") == "192.0.2.7"


def test_pace_counts_from_when_there_is_something_to_move() -> None:
    pace = Pace()
    asked = [(0, False, 0), (0, True, 100), (0, True, 101.4), (15_000, True, 101.5), (20_000, True, 102.9)]
    assert not any(pace.is_slow(n, is_due=is_due, now=now, limits=LIMITS) for n, is_due, now in asked)
    assert pace.is_slow(20_000, is_due=True, now=103.1, limits=LIMITS)
