"""Attacks on accounts: passwords guessed from many addresses, copied cookies, revoked tokens, files of others."""

from __future__ import annotations

import http.client
import os
import re
import stat
import statistics
import tempfile
import time
from collections import Counter
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from tests.process import Running, flask, prepare, running

Row = tuple[str, str, str]

PASSWORD = "correct horse battery"
KNOWN, UNKNOWN, OWNER = "victim@example.com", "nobody@example.com", "owner@example.com"
GUESSING_S, PAUSE_S, N_ADDRESSES, N_TIMED = 60.0, 0.1, 100, 5
_COOKIE = re.compile(r"\b(bellwether=[^;]+)")
_TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"|name="csrf-token" content="([^"]+)"')


class Browser:
    """A client at one loopback address that keeps its session cookie."""

    def __init__(self, server: Running, *, address: str = "127.0.0.1", cookie: str = "") -> None:
        self.server, self.address, self.cookie = server, address, cookie

    def ask(self, method: str, path: str, **fields: str) -> tuple[int, str]:
        """Status and text of an answer."""
        connection = _connection(self.server, address=self.address)
        headers = {"Cookie": self.cookie, "Content-Type": "application/x-www-form-urlencoded"}
        connection.request(method, path, body=urlencode(fields) if fields else None, headers=headers)
        answer = connection.getresponse()
        text = answer.read().decode()
        found = _COOKIE.search(", ".join(answer.headers.get_all("Set-Cookie") or []))
        self.cookie = found[1] if found else self.cookie
        connection.close()
        return answer.status, text

    def send(self, path: str, *, page: str, **fields: str) -> int:
        """The status of a form that is sent with its CSRF token."""
        found = _TOKEN.search(self.ask("GET", page)[1])
        token = (found[1] or found[2]) if found else ""
        return self.ask("POST", path, csrf_token=token, **fields)[0]

    def sign_in(self, email: str, password: str) -> int:
        """The status that a sign-in gets: 302 in, 401 wrong, 429 slowed."""
        return self.send("/sign-in", page="/sign-in", email=email, password=password)


def rows() -> list[Row]:
    """Every attack on accounts with what was expected and what was measured; about two minutes."""
    before = os.umask(0)
    try:
        with tempfile.TemporaryDirectory() as folder:
            instance = Path(folder) / "instance"
            token = prepare(instance)
            for email in (KNOWN, OWNER):
                flask("user", "add", email, "--name", "P", "--role", "agent", "--password", PASSWORD, instance=instance)
            with running(instance, token=token) as server:
                server.wait_until_answered("/health/live")
                # Streams and sign-ins first: guessing leaves waits behind.
                return [
                    _copied_cookie(server),
                    *_revoked_token(server, instance=instance),
                    _told_apart(server),
                    _guessing(server),
                    _owner_meanwhile(server),
                    _modes(instance),
                ]
    finally:
        os.umask(before)


def _copied_cookie(server: Running) -> Row:
    browser = Browser(server)
    status = browser.sign_in(OWNER, PASSWORD)
    thief = Browser(server, cookie=browser.cookie)
    was = thief.ask("GET", "/account")[0]
    browser.send("/sign-out", page="/account")
    now = thief.ask("GET", "/account")[0]
    return (
        "a copied session cookie after sign-out",
        "200 before, 302 to the sign-in after",
        f"sign-in {status}, copy {was} before, {now} after",
    )


def _revoked_token(server: Running, *, instance: Path) -> list[Row]:
    found = []
    for where in ("over the API", "by a command in another process"):
        made = server.call("/api/v1/tokens", body={"name": "bot", "scopes": ["tickets:read"]})[1]
        stream = _connection(server)
        stream.request("GET", "/api/v1/stream", headers={"Authorization": f"Bearer {made['secret']}"})
        answer = stream.getresponse()
        answer.readline()
        if where == "over the API":
            deleting = _connection(server)
            deleting.request(
                "DELETE", f"/api/v1/tokens/{made['id']}", headers={"Authorization": f"Bearer {server.token}"}
            )
            deleting.getresponse().read()
            deleting.close()
        else:
            flask("token", "revoke", made["prefix"], instance=instance)
        began = time.perf_counter()
        answer.read()
        took_s = time.perf_counter() - began
        found.append((f"a live stream whose token is revoked {where}", "ends within 1 s", f"after {took_s:.2f} s"))
        stream.close()
    return found


def _connection(server: Running, *, address: str = "127.0.0.1") -> http.client.HTTPConnection:
    place = urlsplit(server.url)
    return http.client.HTTPConnection(
        str(place.hostname), int(place.port or 0), timeout=30, source_address=(address, 0)
    )


def _told_apart(server: Running) -> Row:
    took: dict[str, list[float]] = {KNOWN: [], UNKNOWN: []}
    for _ in range(N_TIMED - 1):
        for email, times in took.items():
            browser = Browser(server, address="127.0.3.1")
            began = time.perf_counter()
            browser.sign_in(email, "guess")
            times.append((time.perf_counter() - began) * 1000)
    known, unknown = (statistics.median(times) for times in took.values())
    return (
        f"time of a wrong sign-in, known or unknown account (n = {N_TIMED - 1} each)",
        "no difference to tell them apart",
        f"median {known:.0f} ms and {unknown:.0f} ms",
    )


def _guessing(server: Running) -> Row:
    counts: Counter[int] = Counter()
    began = time.perf_counter()
    while time.perf_counter() - began < GUESSING_S:
        number = sum(counts.values()) % N_ADDRESSES
        counts[Browser(server, address=f"127.0.2.{number + 1}").sign_in(OWNER, "guess")] += 1
        time.sleep(PAUSE_S)
    return (
        f"guessing one account's password from {N_ADDRESSES} addresses for {GUESSING_S:.0f} s",
        "at most 12 answers, then one in 15 min at least",
        f"{counts[401]} answers, {counts[429]} refusals, {counts[302]} in",
    )


def _owner_meanwhile(server: Running) -> Row:
    stranger = Browser(server, address="127.0.4.1").sign_in(OWNER, PASSWORD)
    return (
        "the right password from a new browser while strangers guess",
        "slowed like everybody (429); a link or a known browser gets in",
        f"{stranger}",
    )


def _modes(instance: Path) -> Row:
    paths = [instance, *instance.rglob("*")]
    lax = [path.name for path in paths if stat.S_IMODE(path.stat().st_mode) & 0o077]
    return (
        "files of an installation that other accounts may read, under umask 000",
        "none",
        f"{len(lax)} of {len(paths)}" + (f": {', '.join(lax)}" if lax else ""),
    )
