"""Rows of files: CSV records and JSON lines, each with the line it begins on; what cannot be read is told, not lost."""

from __future__ import annotations

import csv
import io
import json
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from app.errors import InputError
from app.ingest.characters import decoded, is_wide

Lines = bytes | str | Iterable[bytes] | Iterable[str]

_LONGEST_LINE = 1_000_000  # characters
_DELIMITERS = (",", ";", "\t", "|")


@dataclass(frozen=True, kw_only=True)
class RowFault:
    """A row that could not be read: the line (or the item of an array) counted from 1, a reason code, its values."""

    row: int
    code: str
    params: Mapping[str, object] = field(default_factory=dict)


Row = tuple[int, Mapping[str, Any]]


def json_rows(lines: Lines) -> Iterator[Row | RowFault]:
    """One JSON object a line; empty lines are skipped."""
    for number, line in enumerate(_text_lines(lines), start=1):
        text = line.strip().removeprefix("\ufeff")
        if text:
            yield _json_row(text, number=number)


def _json_row(text: str, *, number: int) -> Row | RowFault:
    if len(text) > _LONGEST_LINE:
        return RowFault(row=number, code="too_long", params={"limit": _LONGEST_LINE, "size": len(text)})
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return RowFault(row=number, code="not_json")
    return (number, value) if isinstance(value, dict) else RowFault(row=number, code="not_an_object")


def csv_rows(lines: Lines, *, known: frozenset[str] | None) -> Iterator[Row | RowFault]:
    """Records of a CSV file as dicts; the delimiter is the one that divides the header best.

    Header names are lower-cased with `_` for spaces. Raises InputError `empty_file`, or `no_known_column` when no
    header name is in `known` (None: any will do).
    """
    source = _Rewindable(_text_lines(lines))
    header_line = next((line for line in source if line.strip()), None)
    if header_line is None:
        raise InputError("empty_file")
    delimiter = _delimiter(header_line)
    header = [_column(name) for name in next(csv.reader([header_line.strip()], delimiter=delimiter), [])]
    if known is not None and not known.intersection(header):
        raise InputError("no_known_column", columns=", ".join(header)[:200], known=", ".join(sorted(known)))
    return _records(source, header=header, delimiter=delimiter)


def _delimiter(header: str) -> str:
    return max(_DELIMITERS, key=lambda mark: (len(next(csv.reader([header], delimiter=mark), [])), mark == ","))


def _column(name: str) -> str:
    return "_".join(name.strip().strip("\ufeff\"'").lower().replace("-", " ").split())


def _records(source: _Rewindable, *, header: list[str], delimiter: str) -> Iterator[Row | RowFault]:
    reader = csv.reader(source, delimiter=delimiter)
    while True:
        source.mark()
        number = source.n_read + 1
        try:
            cells = next(reader, None)
        except csv.Error:
            cells = []
            source.is_at_end = True
        if cells is None:
            return
        if source.is_at_end and source.n_since_mark > 1:
            # A quote that never closes swallows what follows: only the line that opened it is at fault.
            source.rewind_but_first()
            yield RowFault(row=number, code="unclosed_quote")
        elif any(cell.strip() for cell in cells):
            yield _record(cells, header=header, number=number)


def _record(cells: list[str], *, header: list[str], number: int) -> Row | RowFault:
    if len(cells) > len(header) and any(cells[len(header) :]):
        return RowFault(row=number, code="too_many_columns", params={"expected": len(header), "found": len(cells)})
    return number, dict(zip(header, cells, strict=False))


class _Rewindable:
    """Lines that can be read again from a mark, so that a broken record costs one line and not the rest of the file."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self._waiting: deque[str] = deque()
        self._since_mark: list[str] = []
        self.n_read = 0
        self.is_at_end = False

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
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

    def rewind_but_first(self) -> None:
        again = self._since_mark[1:]
        self._waiting.extendleft(reversed(again))
        self.n_read -= len(again)


def _text_lines(lines: Lines) -> Iterator[str]:
    """Lines of text without null characters, from whole files or lines, bytes or text."""
    if isinstance(lines, bytes):
        # By line, so that one wrong byte does not turn a whole UTF-8 file into another charset.
        lines = decoded(lines) if is_wide(lines) else lines.removeprefix(b"\xef\xbb\xbf").splitlines(keepends=True)
    if isinstance(lines, str):
        lines = io.StringIO(lines, newline=None)
    for line in lines:
        yield (decoded(line) if isinstance(line, bytes) else line).replace("\0", "")
