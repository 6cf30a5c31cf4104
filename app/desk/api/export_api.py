"""Exports of tickets, streamed with one row a ticket: a table or JSON lines."""

from __future__ import annotations

from flask import Response

from app.desk.api.ticket_filter_fields import FilterShape, filter_of
from app.desk.pages import ticket_export
from app.web import access
from app.web.api.api_shapes import Json
from app.web.api.openapi import blueprint, route

group = blueprint("exports", about="Tickets as a table or as JSON lines, with predictions and corrections.")


@route(group, "/tickets/export.csv", needs="tickets:read", query=FilterShape, also=(429,))
def export_csv(query: Json) -> Response:
    """Export the tickets of a filter as a table, newest first, with probabilities and corrections."""
    return ticket_export.as_table(filter_of(query), viewer=access.viewer())


@route(group, "/tickets/export.jsonl", needs="tickets:read", query=FilterShape, also=(429,))
def export_jsonl(query: Json) -> Response:
    """Export the tickets of a filter as JSON lines, with all predictions and corrections of each."""
    return ticket_export.as_lines(filter_of(query), viewer=access.viewer())
