"""Hostile mails and feeds against the flows that take them in: each costs itself alone, within its limit."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from app.core import changes, clock
from app.core.db import open_database
from app.core.errors import BellwetherError
from app.core.permissions import SYSTEM
from app.core.quarantine import quarantine_rows
from app.core.services import Services
from app.desk.domain.ticket import TicketFilter
from app.desk.flows import keep_queues
from app.desk.flows.mail import keep_mailboxes, read_mailbox, take_mail
from app.desk.store import inbox_query
from app.desk.store import mailboxes as boxes
from app.market.flows import read_folders
from app.market.flows.keep_feeds import FEED
from app.market.sources.watched_folder import SETTLED_MS
from app.market.store import feeds as feed_rows
from app.registration import register_flows
from tests.app.fake_engine import FakeEngine
from tests.app.policies import make_policy
from tests.mail_servers import PASSWORD, dovecot, program

Row = tuple[str, str, str]

_HEAD = b"From: Ann <ann@example.org>\r\nMessage-ID: <%d@x>\r\nSubject: Order\r\n"
MAILS: tuple[tuple[str, bytes], ...] = (
    ("mail: From with 600 brackets", b"From: " + b"(" * 600 + b"\r\nSubject: Order\r\n\r\nhello"),
    (
        "mail: a file name in pieces that do not fit",
        _HEAD % 2 + b"Content-Disposition: inline; filename*=utf-8''a; filename*1*=b\r\n\r\nhello",
    ),
    ("mail: a null in the charset", _HEAD % 3 + b'Content-Type: text/plain; charset="ut\0f"\r\n\r\nhello \xc3\xbc'),
    (
        "mail: 3,000 nested parts",
        _HEAD % 4
        + b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(3000))
        + b"\r\nhello",
    ),
    ("mail: 200,000 parameters", _HEAD % 5 + b"Content-Type: text/plain" + b"; a=b" * 200_000 + b"\r\n\r\nhello"),
    ("mail: 30 MB of empty lines", _HEAD % 6 + b"\r\n" + b"\n" * 30_000_000),
    ("mail: no mail at all", b"\x00\xff" * 500),
)
_CHANNEL = b"<rss version='2.0'><channel>"
FEEDS: tuple[tuple[str, bytes], ...] = (
    (
        "feed: an item with 200,000 attributes (2.3 MB)",
        _CHANNEL + b"<item " + b" ".join(b'a%d="1"' % n for n in range(200_000)) + b"><title>x</title></item>",
    ),
    ("feed: 10 MB of <", b"<" * 10_000_000),
    ("feed: &#99999999999;", _CHANNEL + b"<item><title>Larkspur &#99999999999; falls</title></item></channel></rss>"),
    ("feed: a declaration that matches in cubic time", b"<?xml " + b"encoding='" * 300_000),
)


@contextmanager
def _services(folder: Path) -> Iterator[Services]:
    register_flows()
    db = open_database(folder / "attack.sqlite")
    policy = make_policy(is_fetching_private=True, feed_folder=folder / "feeds")
    try:
        yield Services(db=db, engine=FakeEngine(), policy=policy)
    finally:
        db.close()


def rows() -> list[Row]:
    """Attack, what was expected, what was measured."""
    with tempfile.TemporaryDirectory() as folder, _services(Path(folder)) as services:
        keep_queues.add_queue(services, viewer=SYSTEM, slug="intake", title="Intake")
        found = [_uploaded(services, name, raw) for name, raw in MAILS]
        if program() is not None:
            found.append(_fetched(services))
        return [*found, *(_dropped(services, name, raw) for name, raw in FEEDS)]


def _uploaded(services: Services, name: str, raw: bytes) -> Row:
    began = time.perf_counter()
    try:
        outcome = f"filed as ticket {take_mail.take_mail(services, raw, viewer=SYSTEM, source=name).ticket.id}"
    except BellwetherError as error:
        outcome = f"refused ({error.code}), in quarantine"
    return name, "filed, or in quarantine with a reason", f"{outcome}, {time.perf_counter() - began:.2f} s"


def _fetched(services: Services) -> Row:
    """All of them in one mailbox, a sound mail behind them."""
    services.policy = replace(services.policy, max_mail_bytes=5_000_000)
    with dovecot() as server:
        box = keep_mailboxes.add_mailbox(
            services,
            {
                "address": "help@desk.example",
                "queue_id": 1,
                "username": "desk",
                "imap_host": "127.0.0.1",
                "imap_port": server.port,
                "imap_security": "none",
                "is_reading_old": True,
            },
            viewer=SYSTEM,
            password=PASSWORD,
        ).row
        for number, (_, raw) in enumerate(MAILS):
            server.deliver(raw.replace(b"@x>", b"@mailbox>"), name=f"{number:02d}")
        server.deliver(_HEAD.replace(b"Order", b"Sound") % 9 + b"\r\nhello", name="99")
        began = time.perf_counter()
        n_read = read_mailbox.poll_due(services)
        took_s = time.perf_counter() - began
    held = quarantine_rows.of_mailbox(services.db, box.id, limit=99)
    is_filed = "Sound" in {one.subject for one in inbox_query.each(services.db, TicketFilter(), viewer=SYSTEM)}
    told = f"UID {boxes.get(services.db, box.id).last_uid}, {n_read} read, {len(held)} in quarantine, the sound one "
    name = f"mailbox: these {len(MAILS)} before a sound one"
    return (
        name,
        "every UID is passed, the sound one is filed",
        f"{told}{'' if is_filed else 'not '}filed, {took_s:.2f} s",
    )


def _dropped(services: Services, name: str, raw: bytes) -> Row:
    """The document as a file in a feed's folder."""
    slug = f"feed-{len(feed_rows.every(services.db))}"
    feed = changes.add(services.db, FEED, {"slug": slug, "name": name, "kind": "file"}, viewer=SYSTEM).row
    where = read_folders.folder_of(services, feed) or Path()
    where.mkdir(parents=True)
    file = where / "hostile.xml"
    file.write_bytes(raw)
    settled = clock.now_ms() * 1_000_000 - 2 * SETTLED_MS * 1_000_000
    os.utime(file, ns=(settled, settled))
    began = time.perf_counter()
    read_folders.read_all(services)
    took_s = time.perf_counter() - began
    left = next(path.parent.name for path in where.rglob("hostile.xml"))
    fault = feed_rows.get(services.db, feed.id).last_error or "no fault"
    return name, "read or failed within 10 s of processor time", f"{fault}, file in {left}, {took_s:.2f} s"
