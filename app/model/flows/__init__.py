"""Flows of the model: each is one verb, in one transaction."""
