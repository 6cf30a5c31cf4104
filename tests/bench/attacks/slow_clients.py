"""Clients that hold connections and hardly use them, in a process of their own, from 127.0.0.2."""

from __future__ import annotations

import multiprocessing
import random
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

SOURCE = "127.0.0.2"
ROUND_S = 0.5
BEGIN = {
    "silent": b"",
    "dripping headers": b"GET / HTTP/1.1\r\nHost: here\r\n",
    "dripping bodies": b"POST /predict HTTP/1.1\r\nHost: here\r\nContent-Length: 1000000\r\n\r\n",
}
DRIP = {"silent": b"", "dripping headers": b"X: y\r\n", "dripping bodies": b"x"}
KINDS = tuple(BEGIN)


@contextmanager
def attacking(port: int, *, kind: str, n_clients: int) -> Iterator[None]:
    """Try to hold so many connections while the block runs."""
    attacker = multiprocessing.get_context("spawn").Process(target=_hold, args=(port, kind, n_clients), daemon=True)
    attacker.start()
    time.sleep(3)
    try:
        yield
    finally:
        attacker.terminate()
        attacker.join(10)


def _hold(port: int, kind: str, n_clients: int) -> None:
    held: list[socket.socket] = []
    while True:
        held = [client for client in held if _is_open(client, drip=DRIP[kind])]
        for _ in range(n_clients - len(held)):
            held += _opened(port, begin=BEGIN[kind])
        time.sleep(ROUND_S * random.uniform(0.8, 1.2))


def _opened(port: int, *, begin: bytes) -> list[socket.socket]:
    try:
        client = socket.create_connection(("127.0.0.1", port), timeout=2, source_address=(SOURCE, 0))
        client.sendall(begin)
    except OSError:
        return []
    client.setblocking(False)
    return [client]


def _is_open(client: socket.socket, *, drip: bytes) -> bool:
    try:
        if drip:
            client.send(drip)
        is_open = bool(client.recv(1, socket.MSG_PEEK))
    except BlockingIOError:
        return True
    except OSError:
        is_open = False
    if not is_open:
        client.close()
    return is_open
