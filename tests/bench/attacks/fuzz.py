"""Mails and feeds made to break their readers, each read as the flows read it: none may end unhandled.

`python -m tests.bench fuzz` writes results/fuzz.json: of 100,000 mails and 30,000 feeds how many were read, refused
with a reason, unhandled (there must be none), and slower than a second. The same seed gives the same items, so that an
item is found again by its number. Feeds are read by the code that the reader's process runs, in this process.
"""

from __future__ import annotations

import json
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from app.core.errors import BellwetherError, InputError
from app.core.text.cleaning import clean, shown
from app.desk.flows.store_ticket import texts_of
from app.desk.sources.mail import from_eml
from app.market.domain.market import PostDraft
from app.market.sources.post_drafts import from_rss
from tests.bench.attacks import fuzz_items

N_MAILS, N_FEEDS, SEED = 100_000, 30_000, 13
SLOW_S, LONGEST_S = 1.0, 20
RESULT = Path(__file__).parents[1] / "results" / "fuzz.json"


class Late(BaseException):
    """An item took longer than anybody waits; no `except Exception` holds it."""


@dataclass
class Found:
    """What became of the items of one kind; `unhandled` and `slow` name the numbers of items, the first of each."""

    n: int = 0
    n_read: int = 0
    n_refused: int = 0
    n_unhandled: int = 0
    n_slow: int = 0
    slowest_s: float = 0.0
    reasons: Counter[str] = field(default_factory=Counter)
    unhandled: list[tuple[int, str]] = field(default_factory=list)
    slow: list[tuple[int, float]] = field(default_factory=list)


def read_mail(raw: bytes) -> str:
    """Read a mail as a mailbox does; the reason why it is none, or nothing."""
    draft = from_eml(raw, max_attachment_bytes=1_000_000)
    texts_of(draft, is_redacting=True, is_first=True)
    return ""


def read_feed(raw: bytes) -> str:
    """Read a feed as its process does, and its posts as they are stored; the reason of an entry that is not read."""
    found = from_rss(raw, now=1_780_000_000_000)
    for one in found:
        if isinstance(one, PostDraft):
            shown(one.title), clean(one.body)
    return next((one.code for one in found if not isinstance(one, PostDraft)), "")


def run(items: Iterator[bytes], read: Callable[[bytes], str], *, n: int) -> Found:
    """Read so many items, each for itself."""
    found = Found()
    signal.signal(signal.SIGALRM, _late)
    for number, raw in enumerate(islice(items, n)):
        began = time.process_time()
        signal.alarm(LONGEST_S)
        try:
            reason = read(raw)
        except InputError as error:
            reason = error.code
        except (BellwetherError, Exception, Late) as error:
            reason = ""
            found.n_unhandled += 1
            found.unhandled.append((number, repr(error)[:200]))
        finally:
            signal.alarm(0)
        _count(found, number, reason=reason, took_s=time.process_time() - began)
    return found


def _late(*_: Any) -> None:
    raise Late


def _count(found: Found, number: int, *, reason: str, took_s: float) -> None:
    found.n += 1
    if reason:
        found.n_refused += 1
        found.reasons[reason] += 1
    found.slowest_s = round(max(found.slowest_s, took_s), 3)
    if took_s > SLOW_S:
        found.n_slow += 1
        found.slow.append((number, round(took_s, 3)))
    found.n_read = found.n - found.n_refused - found.n_unhandled


def main() -> None:
    """Read them all, write the result, and print it."""
    told: dict[str, Any] = {"seed": SEED}
    for name, items, read, n in (
        ("mails", fuzz_items.mails(SEED), read_mail, N_MAILS),
        ("feeds", fuzz_items.feeds(SEED), read_feed, N_FEEDS),
    ):
        began = time.process_time()
        found = run(items, read, n=n)
        told[name] = {
            **asdict(found),
            "reasons": dict(found.reasons.most_common()),
            "unhandled": found.unhandled[:20],
            "slow": found.slow[:20],
            "cpu_s": round(time.process_time() - began, 1),
        }
    RESULT.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(told, indent=1))
