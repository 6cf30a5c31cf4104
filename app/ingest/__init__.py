"""Texts come in: tickets and posts are read from what was sent, cleaned and redacted; nothing is stored here."""
