"""The real server around an application, in a thread of this process, on a free port."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from app.core.config import Settings
from app.web.serving.connection import Limits
from app.web.serving.http_server import Server, open_server


@dataclass(frozen=True)
class Serving:
    """A server that runs, and the ways of knocking at it."""

    server: Server
    port: int

    def connect(self, *, source: str = "127.0.0.1", timeout_s: float = 10.0) -> socket.socket:
        """Open a connection from an address of this machine."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=timeout_s, source_address=(source, 0))

    def ask(self, path: str = "/", *, source: str = "127.0.0.1") -> bytes:
        """The whole answer to one GET, or what came of it before the connection was closed."""
        with self.connect(source=source) as client:
            client.sendall(request(path))
            return rest_of(client)


def request(path: str, *, headers: str = "Connection: close\r\n") -> bytes:
    """The bytes of a GET."""
    return f"GET {path} HTTP/1.1\r\nHost: here\r\n{headers}\r\n".encode()


def rest_of(client: socket.socket) -> bytes:
    """All that comes until the other side closes."""
    parts = []
    try:
        while part := client.recv(65_536):
            parts.append(part)
    except ConnectionError:
        pass
    return b"".join(parts)


@contextmanager
def serving(application: Any, *, limits: Limits | None = None, **settings: Any) -> Iterator[Serving]:
    """Serve until the block ends."""
    listening = socket.create_server(("127.0.0.1", 0))
    server = open_server(application, listening=listening, settings=Settings(**settings), limits=limits)
    stopping = threading.Event()

    def serve() -> None:
        while not stopping.is_set():
            server.turn(0.05)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield Serving(server, listening.getsockname()[1])
    finally:
        stopping.set()
        thread.join(10)
        server.stop_threads()
        for connection in list(server.active_channels.values()):
            connection.handle_close()
        server.close()
