"""Shapes as JSON schemas: fields that describe themselves, and shapes of which some field is needed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from apispec.ext.marshmallow import MarshmallowPlugin
from apispec.ext.marshmallow.openapi import OpenAPIConverter
from marshmallow import Schema, fields

_written: Callable[[OpenAPIConverter, Schema], dict[str, Any]] = OpenAPIConverter.schema2jsonschema


class Converter(OpenAPIConverter):
    """Shapes into JSON schemas."""

    def field2property(self, field: fields.Field[Any]) -> dict[str, Any]:
        """A field's schema: its own words where it has some."""
        made: dict[str, Any] = super().field2property(field)
        described = getattr(field, "described", None)
        if described is None:
            return made
        told = dict(described)
        if field.allow_none and "anyOf" in told:
            told["anyOf"] = [*told["anyOf"], {"type": "null"}]
        elif field.allow_none:
            told["type"] = [told["type"], "null"]
        made.pop("type", None)
        return {**told, **made}

    def schema2jsonschema(self, schema: Schema) -> dict[str, Any]:
        """A shape's schema, with the fields of which at least one must be there."""
        made = _written(self, schema)
        needed, told = getattr(schema, "needs_one", ()), getattr(schema, "told", {})
        return made | ({"anyOf": [{"required": [name]} for name in needed]} if needed else {}) | dict(told)


class Plugin(MarshmallowPlugin):
    """marshmallow in apispec, by this converter."""

    Converter = Converter
