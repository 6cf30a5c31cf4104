"""A connection of `python -m app`, and the time that its client has to send a request and to take the answer."""

from __future__ import annotations

from dataclasses import dataclass
from socket import socket
from time import monotonic
from typing import Any

from waitress.channel import HTTPChannel

from app.web.serving import memory

PLAIN = (
    "HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {length}\r\n"
    "Connection: close\r\nRetry-After: 10\r\n\r\n{sentence}\n"
)
LARGE_BODY = 500_000
"""Bytes of a body after which memory is given back to the system."""
TOO_SLOW = ("408 Request Timeout", "The request did not arrive in time. Send it again.")


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The limits of one client; a trusted proxy may have any number of connections.

    A connection without an answer so far makes room for another once it was idle for `young_s`. A request's header has
    to end within `header_s`. A body, and an answer that is sent, must move by `stall_s` times `least_rate` bytes in
    every `stall_s`. A connection may be idle between requests for `idle_s`.
    """

    n_connections: int = 1000
    n_of_address: int = 100
    n_unread_bytes: int = 256_000_000
    header_s: float = 10.0
    young_s: float = 2.0
    stall_s: float = 30.0
    least_rate: float = 2000.0
    idle_s: float = 75.0


class Pace:
    """The pace of the bytes that are due to move in one direction."""

    def __init__(self) -> None:
        self._since: float | None = None
        self._n = 0

    def is_slow(self, n: int, *, is_due: bool, now: float, limits: Limits) -> bool:
        """Return True where too few bytes have moved for too long; `n` is their total until now."""
        if not is_due:
            self._since = None
        elif self._since is None or n - self._n >= limits.stall_s * limits.least_rate:
            self._since, self._n = now, n
        return self._since is not None and now - self._since >= limits.stall_s


class Connection(HTTPChannel):
    """A channel of waitress that measures the time it waits for its client."""

    requests: list[Any]

    def __init__(self, server: Any, *parts: Any, **named: Any) -> None:
        self.since = monotonic()
        self.n_answered = 0
        self._n_in = self._n_out = 0
        self._incoming, self._outgoing = Pace(), Pace()
        super().__init__(server, *parts, **named)
        server.add_connection(self)

    def is_spare(self, *, now: float, limits: Limits) -> bool:
        """Return True for a connection that may be closed to make room: idle, and not brand-new."""
        if self.requests or self.total_outbufs_len or self._is_in_body():
            return False
        return self.n_answered > 0 or now - self.since >= limits.young_s

    @property
    def n_unread_bytes(self) -> int:
        """The bytes of bodies whose requests are not answered yet."""
        waiting = [*self.requests, *([self.request] if self.request else [])]
        return sum(request.body_bytes_received for request in waiting)

    def is_overdue(self, *, now: float, limits: Limits) -> bool:
        """Return True once the client has used up its time; called about once a second."""
        is_owed = bool(self.total_outbufs_len)
        is_sending = self._is_in_body() and not self.requests and not is_owed
        if self._outgoing.is_slow(self._n_out, is_due=is_owed, now=now, limits=limits):
            return True
        if self._incoming.is_slow(self._n_in, is_due=is_sending, now=now, limits=limits):
            return True
        if self.requests or is_owed:
            # The client's time begins when it has its answer.
            self.since = now
        is_between = self.n_answered > 0 and self.request is None
        return not is_sending and now - self.since > (limits.idle_s if is_between else limits.header_s)

    def cut(self) -> None:
        """Close at once; a client that sent too slowly gets a 408 where that needs no waiting."""
        if self.request is not None and not self.requests and not self.total_outbufs_len:
            refuse(self.socket, *TOO_SLOW)
        self.handle_close()

    def del_channel(self, *parts: Any) -> None:
        """Remove the connection from the server's counts."""
        super().del_channel(*parts)
        self.server.remove_connection(self)

    def received(self, data: bytes) -> Any:
        """Take bytes of a request; the time for its header, and for its body, begins with the first byte of each."""
        self._n_in += len(data)
        before = self._stage()
        taken = super().received(data)
        if self._stage() != before:
            self.since = monotonic()
        return taken

    def send(self, data: bytes, do_close: bool = True) -> Any:
        """Send as much as the client takes now, and count it."""
        n_sent = super().send(data, do_close)
        self._n_out += n_sent
        return n_sent

    def service(self) -> None:
        """Answer one request, in a thread for requests."""
        self._drop_pipelined()
        is_large = self.requests[0].body_bytes_received > LARGE_BODY
        super().service()
        if is_large:
            memory.trim()
        self.n_answered += 1
        self.since = monotonic()

    def _drop_pipelined(self) -> None:
        """Close after this answer where the client has pipelined further requests.

        Their answers would hold a thread until the client takes them; a client that pipelines must be ready to send its
        requests again (RFC 9112, 9.3.2).
        """
        with self.requests_lock:
            first, ahead = self.requests[0], self.requests[1:]
            if ahead:
                for request in ahead:
                    request.close()
                self.requests = [first]
                first.headers["CONNECTION"] = "close"

    def _stage(self) -> tuple[object, bool]:
        return self.request, self._is_in_body()

    def _is_in_body(self) -> bool:
        return self.request is not None and bool(self.request.headers_finished)


def refuse(client: socket, status: str, sentence: str) -> None:
    """Send the reason why a connection is closed, where that needs no waiting."""
    content = PLAIN.format(status=status, length=len(sentence) + 1, sentence=sentence).encode()
    client.setblocking(False)
    try:
        client.send(content)
    except OSError:
        return
