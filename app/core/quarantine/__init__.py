"""Quarantine: items that came in and could not be filed, kept as they came."""
