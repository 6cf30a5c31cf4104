"""A server of feeds on loopback, for tests that fetch."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

RSS = """<?xml version="1.0" encoding="utf-8"?>
<rss version="2.0"><channel><title>Harbour Wire</title>
<item><guid>a1</guid><title>Northwharf falls after strike</title><link>https://wire.example/a1</link>
<pubDate>Mon, 02 Mar 2026 09:00:00 GMT</pubDate>
<description>&lt;p&gt;Three ports stand still.&lt;/p&gt;</description></item>
<item><guid>a2</guid><title>Brantwing beats forecasts</title><pubDate>Mon, 02 Mar 2026 10:00:00 GMT</pubDate></item>
</channel></rss>"""
ATOM = """<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom"><title>Ledger</title><updated>2026-03-02T11:00:00Z</updated>
<entry><id>urn:1</id><title>Northwharf rises on record parcels</title><link href="https://ledger.example/1"/>
<updated>2026-03-02T11:00:00Z</updated><author><name>J. Reed</name></author></entry></feed>"""


@dataclass
class Answer:
    """What the server says next; `wait_s` passes before it does."""

    body: bytes = RSS.encode()
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    wait_s: float = 0


@dataclass
class Wire:
    """A server of feeds: what it says is set on it, what it was asked is kept."""

    answer: Answer = field(default_factory=Answer)
    asked: list[dict[str, str]] = field(default_factory=list)
    port: int = 0
    slow_path: str = ""
    slow_body: bytes = b""

    @property
    def url(self) -> str:
        """Where the feed is."""
        return f"http://127.0.0.1:{self.port}/feed.xml"


@contextmanager
def serving() -> Iterator[Wire]:
    """A running server."""
    made = Wire()

    def serve(request: BaseHTTPRequestHandler) -> None:
        made.asked.append({name.lower(): value for name, value in request.headers.items()} | {"path": request.path})
        answer = Answer(made.slow_body) if request.path == made.slow_path else made.answer
        time.sleep(answer.wait_s)
        if request.path == "/old.xml":
            answer = Answer(b"", status=308, headers={"Location": "/feed.xml"})
        elif answer.headers.get("ETag", "none") == request.headers["If-None-Match"]:
            answer = Answer(b"", status=304)
        request.send_response(answer.status)
        for name, value in answer.headers.items():
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(answer.body)

    handler = type("Handler", (BaseHTTPRequestHandler,), {"do_GET": serve, "log_message": lambda *_: None})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads, server.block_on_close = True, False
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        made.port = server.server_port
        yield made
        server.shutdown()
