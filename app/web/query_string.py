"""Query strings: numbers in them, and addresses with a part of the query changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from werkzeug.datastructures import MultiDict

Arguments = MultiDict[str, str]


def whole(text: str | None) -> int | None:
    """Return the whole number of a text, None without one; ids may have their prefix (`tkt_81`)."""
    digits = (text or "").rpartition("_")[2]
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 16 else None


def kept(arguments: Arguments, **changes: object) -> dict[str, Any]:
    """Return the query with some values changed, without empty ones and without the cursor."""
    merged: Mapping[str, object] = {**arguments.to_dict(), "after": "", **changes}
    return {name: str(value) for name, value in merged.items() if value not in ("", None)}
