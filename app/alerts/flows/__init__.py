"""Flows of alerts: each is one verb, in one transaction."""
