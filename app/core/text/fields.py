"""Reading the fields of a request: all faults are collected, so that the sender gets them at once."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from app.core.errors import FieldError, InputError
from app.core.text.cleaning import tidy
from app.core.text.times import moment

_ADDRESS = re.compile(r"[^\s@<>\"(),:;\[\]\\]{1,64}@(?:[\w-]{1,63}\.)+[\w-]{2,63}")


class Fields:
    """The fields of one JSON object or form; `pointer` is its place in the request (RFC 6901)."""

    def __init__(self, payload: Mapping[str, Any], *, pointer: str = "") -> None:
        self._payload = payload
        self._pointer = pointer
        self.errors: list[FieldError] = []

    def fault(self, name: str, *, code: str, **params: object) -> None:
        """Add a fault of a field."""
        filled = tuple((key, str(value)) for key, value in params.items())
        self.errors.append(FieldError(pointer=f"{self._pointer}/{name}", code=code, params=filled))

    def name_of(self, *names: str) -> str:
        """Return the first of `names` that has a value, or the first one."""
        return next((name for name in names if self._payload.get(name) not in (None, "")), names[0])

    def text(self, *names: str, limit: int, is_required: bool = False) -> str:
        """Return a text of at most `limit` characters without control characters; numbers are accepted as text."""
        name = self.name_of(*names)
        value = self._payload.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool):
            value = str(value)
        if value is not None and not isinstance(value, str):
            self.fault(name, code="not_text")
            return ""
        cleaned = tidy(value or "").strip()
        if len(cleaned) > limit:
            self.fault(name, code="too_long", limit=limit, size=len(cleaned))
        elif is_required and not cleaned:
            self.fault(name, code="empty")
        return cleaned

    def choice(self, name: str, *, choices: Sequence[str], default: str) -> str:
        """Return one of `choices`, sent in upper or lower case."""
        value = self._payload.get(name)
        if value in (None, ""):
            return default
        if isinstance(value, str) and value.strip().lower() in choices:
            return value.strip().lower()
        self.fault(name, code="unknown_choice", value=str(value)[:100], choices=", ".join(choices))
        return default

    def address(self, name: str) -> str | None:
        """Return an e-mail address in lower case; None without one."""
        value = self.text(name, limit=320)
        if not value:
            return None
        address = checked_address(value)
        if address is None:
            self.fault(name, code="not_an_address", value=value[:100])
        return address

    def truth(self, name: str) -> bool:
        """Return a boolean; an absent one is False."""
        value = self._payload.get(name)
        if value in (None, "", False, 0, "0", "false", "no", "off"):
            return False
        if value in (True, 1, "1", "true", "yes", "on"):
            return True
        self.fault(name, code="not_a_truth_value", value=str(value)[:100])
        return False

    def time(self, *names: str) -> int | None:
        """Return a time in milliseconds UTC; None without one."""
        name = self.name_of(*names)
        value = self._payload.get(name)
        if value in (None, ""):
            return None
        found = moment(value)
        if found is None:
            self.fault(name, code="not_a_time", value=str(value)[:100])
            return None
        return found.at

    def texts(self, name: str, *, limit: int, n_most: int) -> tuple[str, ...]:
        """Return a list of short texts, sent as a list or as one text with spaces."""
        value = self._payload.get(name)
        if value in (None, ""):
            return ()
        items = value.split() if isinstance(value, str) else value
        if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
            self.fault(name, code="not_a_list_of_texts")
            return ()
        return tuple(tidy(item).strip()[:limit] for item in items[-n_most:])

    def group(self, name: str) -> Fields:
        """Return the fields of a nested object; its faults are added to these."""
        value = self._payload.get(name)
        if value is not None and not isinstance(value, Mapping):
            self.fault(name, code="not_an_object")
        nested = Fields(value if isinstance(value, Mapping) else {}, pointer=f"{self._pointer}/{name}")
        nested.errors = self.errors
        return nested

    def check(self) -> None:
        """Raise InputError with all faults, if there are any."""
        if self.errors:
            raise InputError(fields=self.errors)


def checked_address(value: str) -> str | None:
    """Return an e-mail address in lower case; None for a text that is none."""
    value = value.strip().lower()
    return value if len(value) <= 320 and _ADDRESS.fullmatch(value) else None
