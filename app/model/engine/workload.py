"""The workload of a model: tokens that wait, estimated before a text is read, and the rate of reading."""

from __future__ import annotations

from math import ceil

CHARACTERS_A_TOKEN = 4
MOST_TOKENS = 1024
LONGEST_WAIT_S = 300

_KEPT = 0.9
_USUAL_RATE = 10_000.0


def tokens_of(text: str) -> int:
    """Return the tokens of a text, estimated from its length, up to the most that a model reads."""
    return min(2 + len(text) // CHARACTERS_A_TOKEN, MOST_TOKENS)


class Rate:
    """A running rate of tokens a second, with more weight on recent work."""

    def __init__(self) -> None:
        self._n_tokens, self._seconds = _USUAL_RATE, 1.0

    def add(self, n_tokens: int, *, seconds: float) -> None:
        """Add a run of the model."""
        self._n_tokens = _KEPT * self._n_tokens + n_tokens
        self._seconds = _KEPT * self._seconds + seconds

    def tokens_in(self, seconds: float) -> int:
        """Return the number of tokens that are read in this time."""
        return round(seconds * self._n_tokens / max(self._seconds, 1e-9))

    def seconds_for(self, n_tokens: int) -> int:
        """Return the whole seconds that so much work takes, 1 to 300."""
        return min(max(ceil(n_tokens * self._seconds / max(self._n_tokens, 1.0)), 1), LONGEST_WAIT_S)
