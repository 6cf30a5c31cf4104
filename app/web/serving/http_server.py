"""The server of `python -m app`: waitress with limits on silent, slow and greedy clients."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from ipaddress import IPv6Address, ip_network
from resource import RLIMIT_NOFILE, getrlimit
from socket import SO_SNDBUF, SOL_SOCKET, socket
from time import monotonic
from typing import Any

from waitress.adjustments import Adjustments
from waitress.server import TcpWSGIServer
from waitress.task import ThreadedTaskDispatcher

from app.core.config import Settings
from app.web.serving.connection import Connection, Limits, refuse
from app.web.serving.forwarded import Network, is_within, parse_address

LIVE = "/health/live"
SEND_BUFFER = 131_072
"""Bytes that the system buffers for a client: few enough that a slow reader is seen to read."""
SWEEP_S = 1.0
MOST_REFUSED = 50
"""Connections refused in a row before the open ones are served."""
MOST_UNSENT = 2_097_152
"""Bytes of a long answer that are produced before its reader has taken some."""
SITE_PREFIX = 64
"""Bits of an IPv6 address that identify one site; the site chooses the other bits."""
FULL = ("503 Service Unavailable", "Too many connections are open. Try again in 10 s.")


class Server(TcpWSGIServer):
    """Waitress with limits on the number of connections and on the time of each.

    At the limit of an address, or of all, the connection that was idle for longest makes room for a new one; without an
    idle one the new one is refused. The liveness check has a thread of its own.
    """

    channel_class = Connection

    def __init__(
        self, application: Any, *, listening: socket, adj: Adjustments, limits: Limits, networks: Sequence[Network] = ()
    ) -> None:
        self.limits = limits
        self._networks = tuple(networks)
        self._of_site: dict[str, set[Connection]] = {}
        self._reserve = _threads(1)
        self._next_sweep = 0.0
        super().__init__(
            application,
            map={},
            _sock=listening,
            dispatcher=_threads(adj.threads),
            adj=adj,
            bind_socket=False,
            sockinfo=(listening.family, listening.type, listening.proto, listening.getsockname()),
        )

    def accept(self) -> Any:
        """Accept the next client that there is room for, and refuse those before it."""
        for _ in range(MOST_REFUSED):
            pair = super().accept()
            if pair is None or self._has_room(pair[1][0]):
                return pair
            refuse(pair[0], *FULL)
            pair[0].close()
        return None

    def set_socket_options(self, conn: socket) -> None:
        """Set the options of a new connection."""
        super().set_socket_options(conn)
        conn.setsockopt(SOL_SOCKET, SO_SNDBUF, SEND_BUFFER)

    def add_connection(self, connection: Connection) -> None:
        """Count a new connection for its site."""
        self._of_site.setdefault(site_of(connection.addr[0]), set()).add(connection)

    def remove_connection(self, connection: Connection) -> None:
        """Stop counting a connection."""
        site = site_of(connection.addr[0])
        self._of_site.get(site, set()).discard(connection)
        if not self._of_site.get(site):
            self._of_site.pop(site, None)

    def _has_room(self, address: str) -> bool:
        own = self._of_site.get(site_of(address), ())
        is_counted = not is_within(address, networks=self._networks)
        if is_counted and len(own) >= self.limits.n_of_address and not self._make_room(own):
            return False
        every = self.active_channels.values()
        return len(every) < self.limits.n_connections or self._make_room(every)

    def _make_room(self, connections: Collection[Connection]) -> bool:
        """Close the connection that was idle for longest; returns False where all are busy or brand-new."""
        now = monotonic()
        spare = (one for one in tuple(connections) if one.is_spare(now=now, limits=self.limits))
        longest = min(spare, key=lambda one: one.since, default=None)
        if longest is not None:
            longest.handle_close()
        return longest is not None

    def maintenance(self, now: float) -> None:
        """Close nothing here: while waitress walks its connections, a new one may reuse the number of a closed file."""

    def turn(self, timeout_s: float) -> None:
        """Wait for the connections and handle what they bring; once a second close the overdue ones."""
        self.asyncore.loop(timeout=timeout_s, use_poll=True, map=self._map, count=1)
        now = monotonic()
        if now < self._next_sweep:
            return
        self._next_sweep = now + SWEEP_S
        for connection in list(self.active_channels.values()):
            if connection.is_overdue(now=now, limits=self.limits):
                connection.cut()
        for own in list(self._of_site.values()):
            self._cut_large_bodies(tuple(own))

    def _cut_large_bodies(self, own: Collection[Connection]) -> None:
        """Cut the largest unfinished bodies of a site that exceeds its limit of bytes."""
        excess = sum(one.n_unread_bytes for one in own) - self.limits.n_unread_bytes
        for one in sorted(own, key=lambda one: -one.n_unread_bytes):
            if excess <= 0:
                return
            if not one.requests:
                excess -= one.n_unread_bytes
                one.cut()

    def add_task(self, task: Any) -> None:
        """Queue a request for the next free thread."""
        request = task.requests[0]
        is_live = request.error is None and request.path == LIVE
        (self._reserve if is_live else self.task_dispatcher).add_task(task)

    def run(self) -> None:
        """Serve until the process ends."""
        try:
            while True:
                self.turn(SWEEP_S)
        except (SystemExit, KeyboardInterrupt):
            self.stop_threads()

    def stop_threads(self) -> None:
        """Stop the threads that answer requests."""
        self.task_dispatcher.shutdown()
        self._reserve.shutdown()


def _threads(count: int) -> ThreadedTaskDispatcher:
    made = ThreadedTaskDispatcher()
    made.set_thread_count(count)
    return made


def site_of(address: str) -> str:
    """Return the key that connections are counted by: an IPv4 address, or the network of an IPv6 site."""
    found = parse_address(address)
    if isinstance(found, IPv6Address):
        return str(ip_network((found, SITE_PREFIX), strict=False))
    return address if found is None else str(found)


def open_server(application: Any, *, listening: socket, settings: Settings, limits: Limits | None = None) -> Server:
    """Open a server on a bound socket; `run` serves."""
    adj = Adjustments(
        sockets=[listening],
        threads=settings.server_threads,
        max_request_body_size=settings.max_upload_bytes,
        # Lets a live stream notice at once that its reader has remove_connection.
        channel_request_lookahead=5,
        # The application itself decides which X-Forwarded-For it accepts.
        clear_untrusted_proxy_headers=False,
        outbuf_high_watermark=MOST_UNSENT,
        # Connections are limited in this class; at its own limit waitress would stop to accept any.
        connection_limit=1_000_000,
        ident=None,
    )
    own = limits or Limits(
        # Each may need a file for its body, and the rest of the process needs files too.
        n_connections=min(settings.connections, getrlimit(RLIMIT_NOFILE)[0] // 2),
        n_of_address=settings.address_connections,
        n_unread_bytes=4 * settings.max_upload_bytes,
        stall_s=settings.stall_seconds,
    )
    return Server(application, listening=listening, adj=adj, limits=own, networks=settings.proxy_networks)
