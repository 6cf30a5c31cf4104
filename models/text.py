"""Prepare texts for the model, in the same way for training and for serving.

A text goes through several passes. Each pass is a list of edits (replace these characters by those), so that the
character spans of targets can be shifted along.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

TEXT_VERSION = 1

Span = tuple[int, int]
Edit = tuple[int, int, str]
Pass = Callable[[str], Iterator[Edit]]


@dataclass(frozen=True)
class Normalised:
    """A prepared text with the shifted character spans, in the order in which they were given."""

    text: str
    spans: tuple[Span, ...] = ()


def normalise(text: str, *, spans: Sequence[Span] = ()) -> Normalised:
    """Prepare `text` for the tokenizer and shift its character `spans` (start, end).

    HTML entities are unescaped and Unicode is composed (NFC). Control characters and lone surrogates become spaces,
    URLs become `http`, handles become `@user`, redaction masks and emoji become words, and runs of white space become
    one space. Any string is accepted; the result may be empty.
    """
    if not spans and _is_plain(text):
        return Normalised(text.strip(" "))
    carried = [_clip(span, length=len(text)) for span in spans]
    for edits_of in _PASSES:
        edits = list(edits_of(text))
        if edits:
            carried = _carry(carried, edits=edits)
            text = _apply(text, edits=edits)
    stripped = text.strip(" ")
    offset = len(text) - len(text.lstrip(" "))
    moved = tuple(_clip((start - offset, end - offset), length=len(stripped)) for start, end in carried)
    return Normalised(stripped, moved)


def edited(text: Normalised, *, edits: Sequence[Edit]) -> Normalised:
    """Apply sorted, non-overlapping edits to a prepared text and shift its spans."""
    return Normalised(_apply(text.text, edits=edits), tuple(_carry(text.spans, edits=edits)))


def tokens_of(span: Span, *, offsets: Sequence[Span]) -> Span | None:
    """Return the range (first, last + 1) of the tokens that overlap a character span, None if no token does.

    `offsets` are the character ranges of the tokens; special tokens have the empty range (0, 0).
    """
    touching = [at for at, (start, end) in enumerate(offsets) if start < end and start < span[1] and span[0] < end]
    return (touching[0], touching[-1] + 1) if touching else None


def _is_plain(text: str) -> bool:
    """True when no pass would change the text. Most texts are plain, and this check takes a tenth of the time."""
    return text.isascii() and text.isprintable() and "  " not in text and _MARK.search(text) is None


def _clip(span: Span, *, length: int) -> Span:
    start = min(max(span[0], 0), length)
    return start, min(max(span[1], start), length)


def _apply(text: str, *, edits: Iterable[Edit]) -> str:
    pieces, at = [], 0
    for start, end, replacement in edits:
        pieces += [text[at:start], replacement]
        at = end
    return "".join([*pieces, text[at:]])


def _carry(spans: Sequence[Span], *, edits: Sequence[Edit]) -> list[Span]:
    """Shift spans by edits; a span that ends inside an edited piece is extended to the whole replacement."""
    return [(_move(start, edits=edits, is_end=False), _move(end, edits=edits, is_end=True)) for start, end in spans]


def _move(position: int, *, edits: Sequence[Edit], is_end: bool) -> int:
    shift = 0
    for start, end, replacement in edits:
        if start >= position:
            break
        if position < end:
            return start + shift + (len(replacement) if is_end else 0)
        shift += len(replacement) - (end - start)
    return position + shift


# --- the passes, in order -------------------------------------------------------------------------------

_ENTITY = re.compile(r"&(?:#[0-9]{1,8}|#[xX][0-9a-fA-F]{1,8}|[A-Za-z][A-Za-z0-9]{1,31});")
_COMPOSABLE = re.compile(r"[\x00-\x7f]?[^\x00-\x7f]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202f\u2060-\u206f\ufeff\ud800-\udfff]+")
_URL = re.compile(r"\b(?:https?://|www\.)[^\s<>\"]+", re.IGNORECASE)
_HANDLE = re.compile(r"(?<![\w@.])@\w{1,50}")
_MASK = re.compile(r"\[(card|iban|email|phone)\]", re.IGNORECASE)
_MASK_WORDS = {"card": "card number", "iban": "account number", "email": "email address", "phone": "phone number"}
_EMOJI = re.compile(
    r"([\u2600-\u27bf\U0001f300-\U0001faff])[\ufe0f\u200d\U0001f3fb-\U0001f3ff]*"
    r"(?:\1[\ufe0f\u200d\U0001f3fb-\U0001f3ff]*)*"
)
_SPACE = re.compile(r"\s+")
_MARK = re.compile(r"[&@\[]|://|www\.", re.IGNORECASE)


def _replace(pattern: re.Pattern[str], *, by: Callable[[re.Match[str]], str]) -> Pass:
    def edits(text: str) -> Iterator[Edit]:
        for match in pattern.finditer(text):
            replacement = by(match)
            if replacement != match.group():
                yield match.start(), match.end(), replacement

    return edits


def _compose(text: str) -> Iterator[Edit]:
    """Compose Unicode (NFC) in pieces that start at non-combining characters, so that the edits are small."""
    if unicodedata.is_normalized("NFC", text):
        return
    for run in _COMPOSABLE.finditer(text):
        if not unicodedata.is_normalized("NFC", run.group()):
            yield from _compose_run(run.group(), at=run.start())


def _compose_run(run: str, *, at: int) -> Iterator[Edit]:
    start = 0
    for end in range(1, len(run) + 1):
        if end == len(run) or _starts_composition(run[end]):
            composed = unicodedata.normalize("NFC", run[start:end])
            if composed != run[start:end]:
                yield at + start, at + end, composed
            start = end


def _starts_composition(char: str) -> bool:
    """True for a character that never combines with the one before it: no combining mark, no Hangul vowel or tail."""
    return unicodedata.combining(char) == 0 and not _joins_back(char)


@cache
def _joins_back(char: str) -> bool:
    return "\u1160" <= char <= "\u11ff" or unicodedata.category(char) in ("Mc", "Mn")


@cache
def _emoji_words(emoji: str) -> str:
    return f" {unicodedata.name(emoji, 'symbol').lower()} "


_PASSES: tuple[Pass, ...] = (
    _replace(_ENTITY, by=lambda match: html.unescape(match.group())),
    _replace(_CONTROL, by=lambda match: " "),
    _compose,
    _replace(_URL, by=lambda match: "http"),
    _replace(_HANDLE, by=lambda match: "@user"),
    _replace(_MASK, by=lambda match: _MASK_WORDS[match.group(1).lower()]),
    _replace(_EMOJI, by=lambda match: _emoji_words(match.group(1))),
    _replace(_SPACE, by=lambda match: " "),
)
