"""Reading a request's body: JSON with exact faults, lines of JSON, and other media types refused by name."""

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
"""Digits; a longer number is read as a floating one, as it is everywhere else that JSON is read."""

_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
NDJSON = ("application/x-ndjson", "application/jsonl", "application/ndjson")


def media_type() -> str:
    """The media type of the body, lower case, without parameters; empty when none is named."""
    return request.mimetype


def is_json(kind: str) -> bool:
    """Whether `kind` is JSON or one of its +json relatives."""
    return kind == JSON or (kind.startswith("application/") and kind.endswith("+json"))


def raw() -> bytes:
    """The body as it came; larger than allowed raises 413, empty InputError."""
    content = request.get_data(cache=False)
    if not content.strip():
        raise InputError("empty_body")
    return content


def read_json(*, accepted: Iterable[str] = (JSON,)) -> Any:
    """The JSON body; a body of another named kind raises UnsupportedMedia, one of more than `max_body_bytes` TooLarge.

    It is parsed in one go, in which nothing else of the process moves on: what may be larger is sent in lines.
    A body without a Content-Type is taken for JSON; so is what curl's `-d` sends, when it looks like JSON.
    """
    kind = media_type()
    if kind and not is_json(kind) and not _is_curl(kind):
        raise UnsupportedMedia(media_type=kind, accepted=tuple(accepted))
    return parse(_document())


def _document() -> bytes:
    limit = current_app.config["MAX_CONTENT_LENGTH"]
    is_large_allowed = request.max_content_length != limit
    if is_large_allowed and (request.content_length or 0) > limit:
        raise TooLarge("json_too_large", limit=limit)
    content = raw()
    if len(content) > limit:
        raise TooLarge("json_too_large", limit=limit)
    return content


def read_json_or(otherwise: Any) -> Any:
    """The JSON body, or `otherwise` where none was sent."""
    return read_json() if request.get_data().strip() else otherwise


def read_shape(shape: Schema, *, accepted: Iterable[str] = (JSON,)) -> Any:
    """The JSON body once its shape has passed: as it was sent, for whoever reads its texts further."""
    sent = read_json(accepted=accepted)
    faulty = shape.validate(sent)
    if faulty:
        raise faults(ValidationError(faulty))
    return sent


def _is_curl(kind: str) -> bool:
    return kind == "application/x-www-form-urlencoded" and request.get_data()[:1] in (b"{", b"[")


def parse(content: bytes) -> Any:
    """JSON out of bytes; InputError tells the line and column, or the byte that is not UTF-8."""
    try:
        text = content.decode("utf-8-sig")
        found = json.loads(text, parse_constant=_refuse_constant, parse_int=_whole, parse_float=_number)
        return _mended(found) if _SURROGATE.search(text) else found
    except UnicodeDecodeError as error:
        raise InputError("not_utf8", byte=error.start) from None
    except json.JSONDecodeError as error:
        raise InputError("invalid_json", line=error.lineno, column=error.colno) from None
    except RecursionError:
        raise InputError("too_deep") from None


def _whole(text: str) -> int | float:
    return int(text) if len(text) <= LONGEST_INTEGER else _number(text)


def _number(text: str) -> float:
    number = float(text)
    return number if isfinite(number) else _refuse_constant(text)


def _mended(value: Any) -> Any:
    """Half a surrogate pair is no character: it can neither be kept nor sent back."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_mended(part) for part in value]
    return {_mended(key): _mended(part) for key, part in value.items()} if isinstance(value, dict) else value


def _refuse_constant(name: str) -> NoReturn:
    # NaN and Infinity are Python's own idea of JSON; so is a number that is too large to be one.
    raise json.JSONDecodeError(name, "", 0)


def lines() -> Iterator[str]:
    """The body line by line as it arrives; a byte that is not UTF-8 spoils its own line only."""
    # Asked for at once, so that a body that is too large is refused before the answer begins.
    source = request.get_data().splitlines() if "Idempotency-Key" in request.headers else request.stream
    return (line.decode("utf-8", "replace") for line in source)


def answer(content: Any) -> Response:
    """Content as compact JSON; for answers whose top level is an array or has no fixed shape."""
    return Response(json.dumps(content, ensure_ascii=False, separators=(",", ":")) + "\n", content_type=JSON)
