"""Mail out of a mailbox by IMAP (RFC 3501): what is new since the last look, read without marking it as seen."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from imaplib import IMAP4
from socket import socket
from typing import Any

from app.core.errors import OutgoingError
from app.core.outgoing import calls as network
from app.notify.domain.letter import Server

TIMEOUT_S = 20.0
WINDOW = 5000
"""The number of UIDs of one search, so that no answer is longer than a line may be."""

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_SIZE = re.compile(rb"RFC822\.SIZE (\d+)")


class Inbox:
    """An open folder: `uid_validity` and the next UID of RFC 3501 §2.3.1.1, and mail by its UID."""

    def __init__(self, connection: IMAP4, *, place: str) -> None:
        self._imap = connection
        self._place = place
        self.uid_validity = self._number("UIDVALIDITY")
        self.uid_next = self._number("UIDNEXT")

    def _number(self, name: str) -> int:
        found = self._imap.response(name)[1]
        if not found or found[0] is None:
            raise OutgoingError(url=self._place, reason="broken_answer")
        return int(found[0])

    def uids_after(self, last_uid: int, *, since: datetime | None = None) -> Iterator[int]:
        """UIDs above `last_uid`, ascending; of mail that arrived on the day of `since` or later."""
        dated = "" if since is None else f" SINCE {since.day:02d}-{_MONTHS[since.month - 1]}-{since.year}"
        for first in range(last_uid + 1, self.uid_next, WINDOW):
            last = min(first + WINDOW, self.uid_next) - 1
            answer = self._asked("SEARCH", f"UID {first}:{last}{dated}")
            for uid in sorted(int(one) for one in (answer[0] or b"").split()):
                # A range that begins above the last mail names that mail all the same.
                if first <= uid <= last:
                    yield uid

    def size(self, uid: int) -> int | None:
        """The size of a mail in bytes; None when it is gone."""
        answer = self._asked("FETCH", str(uid), "(RFC822.SIZE)")
        found = _SIZE.search(answer[0]) if answer and isinstance(answer[0], bytes) else None
        return int(found[1]) if found else None

    def mail(self, uid: int) -> bytes | None:
        """A mail as it stands in the folder; None when it is gone. Raises OutgoingError `mail_withheld`."""
        answer = self._asked("FETCH", str(uid), "(BODY.PEEK[])")
        pieces = [part[1] for part in answer if isinstance(part, tuple)]
        return bytes(pieces[0]) if pieces else None

    def _asked(self, command: str, *arguments: str) -> list[Any]:
        refusal = OutgoingError(url=self._place, reason="mail_withheld" if command == "FETCH" else "broken_answer")
        try:
            status, answer = self._imap.uid(command, *arguments)
        except IMAP4.abort:
            raise
        except IMAP4.error as error:
            raise refusal from error
        if status != "OK":
            raise refusal
        return answer


@contextmanager
def opened(server: Server, *, folder: str, allow_private: bool) -> Iterator[Inbox]:
    """A folder of a mailbox, read only; raises OutgoingError with a `reason` (`sign_in_refused`, `no_folder`, …)."""
    place = f"{server.host}:{server.port}"
    with network.translating_failures(place), _refusals(place, reason="broken_answer"):
        connection = _Connection(server, allow_private=allow_private)
        try:
            _sign_in(connection, server, place=place)
            with _refusals(place, reason="no_folder"):
                status, _ = connection.select(_quoted(folder), readonly=True)
            if status != "OK":
                raise OutgoingError(url=place, reason="no_folder")
            yield Inbox(connection, place=place)
        finally:
            with suppress(IMAP4.error, OSError):
                connection.logout()


class _Connection(IMAP4):
    """imaplib on a socket that was connected through the guard."""

    def __init__(self, server: Server, *, allow_private: bool) -> None:
        self._server = server
        self._allow_private = allow_private
        super().__init__(server.host, server.port, timeout=TIMEOUT_S)

    def _create_socket(self, timeout: float | None) -> socket:
        return network.mail_connection(
            self._server.host,
            port=self._server.port,
            is_tls=self._server.security == "tls",
            timeout_s=TIMEOUT_S,
            allow_private=self._allow_private,
        )


def _sign_in(connection: IMAP4, server: Server, *, place: str) -> None:
    if server.security == "starttls":
        context: ssl.SSLContext = network.tls_context()
        connection.starttls(context)
    with _refusals(place, reason="sign_in_refused"):
        if "AUTH=PLAIN" in connection.capabilities:
            given = f"\0{server.username}\0{server.secret}".encode()
            connection.authenticate("PLAIN", lambda _: given)
        else:
            connection.login(server.username, server.secret)


@contextmanager
def _refusals(place: str, *, reason: str) -> Iterator[None]:
    try:
        yield
    except IMAP4.error as error:
        # The server's words may repeat what was sent; only the reason goes on.
        raise OutgoingError(url=place, reason=reason) from (None if reason == "sign_in_refused" else error)


def _quoted(folder: str) -> str:
    return '"' + folder.replace("\\", "\\\\").replace('"', '\\"') + '"'
