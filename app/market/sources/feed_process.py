"""Feeds that come from outside are read in a process of their own, which ends when a document takes too much.

`drafts_of` starts it: what is asked and the document go in on its standard input, drafts and faults come back as JSON.
The limits are on processor time and memory, so that a busy machine makes no document slow; a time-out on the clock
stands behind them.
"""

from __future__ import annotations

import json
import logging
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from app.core.errors import InputError, NotReady, TooLarge
from app.core.text.file_rows import RowFault
from app.market.domain.market import LONGEST_READING_S, PostDraft

LOG = logging.getLogger(__name__)
MOST_BYTES = 10_000_000
MOST_WALL_S = 3 * LONGEST_READING_S
MOST_MEMORY = 1_000_000_000
_ROOT = Path(__file__).resolve().parents[3]

_Found = list[PostDraft | RowFault]


def drafts_of(raw: bytes, *, zone: str = "UTC", now: int | None = None, most_cpu_s: int = LONGEST_READING_S) -> _Found:
    """Posts of an RSS or Atom document, as `post_drafts.from_rss` reads them.

    Raises InputError `not_a_feed`, `unreadable`, `feed_too_slow` or `feed_too_costly`, TooLarge for more than 10 MB,
    and NotReady when no process can be started now.
    """
    if len(raw) > MOST_BYTES:
        raise TooLarge(size=len(raw), limit=MOST_BYTES)
    asked = json.dumps({"zone": zone, "now": now, "most_cpu_s": most_cpu_s}).encode()
    try:
        done = subprocess.run(
            [sys.executable, "-m", "app.market.sources.feed_process"],
            input=asked + b"\n" + raw,
            capture_output=True,
            cwd=_ROOT,
            timeout=MOST_WALL_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise InputError("feed_too_slow", limit=MOST_WALL_S) from None
    except OSError as error:
        raise NotReady() from error
    return _found_in(done, most_cpu_s=most_cpu_s)


def _found_in(done: subprocess.CompletedProcess[bytes], *, most_cpu_s: int) -> _Found:
    if done.returncode == -signal.SIGXCPU:
        raise InputError("feed_too_slow", limit=most_cpu_s)
    try:
        answer = json.loads(done.stdout)
    except ValueError:
        LOG.warning("a feed's reader ended with %d: %s", done.returncode, done.stderr[-2000:].decode(errors="replace"))
        raise InputError("unreadable") from None
    if "code" in answer:
        raise InputError(answer["code"], **answer["params"])
    return [_post_row(one) for one in answer["found"]]


def _post_row(values: dict[str, Any]) -> PostDraft | RowFault:
    return RowFault(**values) if "code" in values else PostDraft(**values)


def _limited(most_cpu_s: int) -> None:
    """Hold this process to its limits, where the system knows them."""
    with suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_CPU, (most_cpu_s, most_cpu_s + 2))
        resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))


def _answer_to(raw: bytes, *, zone: str, now: int | None) -> dict[str, Any]:
    from app.market.sources.post_drafts import from_rss

    try:
        return {"found": [asdict(one) for one in from_rss(raw, zone=zone, now=now)]}
    except InputError as error:
        return {"code": error.code, "params": dict(error.params)}
    except MemoryError:
        return {"code": "feed_too_costly", "params": {"megabytes": MOST_MEMORY // 1_000_000}}


def main() -> None:
    """Read what stands on standard input under the limits, and write what was found to standard output."""
    asked = json.loads(sys.stdin.buffer.readline())
    _limited(asked["most_cpu_s"])
    answer = _answer_to(sys.stdin.buffer.read(), zone=asked["zone"], now=asked["now"])
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    main()
