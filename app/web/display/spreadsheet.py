"""Cells of downloaded tables, without text that a spreadsheet takes for a formula."""

from __future__ import annotations

import unicodedata

_SIGNS = frozenset("=+-@")
_LEADS = frozenset("\t\r\n")


def cell(value: object) -> object:
    """Return the value of a cell: a formula gets an apostrophe, a boolean is 1 or 0, None is empty."""
    if isinstance(value, str):
        return "'" + value if _is_formula(value) else value
    return "" if value is None else int(value) if isinstance(value, bool) else value


def _is_formula(text: str) -> bool:
    """Return True for a text that some spreadsheet takes for a formula.

    Spreadsheets skip blank and invisible characters before the sign, and read wide and small forms (＝, ﹢) like it.
    """
    if text[:1] in _LEADS:
        return True
    said = next((one for one in text if not _is_skipped(one)), "")
    return unicodedata.normalize("NFKC", said) in _SIGNS or said == "\u2212"


def _is_skipped(letter: str) -> bool:
    return letter.isspace() or unicodedata.category(letter) in ("Cc", "Cf")
