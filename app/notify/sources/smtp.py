"""Mail is handed to a mail server (RFC 5321) through the guard of outgoing calls."""

from __future__ import annotations

import smtplib
from contextlib import suppress
from email.message import EmailMessage
from socket import socket

from app.core.errors import OutgoingError
from app.core.outgoing import calls as network
from app.notify.domain.letter import Posted, Server

TIMEOUT_S = 20.0


def post(mail: EmailMessage, server: Server, *, sender: str, recipient: str, allow_private: bool) -> Posted:
    """Hand over one mail and return the outcome; never raises for what the other side does.

    `error` is a code: `refused` (the server will never take it: `is_final`), `put_off` (it asks to come again),
    `sign_in_refused`, or the reason of the connection (`timeout`, `unreachable`, …).
    """
    try:
        with network.translating_failures(f"{server.host}:{server.port}"):
            connection = _Connection(server, allow_private=allow_private)
            try:
                return _posted(connection, mail, server=server, sender=sender, recipient=recipient)
            finally:
                with suppress(smtplib.SMTPException, OSError):
                    connection.quit()
    except OutgoingError as error:
        return Posted(is_delivered=False, error=str(error.params.get("reason", error.code)))


class _Connection(smtplib.SMTP):
    """smtplib on a socket that was connected through the guard."""

    def __init__(self, server: Server, *, allow_private: bool) -> None:
        self._server = server
        self._allow_private = allow_private
        super().__init__(server.host, server.port, timeout=TIMEOUT_S)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket:
        return network.mail_connection(
            self._server.host,
            port=self._server.port,
            is_tls=self._server.security == "tls",
            timeout_s=TIMEOUT_S,
            allow_private=self._allow_private,
        )


def _posted(connection: smtplib.SMTP, mail: EmailMessage, *, server: Server, sender: str, recipient: str) -> Posted:
    try:
        connection.ehlo_or_helo_if_needed()
        if server.security == "starttls":
            connection.starttls(context=network.tls_context())
        if server.username:
            connection.login(server.username, server.secret)
        connection.send_message(mail, from_addr=sender, to_addrs=[recipient])
    except smtplib.SMTPAuthenticationError:
        # The server's words may repeat what was sent.
        return Posted(is_delivered=False, error="sign_in_refused")
    except smtplib.SMTPRecipientsRefused as error:
        code, said = next(iter(error.recipients.values()))
        return _refused(code, said)
    except smtplib.SMTPResponseException as error:
        return _refused(error.smtp_code, error.smtp_error)
    except (smtplib.SMTPException, ValueError):
        return Posted(is_delivered=False, error="broken_answer")
    return Posted(is_delivered=True)


def _refused(code: int, said: bytes | str) -> Posted:
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    is_final = 500 <= code < 600
    return Posted(
        is_delivered=False, error="refused" if is_final else "put_off", said=f"{code} {text}"[:500], is_final=is_final
    )
