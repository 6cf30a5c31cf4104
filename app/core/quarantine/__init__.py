"""Quarantine: what came in and could not be filed, kept as it came."""
