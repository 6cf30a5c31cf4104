"""Redaction: payment cards, IBANs, e-mail addresses and phone numbers become masks before the first write.

Precision comes first: order and tracking numbers, dates, amounts and years stay, so a number is masked only where its
check digit, its shape or the words before it identify it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from app.core.text.personal_numbers import bank_accounts, cards, phones

Found = tuple[int, int]
Finder = Callable[[str], Iterator[Found]]

_EMAIL = re.compile(r"(?<![\w.+%'-])[\w.!#$%&'*+/=?^`{|}~-]{1,256}+@(?:[\w-]{1,63}+\.){1,8}[^\W\d_]{2,24}(?![\w-])")


@dataclass(frozen=True, kw_only=True)
class Redacted:
    """A text with masks, their number, and their kinds in the order `card`, `iban`, `email`, `phone`."""

    text: str
    n: int
    kinds: tuple[str, ...]


def redact(text: str) -> Redacted:
    """Replace cards, IBANs, e-mail addresses and phone numbers by `[card]`, `[iban]`, `[email]`, `[phone]`."""
    counts = dict.fromkeys(("card", "iban", "email", "phone"), 0)
    for kind, finder in _FINDERS:
        text, counts[kind] = _masked(text, spans=finder(text), mask=f"[{kind}]")
    return Redacted(text=text, n=sum(counts.values()), kinds=tuple(kind for kind, n in counts.items() if n))


def _masked(text: str, *, spans: Iterator[Found], mask: str) -> tuple[str, int]:
    pieces: list[str] = []
    at = n = 0
    for start, end in spans:
        if start >= at:
            pieces += [text[at:start], mask]
            at, n = end, n + 1
    return "".join([*pieces, text[at:]]), n


def _addresses(text: str) -> Iterator[Found]:
    return (match.span() for match in _EMAIL.finditer(text)) if "@" in text else iter(())


# The order matters: an address may hold digits, and an IBAN's digits may look like a card's or a phone's.
_FINDERS: tuple[tuple[str, Finder], ...] = (
    ("email", _addresses),
    ("iban", bank_accounts),
    ("card", cards),
    ("phone", phones),
)
