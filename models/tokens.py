"""From normalised texts to windows of token ids.

A text that is longer than a window is divided into several full windows that overlap evenly, so that tokens near an
edge are also seen with their neighbours. After `MAX_WINDOWS` windows the rest of the text is not read; the token counts
show this.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tokenizers import Encoding, Tokenizer

from models.text import Normalised, Span, tokens_of

MAX_WINDOWS = 8


@dataclass(frozen=True)
class Window:
    """A window: `ids` with the special tokens, and the token range of each of the text's spans in it."""

    ids: Sequence[int]
    ranges: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Encoded:
    """A text as windows, its number of tokens, and how many of them are in a window; special tokens do not count."""

    windows: tuple[Window, ...]
    n_tokens: int
    n_used: int


class Tokens:
    """The tokenizer of an artifact, with windows of `max_length` tokens, special tokens included."""

    def __init__(self, path: Path, *, max_length: int) -> None:
        self._tokenizer = Tokenizer.from_file(str(path))
        self.pad = pad_id(self._tokenizer)
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        probe = self._tokenizer.encode("a")
        marks = [at for at, special in enumerate(probe.special_tokens_mask) if not special]
        first, last = (marks[0], marks[-1] + 1) if marks else (1, len(probe.ids) - 1)
        self._before, self._after = probe.ids[:first], probe.ids[last:]
        self._room = max_length - len(self._before) - len(self._after)

    def encode(self, texts: Sequence[Normalised]) -> list[Encoded]:
        """Tokenise normalised texts; every text has at least one window, even an empty one."""
        if len(texts) == 1:
            # A batch would wake threads, which takes longer than tokenising one text.
            found = self._tokenizer.encode(texts[0].text, add_special_tokens=False)
            return [self._encoded(found, spans=texts[0].spans)]
        # Offsets are needed for spans only, and cost more than the ids.
        has_spans = any(text.spans for text in texts)
        encode = self._tokenizer.encode_batch if has_spans else self._tokenizer.encode_batch_fast
        encodings = encode([text.text for text in texts], add_special_tokens=False)
        return [self._encoded(found, spans=text.spans) for found, text in zip(encodings, texts, strict=True)]

    def is_whole(self, word: str) -> bool:
        """True when the word is a single token."""
        return len(self._tokenizer.encode(word, add_special_tokens=False).ids) == 1

    def _encoded(self, found: Encoding, *, spans: Sequence[Span]) -> Encoded:
        ids = found.ids
        if not spans and len(ids) <= self._room:
            return Encoded((Window([*self._before, *ids, *self._after], ()),), len(ids), len(ids))
        ranges = [tokens_of(span, offsets=found.offsets) or (0, 0) for span in spans] if spans else []
        starts = window_starts(len(ids), room=self._room)
        windows = tuple(self._window(ids, start=start, ranges=ranges) for start in starts)
        used = len(ids) if len(ids) <= self._room * MAX_WINDOWS else starts[-1] + self._room
        return Encoded(windows, len(ids), used)

    def _window(self, ids: Sequence[int], *, start: int, ranges: Sequence[tuple[int, int]]) -> Window:
        body = ids[start : start + self._room]
        shift = len(self._before) - start
        low, high = len(self._before), len(self._before) + len(body)
        moved = tuple((min(max(a + shift, low), high), min(max(b + shift, low), high)) for a, b in ranges)
        return Window([*self._before, *body, *self._after], moved)


def pad_id(tokenizer: Tokenizer) -> int:
    """Return the id of the padding token ([PAD] or <pad>), 0 where there is none."""
    known = (tokenizer.token_to_id(token) for token in ("[PAD]", "<pad>"))
    return next((found for found in known if found is not None), 0)


def window_starts(n_tokens: int, *, room: int) -> list[int]:
    """Return the starts of windows of `room` tokens: evenly spread, or side by side if the text has too many tokens."""
    count = -(-n_tokens // room)
    if count <= 1:
        return [0]
    if count > MAX_WINDOWS:
        return [at * room for at in range(MAX_WINDOWS)]
    return [round(at * (n_tokens - room) / (count - 1)) for at in range(count)]
