"""Finding the watched companies in a text: tickers, names and aliases in one pass over its words.

The text is cut into words once; the first word of a name leads to the names that begin with it, longest first, so the
time does not depend on how many entities are watched. Addresses (URLs, e-mail, @handles) are never names.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from app.domain.market import Entity, Span

_WORD = re.compile(
    r"(?P<address>(?:https?://|www\.)\S+|[\w.+-]+@[\w-]+(?:\.[\w-]+)+|(?<!\w)@\w+)"
    r"|(?P<cashtag>(?<![\w$])\$[A-Za-z]{1,6}(?:\.[A-Za-z])?(?!\w))"
    r"|[\u3040-\u30ff\u4e00-\u9fff]"
    r"|[^\W_\u3040-\u30ff\u4e00-\u9fff]+"
)
_EXCHANGE = re.compile(r"\b(?:NYSE|NASDAQ|LSE|AMEX|TSX|ASX|HKEX|XETRA|EPA|FRA)\s*:\s*$", re.IGNORECASE)
_COMPANY_WORD = re.compile(
    r"(?:[’']s?)?,?\s+(?:inc|corp|corporation|plc|ltd|limited|group|holdings|ag|se|nv|co|"
    r"shares?|stock|ceo|cfo|chief executive)\b",
    re.IGNORECASE,
)
_SPACE = re.compile(r"[\s\-‐‑–\u00a0]+")

BARE_TICKER_LETTERS = 3
"""A ticker without its dollar sign is looked for from this length on: T, F and GO are words."""


@dataclass(frozen=True, slots=True)
class _Word:
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
        by_first: dict[str, list[_Name]] = defaultdict(list)
        for entity in entities:
            for name in dict.fromkeys(_names(entity)):
                by_first[name.words[0]].append(name)
        self._by_first = {
            first: sorted(group, key=lambda name: (-len(name.words), name.is_ticker))
            for first, group in by_first.items()
        }

    def find(self, text: str) -> tuple[Span, ...]:
        """Every mention in the text from left to right, without overlaps; the longest name wins.

        Case, accents and hyphens do not matter for names; a possessive ending is left out of the span. An ambiguous
        name, a name that two entities share, and a ticker in capitals without `$` count only beside another sign of
        the entity: another name or its cashtag elsewhere in the text, or a company word next to it ("Inc", "shares",
        an exchange before the ticker, the ticker in brackets).
        """
        found = list(self._candidates(text))
        if not found:
            return ()
        sure = {one.name.entity_id for one in found if one.is_sign}
        written: dict[int, set[tuple[str, ...]]] = defaultdict(set)
        for one in found:
            written[one.name.entity_id].add(one.name.words)
        spans: dict[int, Span] = {}
        for one in found:
            entity_id = one.name.entity_id
            if one.is_sign or entity_id in sure or len(written[entity_id]) > 1:
                spans.setdefault(
                    one.start,
                    Span(entity_id=entity_id, start=one.start, end=one.end, surface=text[one.start : one.end]),
                )
        return tuple(spans.values())

    def _candidates(self, text: str) -> Iterator[_Found]:
        words = _words(text)
        position = 0
        while position < len(words):
            names = self._by_first.get(words[position].key)
            matches = self._longest(names, text=text, words=words, position=position) if names else []
            yield from matches
            position += len(matches[0].name.words) if matches else 1

    def _longest(self, names: Sequence[_Name], *, text: str, words: Sequence[_Word], position: int) -> list[_Found]:
        matches: list[_Found] = []
        for name in names:
            if matches and len(name.words) < len(matches[0].name.words):
                break
            if _fits(name, text=text, words=words, position=position):
                start, end = words[position].start, words[position + len(name.words) - 1].end
                matches.append(
                    _Found(name=name, start=start, end=end, is_sign=_is_sign(name, text=text, start=start, end=end))
                )
        if len({match.name.entity_id for match in matches}) > 1:
            return [_Found(name=match.name, start=match.start, end=match.end, is_sign=False) for match in matches]
        return sorted(matches, key=lambda match: not match.is_sign)[:1]


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
    return [
        _Word(_key(match[0]), match.start(), match.end())
        for match in _WORD.finditer(text)
        if match.lastgroup != "address"
    ]


def _key(word: str) -> str:
    lowered = word.lower()
    if lowered.isascii():
        return lowered
    decomposed = unicodedata.normalize("NFD", lowered)
    return "".join(character for character in decomposed if not unicodedata.combining(character))


def _gaps(text: str, *, words: Sequence[_Word]) -> tuple[str, ...]:
    return tuple(_gap(text[one.end : two.start]) for one, two in pairwise(words))


def _gap(between: str) -> str:
    """What stands between two words of a name, so that `Coca-Cola` is `Coca Cola` and `AT & T` is `AT&T`."""
    spaced = _SPACE.sub(" ", between.replace("’", "'"))
    return "&" if spaced.strip() == "&" else spaced


def _fits(name: _Name, *, text: str, words: Sequence[_Word], position: int) -> bool:
    part = words[position : position + len(name.words)]
    if tuple(word.key for word in part) != name.words or _gaps(text, words=part) != name.gaps:
        return False
    surface = text[part[0].start : part[-1].end]
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
