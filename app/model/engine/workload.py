"""How much work waits for a model, in tokens as they are known before a text is read, and how fast it goes."""

from __future__ import annotations

from math import ceil

CHARACTERS_A_TOKEN = 4
MOST_TOKENS = 1024
LONGEST_WAIT_S = 300

_KEPT = 0.9
_USUAL_RATE = 10_000.0


def tokens_of(text: str) -> int:
    """The tokens of a text as estimated from its length; a model reads no more than so many."""
    return min(2 + len(text) // CHARACTERS_A_TOKEN, MOST_TOKENS)


class Rate:
    """Tokens a second, of the last work more than of earlier."""

    def __init__(self) -> None:
        self._n_tokens, self._seconds = _USUAL_RATE, 1.0

    def add(self, n_tokens: int, *, seconds: float) -> None:
        """Take a run of the model into account."""
        self._n_tokens = _KEPT * self._n_tokens + n_tokens
        self._seconds = _KEPT * self._seconds + seconds

    def tokens_in(self, seconds: float) -> int:
        """So many tokens are read in this time."""
        return round(seconds * self._n_tokens / max(self._seconds, 1e-9))

    def seconds_for(self, n_tokens: int) -> int:
        """After how many whole seconds so much work is done, from 1 to 300."""
        return min(max(ceil(n_tokens * self._seconds / max(self._n_tokens, 1.0)), 1), LONGEST_WAIT_S)
