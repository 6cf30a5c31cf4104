"""Outgoing calls: every call to another machine passes the guard against server-side request forgery."""
