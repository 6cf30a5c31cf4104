"""Frozen dataclasses and enums."""
