"""Personal numbers and addresses become masks before the first write: cards (Luhn), IBANs (mod 97), e-mail, phone.

Precision comes first: order and tracking numbers, dates, amounts and years stay, so a number is masked only if its
check digit, its shape or the words before it say what it is. Each finder yields (start, end); every pattern has bounded
repeats, so a text of any shape is read in linear time.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

Found = tuple[int, int]
Finder = Callable[[str], Iterator[Found]]

_EMAIL = re.compile(r"(?<![\w.+%'-])[\w.!#$%&'*+/=?^`{|}~-]{1,256}+@(?:[\w-]{1,63}+\.){1,8}[^\W\d_]{2,24}(?![\w-])")

# Lengths by country from the SWIFT IBAN registry (ISO 13616).
_IBAN_LENGTHS = {
    country: length
    for length, countries in {
        15: "NO", 16: "BE", 18: "DK FI FK FO GL NL SD", 19: "MK SI", 20: "AT BA EE KZ LT LU MN XK",
        21: "CH HR LI LV", 22: "BG BH CR DE GB GE IE ME RS VA", 23: "AE GI IL IQ OM SO TL",
        24: "AD CZ ES MD PK RO SA SE SK TN VG", 25: "LY PT ST", 26: "IS TR", 27: "BI DJ FR GR IT MC MR SM",
        28: "AL AZ BY CY DO GT HU LB NI PL SV", 29: "BR EG PS QA UA", 30: "JO KW MU YE", 31: "MT SC", 32: "LC",
        33: "RU",
    }.items()
    for country in countries.split()
}  # fmt: skip
_IBAN_HEAD = re.compile(r"(?<![A-Za-z\d])([A-Za-z]{2})[ \xa0-]?\d{2}")
_IBAN_GAP = " \u00a0-\n"

# Not inside a longer word or number; a card's name may stand directly before it.
_CARD_RUN = re.compile(
    r"(?:(?<![A-Za-z\d+])|(?<=card)|(?<=visa)|(?<=amex)|(?<=number))"
    r"(?<![\d][.,])\d(?:[ \xa0\u2009\u202f.\n\u2010-\u2015-]{0,3}\d){11,39}+(?![A-Za-z\d])",
    re.I,
)
_DOUBLED = str.maketrans("0123456789", "0246813579")  # the digit sum of twice the digit
_DIGITS = re.compile(r"\d+")
_CARD_SHAPES = ((4, 4, 4, 4, 3), (4, 4, 4, 4), (4, 6, 5), (4, 6, 4), (8, 8), (16,), (15,))
_BRANDS: tuple[tuple[re.Pattern[str], tuple[int, ...]], ...] = (
    (re.compile(r"4"), (13, 16, 19)),
    (re.compile(r"5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720"), (16,)),
    (re.compile(r"3[47]"), (15,)),
    (re.compile(r"30[0-5]|3095|3[689]"), (14, 16, 19)),
    (re.compile(r"35(?:2[89]|[3-8])"), (16, 19)),
    (re.compile(r"6011|64[4-9]|65|62|60|8[12]|508"), (16, 17, 18, 19)),
    (re.compile(r"50|5[6-8]|6"), (16, 18, 19)),
)

_PHONE_RUN = re.compile(
    r"(?<![A-Za-z\d_+/=&?#@$€£-])(?<!\d[.,:])(?:\+ ?|\()?\d(?:[ \xa0./\u2010-\u2015-]{0,2}+[\d()]){5,23}+"
    r"(?![A-Za-z\d_%])(?![.,:/-]\d)"
)
_PHONE_WORD = re.compile(
    r"\b(?:phone|telephone|tel|mobile|mob|cell|call|dial|ring|whatsapp|sms|text me|contact|reach (?:me|us)|fax|hotline"
    r"|handy|telefon|my number|number is)\b|电话|手机",
    re.I,
)
_OTHER_WORD = re.compile(
    r"\b(?:order|orders|tracking|track|parcel|package|shipment|invoice|receipt|ref|reference|ticket|case|booking|sku|item"
    r"|serial|account|acct|iban|sort code|transaction|transfer|id|code|imei|isbn|ean|model|part|product|policy|claim"
    r"|pin|flight|zip|postcode|order no)\b|订单|单号",
    re.I,
)
_NANP = re.compile(r"(?:1[ .-]?)?(?:\(\d{3}\) ?|\d{3}[ .-])\d{3}[ .-]\d{4}")
_UK_MOBILE = re.compile(r"07\d{3}[ -]?\d{3}[ -]?\d{3}")
_DATE = re.compile(r"(?:\d{1,2}[./-]\d{1,2}[./-](?:19|20)?\d{2}|(?:19|20)\d{2}[./ -]\d{1,2}[./ -]\d{1,2})(?!\d)")
_THOUSANDS = re.compile(r"\d{1,3}(?:[ .\xa0]\d{3})+")
_CUE_WINDOW = 40


@dataclass(frozen=True, kw_only=True)
class Redacted:
    """A text with masks, how many were set, and which kinds, in the order of `card`, `iban`, `email`, `phone`."""

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


def bank_accounts(text: str) -> Iterator[tuple[int, int]]:
    """IBANs, written together or in groups, whose check digits hold (ISO 7064 mod 97)."""
    for head in _IBAN_HEAD.finditer(text):
        length = _IBAN_LENGTHS.get(head.group(1).upper())
        end = _end_of(text, start=head.start(), n_characters=length) if length else None
        if end is not None and _is_iban(text[head.start() : end]):
            yield head.start(), end


def _end_of(text: str, *, start: int, n_characters: int) -> int | None:
    """Return the end of the n-th letter or digit after `start`; None if more than a single gap comes between."""
    at, n_gaps = start, 0
    while n_characters and at < len(text) and n_gaps < 2:
        if text[at].isascii() and text[at].isalnum():
            n_characters, n_gaps = n_characters - 1, 0
        elif text[at] in _IBAN_GAP:
            n_gaps += 1
        else:
            return None
        at += 1
    is_inside_word = at < len(text) and text[at].isalnum()
    return None if n_characters or is_inside_word else at


def _is_iban(written: str) -> bool:
    compact = "".join(char for char in written.upper() if char.isalnum())
    return int("".join(str(int(char, 36)) for char in compact[4:] + compact[:4])) % 97 == 1


def cards(text: str) -> Iterator[tuple[int, int]]:
    """Payment card numbers: a brand's prefix and length, a right Luhn digit (ISO/IEC 7812), and a card's grouping."""
    for run in _CARD_RUN.finditer(text):
        groups = [(m.start() + run.start(), m.end() + run.start()) for m in _DIGITS.finditer(run.group())]
        if "\n" not in run.group() and _is_card(text, groups):
            yield groups[0][0], groups[-1][1]
        else:
            yield from _shaped_cards(text, groups)


def _shaped_cards(text: str, groups: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Cards among the groups of a longer run, where a date or another number stands beside them."""
    lengths = tuple(end - start for start, end in groups)
    at = 0
    while at < len(groups):
        shapes = (len(shape) for shape in _CARD_SHAPES if lengths[at : at + len(shape)] == shape)
        n_groups = next((n for n in shapes if _is_card(text, groups[at : at + n])), 0)
        if n_groups:
            yield groups[at][0], groups[at + n_groups - 1][1]
        at += n_groups or 1


def _is_card(text: str, groups: Sequence[tuple[int, int]]) -> bool:
    digits = _western("".join(text[start:end] for start, end in groups))
    if not 13 <= len(digits) <= 19 or not _is_of_a_brand(digits) or not _has_luhn_digit(digits):
        return False
    return len(digits) != 13 or not _has_ean_digit(digits)


def _western(digits: str) -> str:
    return digits if digits.isascii() else "".join(str(int(char)) for char in digits)


def _is_of_a_brand(digits: str) -> bool:
    return any(prefix.match(digits) and len(digits) in lengths for prefix, lengths in _BRANDS)


def _has_luhn_digit(digits: str) -> bool:
    return sum(map(int, digits[-1::-2] + digits[-2::-2].translate(_DOUBLED))) % 10 == 0


def _has_ean_digit(digits: str) -> bool:
    return (sum(map(int, digits[0::2])) + 3 * sum(map(int, digits[1::2]))) % 10 == 0


def phones(text: str) -> Iterator[tuple[int, int]]:
    """Phone numbers: international with `+` or `00`, national in a phone's shape, any after words like `call me on`."""
    for run in _PHONE_RUN.finditer(text):
        written = run.group().rstrip("( ")
        digits = "".join(char for char in written if char.isdigit())
        before = text[max(0, run.start() - _CUE_WINDOW) : run.start()].rpartition("\n")[2]
        if 7 <= len(digits) <= 15 and _is_phone(written, digits=digits, before=before):
            yield run.start(), run.start() + len(written)


def _is_phone(written: str, *, digits: str, before: str) -> bool:
    if written.startswith("+"):
        return len(digits) >= 8 and digits[0] != "0" and not _THOUSANDS.fullmatch(written[1:].strip())
    if _DATE.match(written.strip("()")) or _is_number_of_a_thing(before):
        return False
    if _PHONE_WORD.search(before) or _NANP.fullmatch(written) or _UK_MOBILE.fullmatch(written):
        return True
    return _is_national(written, digits=digits)


def _is_number_of_a_thing(before: str) -> bool:
    """The last telling word before it speaks of an order, a parcel, an account and the like."""
    others = [match.end() for match in _OTHER_WORD.finditer(before)]
    phone_words = [match.end() for match in _PHONE_WORD.finditer(before) if match.group().lower()[-9:] != "number is"]
    return bool(others) and max(others) > max(phone_words, default=0)


def _is_national(written: str, *, digits: str) -> bool:
    """A trunk zero and groups, like 020 7946 0958 or 0171/1234567, or 00 and a country like 0044 20 7946 0958."""
    groups = _DIGITS.findall(written)
    if not written.lstrip("(").startswith("0") or len(groups) < 2 or not 9 <= len(digits) <= 14:
        return False
    if all(a == b for a, b in pairwise(groups)):
        return False
    return len(groups[0]) >= 2 or "(" in written


# The order matters: an address may hold digits, and an IBAN's digits may look like a card's or a phone's.
_FINDERS: tuple[tuple[str, Finder], ...] = (
    ("email", _addresses),
    ("iban", bank_accounts),
    ("card", cards),
    ("phone", phones),
)
