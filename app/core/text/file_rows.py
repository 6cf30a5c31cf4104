"""Rows of files: CSV records and JSON lines with the line they begin on; an unreadable row becomes a RowFault."""

from __future__ import annotations

import csv
import io
import json
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from app.core.errors import InputError
from app.core.text.decoding import decoded, is_wide

Lines = bytes | str | Iterable[bytes] | Iterable[str]
RowForm = Literal["csv", "jsonl", "rss"]

_LONGEST_LINE = 1_000_000  # characters
_LONGEST_CELL = csv.field_size_limit()
_DELIMITERS = (",", ";", "\t", "|")
_MOST_LINES, _MOST_REWOUND, _FEW_LINES = 100_000, 20, 100
"""Lines of one record; few after many quotes that never close, or a file of them would take quadratic time."""


@dataclass(frozen=True, kw_only=True)
class RowFault:
    """An unreadable row: its line (or item of an array) counted from 1, and the reason as a code with parameters.

    `raw` is a file of the given form with this row alone; for an entry of a feed it has one character per byte.
    """

    row: int
    code: str
    params: Mapping[str, object] = field(default_factory=dict)
    raw: str = field(default="", compare=False, repr=False)
    form: RowForm = field(default="jsonl", compare=False, repr=False)


Row = tuple[int, Mapping[str, Any]]


def row_alone(values: Mapping[str, Any], *, form: RowForm) -> str:
    """Return a file with one row: a CSV table with its header, or a line of JSON."""
    if form == "csv":
        return _table(list(values), list(values.values()))
    return json.dumps(values, ensure_ascii=False, default=str)


def _table(*rows: Sequence[Any]) -> str:
    written = io.StringIO()
    csv.writer(written, lineterminator="\n").writerows(rows)
    return written.getvalue()


def json_rows(lines: Lines) -> Iterator[Row | RowFault]:
    """Yield one JSON object per line; empty lines are skipped."""
    for number, line in enumerate(_text_lines(lines), start=1):
        text = line.strip().removeprefix("\ufeff")
        if text:
            yield _json_row(text, number=number)


def _json_row(text: str, *, number: int) -> Row | RowFault:
    if len(text) > _LONGEST_LINE:
        return RowFault(row=number, code="too_long", params={"limit": _LONGEST_LINE, "size": len(text)}, raw=text)
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return RowFault(row=number, code="not_json", raw=text)
    return (number, value) if isinstance(value, dict) else RowFault(row=number, code="not_an_object", raw=text)


def csv_rows(lines: Lines, *, known: frozenset[str] | None) -> Iterator[Row | RowFault]:
    """Return the records of a CSV file as dicts; the delimiter is the one that divides the header best.

    Header names are lower-cased with `_` for spaces. Raises InputError `empty_file`, `long_column` for a name of more
    characters than a cell may have, or `no_known_column` when no header name is in `known` (None: any will do).
    """
    source = _Rewindable(_text_lines(lines))
    header_line = next((line for line in source if line.strip()), None)
    if header_line is None:
        raise InputError("empty_file")
    delimiter = _delimiter(header_line)
    header = [_column(name) for name in _cells(header_line.strip(), delimiter=delimiter)]
    if not header:
        raise InputError("long_column", limit=_LONGEST_CELL)
    if known is not None and not known.intersection(header):
        raise InputError("no_known_column", columns=", ".join(header)[:200], known=", ".join(sorted(known)))
    return _records(source, header=header, delimiter=delimiter)


def _delimiter(header: str) -> str:
    return max(_DELIMITERS, key=lambda mark: (len(_cells(header, delimiter=mark)), mark == ","))


def _cells(line: str, *, delimiter: str) -> list[str]:
    """Return the cells of a line; none where one of them is too long."""
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return []


def _column(name: str) -> str:
    return "_".join(name.strip().strip("\ufeff\"'").lower().replace("-", " ").split())


def _records(source: _Rewindable, *, header: list[str], delimiter: str) -> Iterator[Row | RowFault]:
    reader, head = csv.reader(source, delimiter=delimiter), _table(header)
    while True:
        source.mark()
        number, is_read = source.n_read + 1, True
        try:
            cells = next(reader, None)
        except csv.Error:
            cells, is_read = [], False
        if cells is None:
            return
        if (source.is_at_end or not is_read) and source.n_since_mark > 1:
            # A quote that never closes takes in the following lines; only the line that opens it is faulty.
            yield RowFault(row=number, code="unclosed_quote", raw=head + source.first(), form="csv")
            source.rewind_but_first()
        elif not is_read:
            limit = {"limit": _LONGEST_CELL}
            yield RowFault(row=number, code="too_long", params=limit, raw=head + source.first(), form="csv")
        elif any(cell.strip() for cell in cells):
            yield _record(cells, header=header, number=number)


def _record(cells: list[str], *, header: list[str], number: int) -> Row | RowFault:
    if len(cells) > len(header) and any(cells[len(header) :]):
        found = {"expected": len(header), "found": len(cells)}
        return RowFault(row=number, code="too_many_columns", params=found, raw=_table(header, cells), form="csv")
    return number, dict(zip(header, cells, strict=False))


class _Rewindable:
    """Lines that can be read again from a mark, so that a broken record costs one line, not the rest of the file."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self._waiting: deque[str] = deque()
        self._since_mark: list[str] = []
        self._n_rewound = 0
        self.n_read = 0
        self.is_at_end = False

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        most = _MOST_LINES if self._n_rewound < _MOST_REWOUND else _FEW_LINES
        line = None
        if len(self._since_mark) < most:
            line = self._waiting.popleft() if self._waiting else next(self._lines, None)
        if line is None:
            self.is_at_end = True
            raise StopIteration
        self._since_mark.append(line)
        self.n_read += 1
        return line

    @property
    def n_since_mark(self) -> int:
        return len(self._since_mark)

    def mark(self) -> None:
        self._since_mark.clear()
        self.is_at_end = False

    def first(self) -> str:
        """Return the line at the mark."""
        return self._since_mark[0]

    def rewind_but_first(self) -> None:
        """Go back to the line after the mark."""
        self._n_rewound += 1
        again = self._since_mark[1:]
        self._waiting.extendleft(reversed(again))
        self.n_read -= len(again)


def _text_lines(lines: Lines) -> Iterator[str]:
    """Yield lines of text without null characters, out of a whole file or of lines, bytes or text."""
    if isinstance(lines, bytes):
        # Decoded line by line, so that one wrong byte does not change the charset of a whole UTF-8 file.
        lines = decoded(lines) if is_wide(lines) else lines.removeprefix(b"\xef\xbb\xbf").splitlines(keepends=True)
    if isinstance(lines, str):
        lines = io.StringIO(lines, newline=None)
    for line in lines:
        yield (decoded(line) if isinstance(line, bytes) else line).replace("\0", "")
