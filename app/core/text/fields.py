"""Reading fields of what was sent: every fault is collected, so that the sender hears of all of them at once."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from app.core.errors import FieldError, InputError
from app.core.text.characters import tidy
from app.core.text.times import moment

_ADDRESS = re.compile(r"[^\s@<>\"(),:;\[\]\\]{1,64}@(?:[\w-]{1,63}\.)+[\w-]{2,63}")


class Fields:
    """The fields of one JSON object or form; `pointer` is where it stands in what was sent (RFC 6901)."""

    def __init__(self, payload: Mapping[str, Any], *, pointer: str = "") -> None:
        self._payload = payload
        self._pointer = pointer
        self.errors: list[FieldError] = []

    def fault(self, name: str, *, code: str, **params: object) -> None:
        """Note a fault of the field `name`."""
        filled = tuple((key, str(value)) for key, value in params.items())
        self.errors.append(FieldError(pointer=f"{self._pointer}/{name}", code=code, params=filled))

    def name_of(self, *names: str) -> str:
        """The first of `names` that was sent with a value, or the first one."""
        return next((name for name in names if self._payload.get(name) not in (None, "")), names[0])

    def text(self, *names: str, limit: int, is_required: bool = False) -> str:
        """A text of at most `limit` characters, clean of control characters; numbers are accepted as text."""
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
        """One of `choices`, in any case of letters."""
        value = self._payload.get(name)
        if value in (None, ""):
            return default
        if isinstance(value, str) and value.strip().lower() in choices:
            return value.strip().lower()
        self.fault(name, code="unknown_choice", value=str(value)[:100], choices=", ".join(choices))
        return default

    def address(self, name: str) -> str | None:
        """An e-mail address in lower case."""
        value = self.text(name, limit=320)
        if not value:
            return None
        address = checked_address(value)
        if address is None:
            self.fault(name, code="not_an_address", value=value[:100])
        return address

    def truth(self, name: str) -> bool:
        """A yes or no; absent is no."""
        value = self._payload.get(name)
        if value in (None, "", False, 0, "0", "false", "no", "off"):
            return False
        if value in (True, 1, "1", "true", "yes", "on"):
            return True
        self.fault(name, code="not_a_truth_value", value=str(value)[:100])
        return False

    def time(self, *names: str) -> int | None:
        """A time in milliseconds UTC."""
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
        """A list of short texts, or one text with spaces between."""
        value = self._payload.get(name)
        if value in (None, ""):
            return ()
        items = value.split() if isinstance(value, str) else value
        if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
            self.fault(name, code="not_a_list_of_texts")
            return ()
        return tuple(tidy(item).strip()[:limit] for item in items[-n_most:])

    def group(self, name: str) -> Fields:
        """The fields of a nested object; its faults count as this one's."""
        value = self._payload.get(name)
        if value is not None and not isinstance(value, Mapping):
            self.fault(name, code="not_an_object")
        nested = Fields(value if isinstance(value, Mapping) else {}, pointer=f"{self._pointer}/{name}")
        nested.errors = self.errors
        return nested

    def check(self) -> None:
        """Raise InputError with all the faults found."""
        if self.errors:
            raise InputError(fields=self.errors)


def checked_address(value: str) -> str | None:
    """An e-mail address in lower case, or None if `value` is none."""
    value = value.strip().lower()
    return value if len(value) <= 320 and _ADDRESS.fullmatch(value) else None
