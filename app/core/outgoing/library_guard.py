"""The guard for libraries that make calls of their own: every address that they connect to is checked on the way.

A library that resolves names and follows redirects on its own (Apprise and its hundred services) cannot be sent through
`calls.request`. Inside `guarding_calls` an audit hook (PEP 578) sees each address before the socket connects, in the
thread that asked; an address that must not be called is refused there, whatever name led to it.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from ipaddress import ip_address
from typing import Any

from app.core.errors import OutgoingRefused
from app.core.outgoing.addresses import is_allowed

_EVENTS = frozenset({"socket.connect", "socket.sendto"})


class _GuardState(threading.local):
    depth: int = 0
    allow_private: bool = False
    refused: str | None = None


_state = _GuardState()


@contextmanager
def guarding_calls(*, allow_private: bool) -> Iterator[None]:
    """Refuse, in this thread, connections to addresses that must not be called.

    Raises OutgoingRefused with reason `not_public` at the end where one was refused and the library hid the error.
    """
    _install()
    _state.depth, _state.allow_private, _state.refused = _state.depth + 1, allow_private, None
    try:
        yield
    finally:
        _state.depth -= 1
    if _state.refused is not None:
        raise OutgoingRefused(url="", reason="not_public", host=_state.refused)


@cache
def _install() -> None:
    """Install the one audit hook, which can never be removed; outside the guard it only reads a thread's counter."""
    sys.addaudithook(_watch)


def _watch(event: str, args: tuple[Any, ...]) -> None:
    if event in _EVENTS and _state.depth:
        # The last argument is the address: `(host, port, …)`, or a path for sockets of this machine alone.
        address = args[-1]
        host = str(address[0]) if isinstance(address, tuple) and address else str(address)
        if not _may_reach(host):
            _state.refused = host
            raise OutgoingRefused(url="", reason="not_public", host=host)


def _may_reach(host: str) -> bool:
    try:
        return is_allowed(ip_address(host.partition("%")[0]), allow_private=_state.allow_private)
    except ValueError:
        # A name that is not resolved yet, or the path of a local socket, cannot be checked.
        return False
