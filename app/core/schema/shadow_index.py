"""What a model in shadow needs of the schema. Statements here are history, like those in schema.py."""

from __future__ import annotations

SHADOW = ("CREATE INDEX prediction_shadow ON prediction (model) WHERE is_shadow = 1",)
