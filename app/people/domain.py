"""Being signed in: where from, until when, and how long who guesses has to wait."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from app.core.durations import DAY_MS, MINUTE_MS

LASTS_MS = 14 * DAY_MS
"""How long a session lasts after it was last seen."""

SEEN_MS = MINUTE_MS
"""How often it is written down that a session is in use."""

FORGOTTEN_MS = DAY_MS
"""After how long without another one failed sign-ins are forgotten."""

SignInWay = Literal["password", "link", "setup", "new_password"]


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Where a request comes from: `address` is an IP address, `device` names browser and system.

    `known_for` is the user who signed in with this browser before, with `mark` as the proof; None for a new browser.
    """

    address: str = ""
    device: str = ""
    known_for: int | None = None
    mark: str = ""


@dataclass(frozen=True, kw_only=True)
class Session:
    """Somebody signed in at one browser; only the SHA-256 of what its cookie holds is kept."""

    id: int
    user_id: int
    created_at: int
    last_seen_at: int
    address: str = ""
    device: str = ""


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How many sign-ins may fail before the next has to wait, and how long it waits at most."""

    n_free: int
    longest_ms: int

    def wait_ms(self, n_failed: int) -> int:
        """The wait after so many failures in a row: none, then 1 s, and twice as long each time."""
        beyond = n_failed - self.n_free
        return 0 if beyond < 0 else min(1000 << min(beyond, 30), self.longest_ms)


PATIENCE = {
    "account": Patience(n_free=5, longest_ms=15 * MINUTE_MS),
    # Many people may share one address, so it is slowed later and never for long.
    "address": Patience(n_free=20, longest_ms=8000),
}


def is_told(n_failed: int) -> bool:
    """Whether the history notes this failure: the first, the fifth, and then each time that they have doubled."""
    return n_failed == 1 or (n_failed % 5 == 0 and (n_failed // 5).bit_count() == 1)
