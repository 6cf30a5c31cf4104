"""Real mail servers for tests: aiosmtpd takes letters, Debian's dovecot keeps mailboxes; both on loopback."""

from __future__ import annotations

import grp
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

PASSWORD = "s3cret-of-the-mailbox"


@dataclass
class Taken:
    """The mails that a server was sent; `answer` may refuse one by the number of the attempt."""

    port: int = 0
    mails: list[Message] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    n_attempts: int = 0
    answer: Callable[[int], str] = lambda _: "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Take one mail, or refuse it."""
        self.n_attempts += 1
        said = self.answer(self.n_attempts)
        if said.startswith("250"):
            self.mails.append(message_from_bytes(envelope.original_content or b""))
            self.recipients += envelope.rcpt_tos
        return said


@contextmanager
def smtp_server(**options: Any) -> Iterator[Taken]:
    """An SMTP server on a free port; `options` are aiosmtpd's (TLS, sign-in)."""
    taken = Taken(port=free_port())
    controller = Controller(taken, hostname="127.0.0.1", port=taken.port, **options)
    controller.start()
    try:
        yield taken
    finally:
        controller.stop()


def only_with(username: str, password: str) -> Callable[..., AuthResult]:
    """Return an authenticator that knows one account."""

    def check(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        is_right = isinstance(data, LoginPassword) and (data.login, data.password) == (
            username.encode(),
            password.encode(),
        )
        return AuthResult(success=is_right, handled=False)

    return check


@dataclass(frozen=True)
class Dovecot:
    """A running IMAP server whose mailbox is a Maildir: mail is delivered by writing a file."""

    port: int
    maildir: Path
    owner: tuple[int, int]

    def deliver(self, raw: bytes, *, name: str) -> None:
        """Put a mail into the inbox as a delivery agent does: written aside, then renamed."""
        aside = self.maildir / "tmp" / name
        aside.write_bytes(raw)
        os.chown(aside, *self.owner)
        aside.rename(self.maildir / "new" / f"{name}.test")

    def renumber(self) -> None:
        """Make the server number its mail anew: the UIDVALIDITY changes."""
        for kept in self.maildir.glob("dovecot*"):
            kept.unlink()


DOVECOT = """
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
protocols = imap
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
default_login_user = {login}
default_internal_user = {internal}
default_internal_group = {group}
mail_location = maildir:{folder}/mail
first_valid_uid = 0
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service anvil {{
  chroot =
}}
"""


def program() -> str | None:
    """Debian's dovecot, where it is installed."""
    return shutil.which("dovecot") or shutil.which("dovecot", path="/usr/sbin")


@contextmanager
def dovecot() -> Iterator[Dovecot]:
    """A dovecot of its own in a new folder, with one mailbox that any user name and PASSWORD open."""
    found = program()
    assert found is not None, "install it with: apt-get install dovecot-imapd"
    # It serves no mail as root, and another user cannot enter pytest's own folders.
    folder, owner = Path(tempfile.mkdtemp(prefix="dovecot-")), pwd.getpwuid(os.getuid() or pwd.getpwnam("mail").pw_uid)
    is_root = os.getuid() == 0
    internal = "dovecot" if is_root else owner.pw_name
    maildir, port = folder / "mail", free_port()
    for sub in (maildir / "cur", maildir / "new", maildir / "tmp"):
        sub.mkdir(parents=True)
    for each in (folder, maildir, *maildir.iterdir()):
        os.chown(each, owner.pw_uid, owner.pw_gid)
    values = {
        "folder": folder,
        "login": "dovenull" if is_root else owner.pw_name,
        "internal": internal,
        "group": grp.getgrgid(pwd.getpwnam(internal).pw_gid).gr_name,
        "password": PASSWORD,
        "uid": owner.pw_uid,
        "gid": owner.pw_gid,
        "port": port,
    }
    (folder / "dovecot.conf").write_text(DOVECOT.format_map(values))
    process = subprocess.Popen([found, "-F", "-c", str(folder / "dovecot.conf")])
    try:
        _wait_for(port, process, log=folder / "log")
        yield Dovecot(port, maildir, (owner.pw_uid, owner.pw_gid))
    finally:
        process.terminate()
        process.wait(timeout=20)
        shutil.rmtree(folder, ignore_errors=True)


def _wait_for(port: int, process: subprocess.Popen[bytes], *, log: Path) -> None:
    for _ in range(300):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        assert process.poll() is None, log.read_text() if log.exists() else "dovecot ended"
        time.sleep(0.1)
    raise AssertionError("dovecot does not listen")


def free_port() -> int:
    """Return a port without a listener."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
