"""Lists of companies as CSV: tickers, names, sectors, aliases, names that need another sign, competitors."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from app.core.nouns import Fields
from app.core.text.file_rows import Lines, RowFault, csv_rows

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "ticker": ("ticker", "symbol", "cashtag", "code"),
    "name": ("name", "company", "company_name", "issuer"),
    "sector": ("sector", "industry"),
    "aliases": ("aliases", "alias", "also_called", "names"),
    "ambiguous": ("ambiguous", "needs_context"),
    "competitors": ("competitors", "peers"),
}
MOST_ALIASES = 50
_TICKER = re.compile(r"[A-Z0-9.\-]{1,12}")
_SEPARATORS = re.compile(r"[|;]")


def from_csv(lines: Lines) -> Iterator[Fields | RowFault]:
    """The fields of each company of a list; several aliases stand with `|` or `;` between.

    Raises InputError when the file is empty or has no known column.
    """
    known = frozenset(name for names in COLUMNS.values() for name in names)
    for row in csv_rows(lines, known=known):
        yield row if isinstance(row, RowFault) else _company(row[0], row[1])


def _company(number: int, cells: Mapping[str, Any]) -> Fields | RowFault:
    found = {key: next((str(cells[name]).strip() for name in names if cells.get(name)), "") for key, names in
             COLUMNS.items()}  # fmt: skip
    ticker = found["ticker"].lstrip("$").upper()
    if not _TICKER.fullmatch(ticker):
        return RowFault(row=number, code="bad_ticker", params={"value": found["ticker"][:40]})
    if not found["name"]:
        return RowFault(row=number, code="empty")
    return {
        "ticker": ticker,
        "name": found["name"][:120],
        "sector": found["sector"][:120],
        **{key: _several(found[key]) for key in ("aliases", "ambiguous", "competitors")},
    }


def _several(text: str) -> tuple[str, ...]:
    parts = (part.strip()[:120] for part in _SEPARATORS.split(text))
    return tuple(dict.fromkeys(part for part in parts if part))[:MOST_ALIASES]
