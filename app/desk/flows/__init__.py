"""Flows of the desk: each does a thing step by step, in one transaction."""
