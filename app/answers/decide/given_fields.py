"""The check of the fields that somebody gives for a macro or an article."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.core.errors import FieldError, InputError


def checked(values: Mapping[str, Any], *, known: frozenset[str], needed: tuple[str, ...]) -> dict[str, Any]:
    """The fields as given; raises InputError for an unknown field, or for a needed one without text."""
    unknown = sorted(set(values) - known)
    if unknown:
        raise InputError("unknown_field", field=unknown[0])
    empty = [key for key in needed if key in values and not str(values[key]).strip()]
    if empty:
        raise InputError("empty_field", fields=[FieldError(pointer=f"/{key}", code="empty") for key in empty])
    return dict(values)
