"""Pure functions that decide."""
