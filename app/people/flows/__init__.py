"""Flows of people: accounts, sessions, tokens, teams, and the viewer of a request."""
