"""What may stand in a cell of a table that is downloaded: no text that a spreadsheet takes for a formula."""

from __future__ import annotations

import unicodedata

_SIGNS = frozenset("=+-@")
_LEADS = frozenset("\t\r\n")


def cell(value: object) -> object:
    """A value for a cell: a text that could be calculated gets an apostrophe, yes and no are 1 and 0, None is empty."""
    if isinstance(value, str):
        return "'" + value if _is_formula(value) else value
    return "" if value is None else int(value) if isinstance(value, bool) else value


def _is_formula(text: str) -> bool:
    """Whether a text is one to some spreadsheet.

    They skip what is blank or invisible before the sign, and read wide and small forms (＝, ﹢) as the sign itself.
    """
    if text[:1] in _LEADS:
        return True
    said = next((one for one in text if not _is_skipped(one)), "")
    return unicodedata.normalize("NFKC", said) in _SIGNS or said == "\u2212"


def _is_skipped(letter: str) -> bool:
    return letter.isspace() or unicodedata.category(letter) in ("Cc", "Cf")
