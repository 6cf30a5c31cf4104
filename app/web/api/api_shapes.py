"""The parts of the API's shapes: base schemas, checks with our codes, public forms of ids and times."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields as dataclass_fields
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from marshmallow import EXCLUDE, Schema, ValidationError, fields, validate, validates_schema
from webargs.multidictproxy import MultiDictProxy

from app.core.errors import FieldError, InputError

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LARGEST = 2**53
"""The largest whole number that every JSON reader keeps exactly."""
LONGEST_CURSOR = 500
_WHOLE = re.compile(r"-?[0-9]{1,16}")
_NUMBER = re.compile(r"-?[0-9]{1,16}(\.[0-9]{1,16})?([eE][-+]?[0-9]{1,2})?")
CODES = {
    "Missing data for required field.": "required",
    "Field may not be null.": "required",
    "Not a valid string.": "not_text",
    "Not a valid integer.": "not_whole",
    "Not a valid number.": "not_number",
    "Not a valid boolean.": "not_flag",
    "Not a valid list.": "not_list",
    "Not a valid mapping type.": "not_object",
    "Invalid input type.": "not_object",
}


Json = dict[str, Any]
"""A JSON object: a checked body or query, or the answer of an operation."""


class Shape(Schema):
    """The base of request and answer shapes; unknown fields are ignored.

    `needs_one` are fields of which at least one is required; `told` is added to its JSON schema.
    """

    needs_one: tuple[str, ...] = ()
    told: ClassVar[Mapping[str, Any]] = {}

    class Meta:
        unknown = EXCLUDE

    @validates_schema
    def _has_one(self, data: Mapping[str, Any], **_: Any) -> None:
        if self.needs_one and all(data.get(name) is None for name in self.needs_one):
            raise ValidationError(Fault("required_one", names=self.needs_one))


class ChangeShape(Shape):
    """The changes of a thing: fields that are left out stay, and at least one is required."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.needs_one = tuple(self.fields)

    @validates_schema
    def _has_one(self, data: Mapping[str, Any], **_: Any) -> None:
        if not data:
            raise ValidationError(Fault("nothing_to_change"))


class Fault(str):
    """A validation message with a code and parameters."""

    code: str
    params: Mapping[str, object]

    def __new__(cls, code: str, **params: object) -> Fault:
        """Make a fault whose text is its code."""
        made = super().__new__(cls, code)
        made.code = code
        made.params = params
        return made


class OneOf(validate.OneOf):
    """A check that a value is one of some strings."""

    def __call__(self, value: Any) -> Any:
        """Return the value, or raise the fault that lists the choices."""
        if value not in self.choices:
            raise ValidationError(Fault("unknown_choice", value=value, choices=tuple(self.choices)))
        return value


class Size(validate.Length):
    """A check of the number of characters or items."""

    def __call__(self, value: Any) -> Any:
        """Return the value, or raise the fault that names the limit."""
        if self.min is not None and len(value) < self.min:
            raise ValidationError(Fault("empty") if self.min == 1 else Fault("too_short", limit=self.min))
        if self.max is not None and len(value) > self.max:
            raise ValidationError(Fault("too_long", size=len(value), limit=self.max))
        return value


class Pattern(validate.Validator):
    """A check that a text matches a pattern."""

    def __init__(self, regex: str, *, code: str) -> None:
        self.regex = re.compile(f"^(?:{regex})$")
        self.code = code

    def __call__(self, value: str) -> str:
        """Return the value, or raise the fault with the code of this pattern."""
        # Not `match`: `$` would let a line end through.
        if not self.regex.fullmatch(value):
            raise ValidationError(Fault(self.code, value=value))
        return value


class Between(validate.Range):
    """A check that a number is within bounds, both included."""

    def __call__(self, value: Any) -> Any:
        """Return the value, or raise the fault that names the bounds."""
        too_low = self.min is not None and value < self.min
        too_high = self.max is not None and value > self.max
        if too_low or too_high:
            raise ValidationError(Fault("out_of_bounds", value=value, low=self.min, high=self.max))
        return value


class Flag(fields.Boolean):
    """True or false; in a query, where everything is text, these words or 1 and 0."""

    WORDS: ClassVar[Mapping[str, bool]] = {"true": True, "1": True, "false": False, "0": False}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> bool:
        known = self.WORDS.get(value) if _is_typed(value, data) else value
        if not isinstance(known, bool):
            raise ValidationError(Fault("not_flag"))
        return known


class Whole(fields.Integer):
    """A whole number that every JSON reader keeps exactly; as text only in a query."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not any(isinstance(check, Between) for check in self.validators):
            self.validators.append(Between(-LARGEST, LARGEST))

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> int:
        if _is_typed(value, data) and _WHOLE.fullmatch(value):
            return int(value)
        number = int(value) if isinstance(value, float) and value.is_integer() else value
        if isinstance(number, bool) or not isinstance(number, int):
            raise ValidationError(Fault("not_whole"))
        return number


class Number(fields.Float):
    """A number; as text only in a query."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> float:
        if _is_typed(value, data) and _NUMBER.fullmatch(value):
            return float(value)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValidationError(Fault("not_number"))
        return float(value)


def _is_typed(value: Any, data: Any) -> bool:
    """Return True for the text of a query; a body has types of its own."""
    return isinstance(value, str) and isinstance(data, MultiDictProxy)


class Instant(fields.Field[int]):
    """A time: milliseconds UTC inside, RFC 3339 outside."""

    described: ClassVar[Mapping[str, Any]] = {"type": "string", "format": "date-time"}

    def _serialize(self, value: Any, attr: str | None, obj: Any, **_: Any) -> str | None:
        return None if value is None else instant(value)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> int:
        return at(value)


class GivenInstant(Instant):
    """A time in a request: RFC 3339, or a day alone, which begins at midnight UTC."""

    described: ClassVar[Mapping[str, Any]] = {
        "anyOf": [{"type": "string", "format": "date-time"}, {"type": "string", "format": "date"}],
        "example": "2026-03-02T09:00:00Z",
    }


class Id(fields.Field[int]):
    """An id: a number inside, `tkt_81` outside; read with or without its prefix."""

    def __init__(self, prefix: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.prefix = prefix

    @property
    def described(self) -> Mapping[str, Any]:
        """Its JSON schema."""
        return {"type": "string", "pattern": f"^{self.prefix}_[0-9]{{1,18}}$", "example": f"{self.prefix}_81"}

    def _serialize(self, value: Any, attr: str | None, obj: Any, **_: Any) -> str | None:
        return None if value is None else public_id(self.prefix, value)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> int:
        given = int(value) if isinstance(value, float) and value.is_integer() else value
        digits = str(given).removeprefix(f"{self.prefix}_")
        if isinstance(value, bool) or not (digits.isascii() and digits.isdigit() and len(digits) <= 18):
            raise ValidationError(Fault("bad_id", value=value))
        return int(digits)


class GivenId(Id):
    """An id in a request: with its prefix, or the number alone."""

    @property
    def described(self) -> Mapping[str, Any]:
        """Its JSON schema."""
        pattern = f"^({self.prefix}_)?[0-9]{{1,18}}$"
        whole = {"type": "integer", "minimum": 0, "maximum": 10**18 - 1}
        return {"anyOf": [{"type": "string", "pattern": pattern}, whole], "example": f"{self.prefix}_81"}


class Cursor(fields.String):
    """The cursor at which a list goes on."""

    def __init__(self) -> None:
        about = {"description": "`meta.after_cursor` of the page before."}
        super().__init__(load_default=None, validate=Size(min=1, max=LONGEST_CURSOR), metadata=about)


def row(thing: Any, **more: Any) -> Json:
    """Return the fields of a dataclass as a mapping for a shape, with `more` fields."""
    return {part.name: getattr(thing, part.name) for part in dataclass_fields(thing)} | more


def public_id(prefix: str, number: int) -> str:
    """Return the public form of an id."""
    return f"{prefix}_{number}"


def instant(ms: int) -> str:
    """Return milliseconds UTC as RFC 3339, with a fraction only where there is one."""
    moment = EPOCH + timedelta(milliseconds=ms)
    return moment.isoformat(timespec="milliseconds" if ms % 1000 else "seconds").replace("+00:00", "Z")


def at(value: Any) -> int:
    """Return RFC 3339 as milliseconds UTC; a time without a zone is UTC."""
    try:
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return (moment - EPOCH) // timedelta(milliseconds=1)
    except (TypeError, ValueError, OverflowError):
        raise ValidationError(Fault("bad_time", value=value)) from None


def faults(error: ValidationError) -> InputError:
    """Return a schema's messages as field errors with JSON pointers."""
    messages = error.messages
    if isinstance(messages, dict) and len(messages) == 1 and next(iter(messages)) in ("json", "query"):
        messages = next(iter(messages.values()))
    return InputError(fields=tuple(_field_errors(messages, "")))


def _field_errors(messages: Any, pointer: str) -> Iterator[FieldError]:
    if isinstance(messages, Mapping):
        for key, inner in messages.items():
            # marshmallow files faults of a whole object under `_schema`.
            step = "" if key == "_schema" else "/" + str(key).replace("~", "~0").replace("/", "~1")
            yield from _field_errors(inner, pointer + step)
    elif isinstance(messages, Sequence) and not isinstance(messages, str):
        for inner in messages:
            yield from _field_errors(inner, pointer)
    else:
        yield _fault(messages, pointer)


def _fault(message: Any, pointer: str) -> FieldError:
    if isinstance(message, Fault):
        return field_error(pointer, message.code, **message.params)
    return FieldError(pointer=pointer, code=CODES.get(str(message), "invalid"))


def field_error(pointer: str, code: str, **params: object) -> FieldError:
    """Return the fault of one field."""
    return FieldError(
        pointer=pointer, code=code, params=tuple((name, _as_text(value)) for name, value in params.items())
    )


def _as_text(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)


class FaultShape(Shape):
    """One fault of a request."""

    pointer = fields.String(metadata={"description": "RFC 6901 JSON pointer into the body, or /name of a parameter."})
    code = fields.String()
    detail = fields.String()


class ProblemShape(Shape):
    """An error (RFC 9457)."""

    type = fields.String()
    title = fields.String()
    status = Whole()
    detail = fields.String()
    instance = fields.String()
    request_id = fields.String()
    errors = fields.List(fields.Nested(FaultShape))


class PageMetaShape(Shape):
    """The place of a page in its list."""

    has_more = Flag()
    after_cursor = fields.String(allow_none=True)
    total = Whole()
    is_capped = Flag(metadata={"description": "Whether there are at least `total`, counted no further."})


class LinksShape(Shape):
    """The address of the next page."""

    next = fields.String(allow_none=True)


class PageQuery(Shape):
    """The size of a page, and the cursor at which it begins."""

    limit = Whole(load_default=50, validate=Between(1, 200))
    after = Cursor()


def page_of(shape: type[Schema], name: str) -> type[Schema]:
    """Return the shape of one page of a list."""
    parts = {
        "data": fields.List(fields.Nested(shape)),
        "meta": fields.Nested(PageMetaShape),
        "links": fields.Nested(LinksShape),
    }
    return Shape.from_dict(parts, name=name)
