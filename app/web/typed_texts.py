"""The texts of a refused form, for the error page: to copy, or to send again where that is safe.

Passwords, addresses that may hold a key, and CSRF tokens are never shown again.
"""

from __future__ import annotations

from dataclasses import dataclass

from flask import request
from werkzeug.exceptions import HTTPException

CSRF = "csrf_token"
SECRETS = frozenset({"password", "again", "current", "secret", "token", "url"})
LONG = 40
"""A single word is worth copying from so many characters on."""

REPEATABLE = frozenset({429, 500, 502, 503, 507})
"""Statuses of temporary refusals, after which the same form may be sent again."""


@dataclass(frozen=True, kw_only=True)
class Typed:
    """The texts of a form by field, its other fields, and whether it can be sent again unchanged."""

    texts: tuple[tuple[str, str], ...]
    others: tuple[tuple[str, str], ...]
    is_repeatable: bool


def of_request(*, status: int) -> Typed | None:
    """Return the texts of this request's form; None where nothing was typed."""
    if request.method != "POST":
        return None
    try:
        sent = [(name, value) for name, value in request.form.items(multi=True) if name != CSRF]
        has_files = any(file.filename for file in request.files.values())
    except HTTPException:
        # A body that is too large or broken cannot be read again.
        return None
    allowed = [(name, value) for name, value in sent if name not in SECRETS]
    texts = tuple(one for one in allowed if _is_text(one[1]))
    if not texts:
        return None
    is_whole = len(allowed) == len(sent) and not has_files and request.endpoint is not None
    others = tuple(one for one in allowed if not _is_text(one[1]))
    return Typed(texts=texts, others=others, is_repeatable=is_whole and status in REPEATABLE)


def _is_text(value: str) -> bool:
    return len(value.split()) > 1 or len(value) > LONG
