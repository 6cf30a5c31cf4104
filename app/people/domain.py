"""Being signed in: from where, until when, and how long somebody who guesses passwords has to wait."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from app.core.durations import DAY_MS, MINUTE_MS

SESSION_MS = 14 * DAY_MS
"""A session ends so long after its last request."""

SEEN_EVERY_MS = MINUTE_MS
"""The last request of a session is written down this often."""

FAILURES_KEPT_MS = DAY_MS
"""Failed sign-ins are forgotten so long after the last one."""

SignInWay = Literal["password", "link", "setup", "new_password"]


@dataclass(frozen=True, kw_only=True)
class Origin:
    """The sender of a request: `address` is an IP address, `device` names browser and system.

    `known_for` is the user who signed in with this browser before, proved by `mark`; None for a new browser.
    """

    address: str = ""
    device: str = ""
    known_for: int | None = None
    mark: str = ""


@dataclass(frozen=True, kw_only=True)
class Session:
    """Somebody signed in with one browser; only the SHA-256 of its cookie's secret is kept."""

    id: int
    user_id: int
    created_at: int
    last_seen_at: int
    address: str = ""
    device: str = ""


@dataclass(frozen=True, kw_only=True)
class Throttle:
    """The number of sign-ins that may fail without a wait, and the longest wait after more of them."""

    n_free: int
    longest_ms: int

    def wait_ms(self, n_failed: int) -> int:
        """Return the wait after so many failures in a row: none, then 1 s, doubled with every further one."""
        beyond = n_failed - self.n_free
        return 0 if beyond < 0 else min(1000 << min(beyond, 30), self.longest_ms)


THROTTLES = {
    "account": Throttle(n_free=5, longest_ms=15 * MINUTE_MS),
    # Many people may share one address, so it is slowed later and never for long.
    "address": Throttle(n_free=20, longest_ms=8000),
}


def is_recorded(n_failed: int) -> bool:
    """Return True for the failures that history records: the first, the fifth, and then at every doubling."""
    return n_failed == 1 or (n_failed % 5 == 0 and (n_failed // 5).bit_count() == 1)
