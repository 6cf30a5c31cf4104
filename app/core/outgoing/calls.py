"""Outgoing HTTP calls, each checked so that no feed or webhook reaches the inside of the network.

The host is resolved once, every address it has must be public, and the connection goes to the very address that was
checked, so a name that changes its answer in between gains nothing. Redirects are followed for GET only, each one
checked like a first call.
"""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import cache
from http.client import HTTPException
from socket import SHUT_RDWR, create_connection, socket
from urllib.parse import urljoin

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from app.core.errors import OutgoingError
from app.core.outgoing.addresses import Target, mail_address, target_of

USER_AGENT = "Bellwether"
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MAX_REDIRECTS = 5
_CHUNK = 65_536
_PRIVATE_HEADERS = frozenset({"authorization", "cookie", "api_access_token"})


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The answer to a call: header names in lower case, the decoded body, and the URL that answered last.

    `permanent_url` is the URL to which the first one has moved for good (only by 301 and 308), if it has.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str
    permanent_url: str | None = None


def request(
    method: str,
    url: str,
    *,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    timeout_s: float = 10,
    max_bytes: int = 10_000_000,
    allow_private: bool = False,
) -> Answer:
    """Call `url` and read at most `max_bytes` of its answer (counted decoded) within `timeout_s` seconds a hop.

    Raises OutgoingRefused for addresses that must not be called, OutgoingError with a `reason` (`timeout`,
    `unreachable`, `unknown_host`, `tls_failed`, `broken_answer`, `too_large`, `too_many_redirects`) otherwise.
    """
    sent, is_permanent = dict(headers or {}), True
    first = target = target_of(url, allow_private=allow_private)
    for _ in range(_MAX_REDIRECTS + 1):
        answer = _call(method, target, body=body, headers=sent, timeout_s=timeout_s, max_bytes=max_bytes)
        location = answer.headers.get("location")
        if method not in ("GET", "HEAD") or answer.status not in _REDIRECTS or not location:
            has_moved = is_permanent and target is not first
            return replace(answer, permanent_url=target.url if has_moved else None)
        is_permanent = is_permanent and answer.status in (301, 308)
        following = target_of(urljoin(target.url, location), allow_private=allow_private)
        if following.origin != target.origin:
            sent = {name: value for name, value in sent.items() if name.lower() not in _PRIVATE_HEADERS}
        target = following
    raise OutgoingError(url=url, reason="too_many_redirects")


def mail_connection(host: str, *, port: int, is_tls: bool, timeout_s: float, allow_private: bool = False) -> socket:
    """A socket to a mail server's checked address, inside TLS where asked; each read and write waits `timeout_s`.

    Raises OutgoingRefused and OutgoingError like `request`.
    """
    address = mail_address(host, port=port, allow_private=allow_private)
    with translating_failures(f"{host}:{port}"):
        plain = create_connection((address, port), timeout=timeout_s)
        if not is_tls:
            return plain
        try:
            return tls_context().wrap_socket(plain, server_hostname=host)
        except BaseException:
            plain.close()
            raise


def _call(
    method: str, target: Target, *, body: bytes | None, headers: Mapping[str, str], timeout_s: float, max_bytes: int
) -> Answer:
    with translating_failures(target.url), _connected(target, timeout_s=timeout_s) as connection:
        sent = {"User-Agent": USER_AGENT, "Accept-Encoding": "gzip", **headers, "Host": target.host_header}
        connection.request(method, target.path, body=body, headers=sent, preload_content=False)
        response = connection.getresponse()
        content = _read(response, target=target, max_bytes=max_bytes)
        found = {name.lower(): value for name, value in response.headers.items()}
        return Answer(status=response.status, headers=found, body=content, url=target.url)


def _read(response: urllib3.HTTPResponse, *, target: Target, max_bytes: int) -> bytes:
    pieces, size = [], 0
    while piece := response.read(_CHUNK, decode_content=True):
        size += len(piece)
        if size > max_bytes:
            raise OutgoingError(url=target.url, reason="too_large", limit=max_bytes)
        pieces.append(piece)
    return b"".join(pieces)


@contextmanager
def _connected(target: Target, *, timeout_s: float) -> Iterator[HTTPConnection]:
    """Connect to the checked address; the connection is cut after `timeout_s`, even while bytes still drip in."""
    connection = _connection(target, timeout_s=timeout_s)
    deadline = _Deadline(after_s=timeout_s)
    try:
        with deadline:
            connection.connect()
            deadline.hold(connection.sock)
            yield connection
    except (HTTPError, HTTPException, OSError, OutgoingError) as error:
        if deadline.is_over and getattr(error, "code", "") != "outgoing_refused":
            raise TimeoutError from error
        raise
    finally:
        connection.close()
    if deadline.is_over:
        raise TimeoutError


def _connection(target: Target, *, timeout_s: float) -> HTTPConnection:
    if target.scheme == "http":
        return HTTPConnection(target.address, port=target.port, timeout=timeout_s)
    return HTTPSConnection(
        target.address, port=target.port, timeout=timeout_s, server_hostname=target.host, ssl_context=tls_context()
    )


@cache
def tls_context() -> ssl.SSLContext:
    """Return the TLS context: certificates of the system's authorities are accepted."""
    return ssl.create_default_context()


class _Deadline:
    """Shuts a socket down when its time is over."""

    def __init__(self, *, after_s: float) -> None:
        self._socket: socket | None = None
        self._timer = threading.Timer(after_s, self._cut)
        self._timer.daemon = True
        self.is_over = False

    def __enter__(self) -> None:
        self._timer.start()

    def __exit__(self, *reason: object) -> None:
        self._timer.cancel()

    def hold(self, connected: socket | None) -> None:
        """Keep the socket, which the connection drops once the head of the answer has come."""
        self._socket = connected
        if self.is_over:
            raise TimeoutError

    def _cut(self) -> None:
        self.is_over = True
        if self._socket is not None:
            with suppress(OSError):
                self._socket.shutdown(SHUT_RDWR)


@contextmanager
def translating_failures(url: str) -> Iterator[None]:
    """Raise OutgoingError about `url` for the exceptions of urllib3 and of the system."""
    try:
        yield
    except ssl.SSLError as error:
        raise OutgoingError(url=url, reason="tls_failed") from error
    except urllib3.exceptions.NewConnectionError as error:
        # urllib3 derives it from its timeout, so a refused connection is caught first.
        raise OutgoingError(url=url, reason="unreachable") from error
    except (TimeoutError, urllib3.exceptions.TimeoutError) as error:
        raise OutgoingError(url=url, reason="timeout") from error
    except OSError as error:
        raise OutgoingError(url=url, reason="unreachable") from error
    except (HTTPError, HTTPException, ValueError) as error:
        raise OutgoingError(url=url, reason="broken_answer") from error
