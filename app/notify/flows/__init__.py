"""Flows of notification: each is one verb, in one transaction."""
