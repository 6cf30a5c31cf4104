"""JSON schemas of shapes, with the description that a field or shape has of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from apispec.ext.marshmallow import MarshmallowPlugin
from apispec.ext.marshmallow.openapi import OpenAPIConverter
from marshmallow import Schema, fields

_written: Callable[[OpenAPIConverter, Schema], dict[str, Any]] = OpenAPIConverter.schema2jsonschema


class Converter(OpenAPIConverter):
    """Converts shapes to JSON schemas."""

    def field2property(self, field: fields.Field[Any]) -> dict[str, Any]:
        """Return the schema of a field, by its own description where it has one."""
        made: dict[str, Any] = super().field2property(field)
        described = getattr(field, "described", None)
        if described is None:
            return made
        own = dict(described)
        if field.allow_none and "anyOf" in own:
            own["anyOf"] = [*own["anyOf"], {"type": "null"}]
        elif field.allow_none:
            own["type"] = [own["type"], "null"]
        made.pop("type", None)
        return {**own, **made}

    def schema2jsonschema(self, schema: Schema) -> dict[str, Any]:
        """Return the schema of a shape, with the fields of which at least one is required."""
        made = _written(self, schema)
        needed, more = getattr(schema, "needs_one", ()), getattr(schema, "told", {})
        return made | ({"anyOf": [{"required": [name]} for name in needed]} if needed else {}) | dict(more)


class Plugin(MarshmallowPlugin):
    """apispec's plugin for marshmallow with this converter."""

    Converter = Converter
