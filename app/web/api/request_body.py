"""Request bodies: JSON with exact faults, lines of JSON, and the refusal of other media types."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from math import isfinite
from typing import Any, NoReturn

from flask import Response, current_app, request
from marshmallow import Schema, ValidationError

from app.core.errors import InputError, TooLarge, UnsupportedMedia
from app.web.api.api_shapes import faults

JSON = "application/json"
LONGEST_INTEGER = 40
"""Digits; a longer number is read as a floating-point one, as other JSON readers do."""

_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
NDJSON = ("application/x-ndjson", "application/jsonl", "application/ndjson")


def media_type() -> str:
    """Return the media type of the body, lower case, without parameters; empty without one."""
    return request.mimetype


def is_json(kind: str) -> bool:
    """Return True for the media type JSON and for those that end in +json."""
    return kind == JSON or (kind.startswith("application/") and kind.endswith("+json"))


def raw() -> bytes:
    """Return the bytes of the body; raises InputError for an empty one, 413 for one that is too large."""
    content = request.get_data(cache=False)
    if not content.strip():
        raise InputError("empty_body")
    return content


def read_json(*, accepted: Iterable[str] = (JSON,)) -> Any:
    """Return the JSON body; raises UnsupportedMedia for another media type, TooLarge beyond `max_body_bytes`.

    It is parsed in one step, which stops all other threads, so larger content is sent in lines. A body without a
    Content-Type is taken for JSON, and so is a form from curl's `-d` that looks like JSON.
    """
    kind = media_type()
    if kind and not is_json(kind) and not _is_curl(kind):
        raise UnsupportedMedia(media_type=kind, accepted=tuple(accepted))
    return parse(_bounded_body())


def _bounded_body() -> bytes:
    limit = current_app.config["MAX_CONTENT_LENGTH"]
    is_large_allowed = request.max_content_length != limit
    if is_large_allowed and (request.content_length or 0) > limit:
        raise TooLarge("json_too_large", limit=limit)
    content = raw()
    if len(content) > limit:
        raise TooLarge("json_too_large", limit=limit)
    return content


def read_json_or(otherwise: Any) -> Any:
    """Return the JSON body, or `otherwise` without one."""
    return read_json() if request.get_data().strip() else otherwise


def read_shape(shape: Schema, *, accepted: Iterable[str] = (JSON,)) -> Any:
    """Return the JSON body as it was sent, once it has passed the check of its shape."""
    sent = read_json(accepted=accepted)
    faulty = shape.validate(sent)
    if faulty:
        raise faults(ValidationError(faulty))
    return sent


def _is_curl(kind: str) -> bool:
    return kind == "application/x-www-form-urlencoded" and request.get_data()[:1] in (b"{", b"[")


def parse(content: bytes) -> Any:
    """Parse JSON; raises InputError with the line and column, or the byte that is not UTF-8."""
    try:
        text = content.decode("utf-8-sig")
        found = json.loads(text, parse_constant=_refuse_constant, parse_int=_parse_integer, parse_float=_parse_float)
        return _without_surrogates(found) if _SURROGATE.search(text) else found
    except UnicodeDecodeError as error:
        raise InputError("not_utf8", byte=error.start) from None
    except json.JSONDecodeError as error:
        raise InputError("invalid_json", line=error.lineno, column=error.colno) from None
    except RecursionError:
        raise InputError("too_deep") from None


def _parse_integer(text: str) -> int | float:
    return int(text) if len(text) <= LONGEST_INTEGER else _parse_float(text)


def _parse_float(text: str) -> float:
    number = float(text)
    return number if isfinite(number) else _refuse_constant(text)


def _without_surrogates(value: Any) -> Any:
    """Replace halves of surrogate pairs, which can neither be stored nor sent back."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_without_surrogates(part) for part in value]
    if isinstance(value, dict):
        return {_without_surrogates(key): _without_surrogates(part) for key, part in value.items()}
    return value


def _refuse_constant(name: str) -> NoReturn:
    # NaN, Infinity and numbers beyond the range of a float are not JSON, though Python reads them.
    raise json.JSONDecodeError(name, "", 0)


def lines() -> Iterator[str]:
    """Iterate over the lines of the body as they arrive; a byte that is not UTF-8 affects its own line only."""
    # Read now, so that a body that is too large is refused before the answer begins.
    source = request.get_data().splitlines() if "Idempotency-Key" in request.headers else request.stream
    return (line.decode("utf-8", "replace") for line in source)


def answer(content: Any) -> Response:
    """Return content as compact JSON, for answers whose top level is an array or has no fixed shape."""
    return Response(json.dumps(content, ensure_ascii=False, separators=(",", ":")) + "\n", content_type=JSON)
