"""The SQL of this area."""
