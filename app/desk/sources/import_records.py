"""Exports of other desks as flat records: whatever nests is opened with dots (`requester.email`), lists stay lists."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from app.core.errors import InputError
from app.core.text.decoding import decoded
from app.core.text.file_rows import Row, RowFault, csv_rows, json_rows
from app.desk.domain.import_file import Form

DEEPEST = 4
LOOKED_AT = 200
_HOLDERS = ("tickets", "conversations", "results", "payload", "data", "items", "rows")


def form_of(name: str, content: bytes) -> Form:
    """Return the form of a file by its beginning, or by its name where it is empty."""
    begins = content[:200].removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    return "json" if begins in (b"{", b"[") or (not begins and name.lower().endswith("json")) else "csv"


def records(content: bytes, *, form: Form) -> Iterator[Row | RowFault]:
    """Records with their number in the file: lines of CSV, items of a JSON array, or one JSON object a line.

    Raises InputError `empty_file`, or `no_records` for JSON that holds no list of tickets.
    """
    if form == "csv":
        yield from csv_rows(content, known=None)
        return
    for row in _json(content):
        yield row if isinstance(row, RowFault) else (row[0], flat(row[1]))


def _json(content: bytes) -> Iterable[Row | RowFault]:
    if not content.strip():
        raise InputError("empty_file")
    try:
        whole = json.loads(decoded(content))
    except (ValueError, RecursionError):
        # Not one document: a document a line, as Zendesk exports a whole account.
        return json_rows(content)
    items = _items(whole)
    if items is None:
        raise InputError("no_records")
    return [_item(item, number=number) for number, item in enumerate(items, start=1)]


def _items(whole: Any) -> list[Any] | None:
    """The list in a document: itself, under a name that such lists have, or the only ticket of a file."""
    if isinstance(whole, list):
        return whole
    if not isinstance(whole, Mapping):
        return None
    for name in _HOLDERS:
        if isinstance(whole.get(name), list | Mapping):
            found = _items(whole[name])
            if found is not None:
                return found
    return [whole] if "id" in whole else None


def _item(item: Any, *, number: int) -> Row | RowFault:
    return (number, item) if isinstance(item, dict) else RowFault(row=number, code="not_an_object")


def flat(record: Mapping[str, Any], *, prefix: str = "", depth: int = 0) -> dict[str, Any]:
    """A nested object with dotted names; what lies deeper than four levels is left out."""
    found: dict[str, Any] = {}
    for name, value in record.items():
        key = prefix + str(name)
        if isinstance(value, Mapping):
            if depth < DEEPEST:
                found |= flat(value, prefix=key + ".", depth=depth + 1)
        else:
            found[key] = value
    return found


def columns(rows: Iterable[Row | RowFault]) -> tuple[str, ...]:
    """The columns that the first records have, in the order in which they appear."""
    found: dict[str, None] = {}
    for number, row in enumerate(rows):
        if number >= LOOKED_AT:
            break
        if not isinstance(row, RowFault):
            found |= dict.fromkeys(row[1])
    return tuple(found)
