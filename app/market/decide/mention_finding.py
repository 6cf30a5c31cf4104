"""Finding the watched companies in a text: tickers, names and aliases in one pass over its words.

The text is cut into words once; the first word of a name leads to the names that begin with it, longest first, so the
time does not depend on how many entities are watched. Addresses (URLs, e-mail, @handles) are never names.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import NamedTuple

from app.market.domain.market import Entity, Span

_CASHTAG = r"(?<![\w$])\$[A-Za-z]{1,6}(?:\.[A-Za-z])?(?!\w)"
_WORDS = r"[^\W_\u3040-\u30ff\u4e00-\u9fff]+|[\u3040-\u30ff\u4e00-\u9fff]"
_WORD = re.compile(rf"{_WORDS}|{_CASHTAG}")
_ADDRESS = re.compile(r"(?:https?://|www\.)\S+|(?<![\w.+-])[\w.+-]{0,64}@[\w-]+(?:\.[\w-]+)*")
_EXCHANGE = re.compile(r"\b(?:NYSE|NASDAQ|LSE|AMEX|TSX|ASX|HKEX|XETRA|EPA|FRA)\s*:\s*$", re.IGNORECASE)
_COMPANY_WORD = re.compile(
    r"(?:[’']s?)?,?\s+(?:inc|corp|corporation|plc|ltd|limited|group|holdings|ag|se|nv|co|"
    r"shares?|stock|ceo|cfo|chief executive)\b",
    re.IGNORECASE,
)
_SPACE = re.compile(r"[\s\-‐‑–\u00a0]+")

BARE_TICKER_LETTERS = 3
"""A ticker without its dollar sign is looked for from this length on: T, F and GO are words."""


class _Word(NamedTuple):
    key: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Name:
    """A way to write an entity: word keys, what stands between them, and whether it needs another sign beside it."""

    entity_id: int
    words: tuple[str, ...]
    gaps: tuple[str, ...]
    is_weak: bool
    is_capital: bool
    is_ticker: bool


@dataclass(frozen=True, slots=True)
class _Found:
    name: _Name
    start: int
    end: int
    is_sign: bool


class Gazetteer:
    """The watched entities, ready to be found; build it once and share it between threads."""

    def __init__(self, entities: Iterable[Entity]) -> None:
        self._names: dict[tuple[str, ...], list[_Name]] = defaultdict(list)
        lengths: dict[str, set[int]] = defaultdict(set)
        for entity in entities:
            for name in dict.fromkeys(_names(entity)):
                self._names[name.words].append(name)
                lengths[name.words[0]].add(len(name.words))
        self._lengths = {first: sorted(found, reverse=True) for first, found in lengths.items()}

    def find(self, text: str) -> tuple[Span, ...]:
        """Return every mention in the text from left to right, without overlaps; the longest name wins.

        Case, accents and hyphens do not matter for names; a possessive ending is left out of the span. An ambiguous
        name, a name that two entities share, and a ticker in capitals without `$` count only beside another sign of
        the entity: another name or its cashtag elsewhere in the text, or a company word next to it ("Inc", "shares",
        an exchange before the ticker, the ticker in brackets).
        """
        bare = _without_addresses(text)
        keys = _keys(bare)
        if self._lengths.keys().isdisjoint(keys):
            return ()
        found = list(self._candidates(bare, keys=keys))
        sure = {one.name.entity_id for one in found if one.is_sign}
        written = {(one.name.entity_id, one.name.words) for one in found}
        n_written = Counter(entity_id for entity_id, _ in written)
        spans: dict[int, Span] = {}
        for one in found:
            if one.name.entity_id in sure or n_written[one.name.entity_id] > 1:
                spans.setdefault(one.start, _span(one, text=text))
        return tuple(spans.values())

    def _candidates(self, text: str, *, keys: Sequence[str]) -> Iterator[_Found]:
        words = _placed(text, keys=keys)
        position = 0
        for start, key in enumerate(keys):
            if start >= position and key in self._lengths:
                matches = self._longest(text, words=words, position=start)
                yield from matches
                position = start + (len(matches[0].name.words) if matches else 1)

    def _longest(self, text: str, *, words: Sequence[_Word], position: int) -> list[_Found]:
        for length in self._lengths[words[position].key]:
            part = words[position : position + length]
            names = self._names.get(tuple(word.key for word in part), ())
            matches = [_match(name, text=text, part=part) for name in names if _fits(name, text=text, part=part)]
            if matches:
                return _resolved(matches)
        return []


def _resolved(matches: list[_Found]) -> list[_Found]:
    """The companies that one place in the text may name; none of them is sure when they share the name."""
    if len({match.name.entity_id for match in matches}) > 1:
        return [replace(match, is_sign=False) for match in matches]
    return sorted(matches, key=lambda match: not match.is_sign)[:1]


def _match(name: _Name, *, text: str, part: Sequence[_Word]) -> _Found:
    start, end = part[0].start, part[-1].end
    return _Found(name=name, start=start, end=end, is_sign=_is_sign(name, text=text, start=start, end=end))


def _span(found: _Found, *, text: str) -> Span:
    surface = text[found.start : found.end]
    return Span(entity_id=found.name.entity_id, start=found.start, end=found.end, surface=surface)


def _names(entity: Entity) -> Iterator[_Name]:
    weak = {alias.casefold() for alias in entity.ambiguous}
    for written in (entity.name, *entity.aliases, *entity.ambiguous, f"${entity.ticker}"):
        words = _words(written)
        if words:
            yield _Name(
                entity_id=entity.id,
                words=tuple(word.key for word in words),
                gaps=_gaps(written, words=words),
                is_weak=written.casefold() in weak,
                is_capital=written[0].isupper(),
                is_ticker=False,
            )
    if len(entity.ticker) >= BARE_TICKER_LETTERS and entity.ticker.isalpha():
        key = _key(entity.ticker)
        yield _Name(entity_id=entity.id, words=(key,), gaps=(), is_weak=True, is_capital=True, is_ticker=True)


def _words(text: str) -> list[_Word]:
    bare = _without_addresses(text)
    return _placed(bare, keys=_keys(bare))


def _without_addresses(text: str) -> str:
    """The text with every address blanked out by as many characters that belong to no name."""
    if "@" in text or "://" in text or "www." in text:
        return _ADDRESS.sub(lambda match: "\0" * len(match[0]), text)
    return text


def _placed(text: str, *, keys: Sequence[str]) -> list[_Word]:
    return [_Word(key, *match.span()) for key, match in zip(keys, _WORD.finditer(text), strict=True)]


def _keys(text: str) -> list[str]:
    # Lower case may change the length of a text that is not ASCII: there, word by word.
    return _WORD.findall(text.lower()) if text.isascii() else [_key(word) for word in _WORD.findall(text)]


def _key(word: str) -> str:
    lowered = word.lower()
    if lowered.isascii():
        return lowered
    decomposed = unicodedata.normalize("NFD", lowered)
    return "".join(character for character in decomposed if not unicodedata.combining(character))


def _gaps(text: str, *, words: Sequence[_Word]) -> tuple[str, ...]:
    return tuple(_gap(text[one.end : two.start]) for one, two in pairwise(words))


def _gap(between: str) -> str:
    """The characters between two words of a name, made alike for `Coca-Cola` and `Coca Cola`, `AT & T` and `AT&T`."""
    spaced = _SPACE.sub(" ", between.replace("’", "'"))
    return "&" if spaced.strip() == "&" else spaced


def _fits(name: _Name, *, text: str, part: Sequence[_Word]) -> bool:
    surface = text[part[0].start : part[-1].end]
    if _gaps(text, words=part) != name.gaps:
        return False
    if name.is_ticker:
        return surface.isupper()
    return not (name.is_weak and name.is_capital) or surface[0].isupper()


def _is_sign(name: _Name, *, text: str, start: int, end: int) -> bool:
    if not name.is_weak:
        return True
    if not name.is_ticker:
        return bool(_COMPANY_WORD.match(text, end))
    is_bracketed = text[max(start - 1, 0) : start] == "(" and text[end : end + 1] in (")", ".")
    return is_bracketed or bool(_EXCHANGE.search(text[max(start - 12, 0) : start]))
