"""Tickets as they leave the house: a table or JSON lines, streamed; no cell can be taken for a formula."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from typing import Any

from flask import Response

from app.core.permissions import Viewer
from app.desk.domain.ticket import TicketFilter
from app.desk.flows import export_tickets
from app.web import access
from app.web.api.api_shapes import instant, public_id
from app.web.display.spreadsheet import cell
from app.web.serving import long_answers

ROLES = ("intent", "sentiment", "emotion")
TIMES = ("created_at", "updated_at", "first_response_due_at", "first_responded_at", "resolution_due_at", "solved_at")
OWNED = ("queue", "assignee", "customer_name", "customer_email", "customer_tier", "urgency", "sla", "tags")
PREDICTED = tuple(f"{role}_{part}" for role in ROLES for part in ("predicted", "predicted_probability", "model", "top"))
CORRECTED = tuple(f"{role}_corrected" for role in ROLES)
COLUMNS = (*export_tickets.PLAIN, *OWNED, *PREDICTED, *CORRECTED)


def as_table(chosen: TicketFilter, *, viewer: Viewer) -> Response:
    """The tickets of a filter as CSV; Overloaded while as many exports run as may."""
    return _answer(_table(_rows(chosen, viewer=viewer)), kind="text/csv; charset=utf-8", name="tickets.csv")


def as_lines(chosen: TicketFilter, *, viewer: Viewer) -> Response:
    """The tickets of a filter as JSON lines; Overloaded while as many exports run as may."""
    rows = _rows(chosen, viewer=viewer)
    lines = (json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n" for row in rows)
    return _answer(lines, kind="application/x-ndjson", name="tickets.jsonl")


def _rows(chosen: TicketFilter, *, viewer: Viewer) -> Iterator[dict[str, Any]]:
    return (_outside(row) for row in export_tickets.rows(access.services(), chosen, viewer=viewer))


def _outside(row: dict[str, Any]) -> dict[str, Any]:
    told = {name: None if row[name] is None else instant(row[name]) for name in TIMES}
    corrections = [one | {"at": instant(one["at"])} for one in row["corrections"]]
    return row | told | {"id": public_id("tkt", row["id"]), "corrections": corrections}


def _answer(lines: Iterator[str], *, kind: str, name: str) -> Response:
    answer = long_answers.stream(lines, kind=kind)
    answer.headers.set("Content-Disposition", "attachment", filename=name)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _table(rows: Iterable[dict[str, Any]]) -> Iterator[str]:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for row in rows:
        flat = _flat(row)
        writer.writerow([cell(flat.get(name)) for name in COLUMNS])
        if buffer.tell() > 32_000:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    found = dict(row) | {"tags": " ".join(row["tags"])}
    tasks = {}
    for one in row["predictions"]:
        role = tasks[one["task"]] = one["role"]
        found[f"{role}_predicted"] = None if one["abstained"] else one["label"]
        found[f"{role}_predicted_probability"] = one["probability"]
        found[f"{role}_model"] = one["model"]
        found[f"{role}_top"] = " ".join(f"{label}:{chance}" for label, chance in one["top"])
    for one in row["corrections"]:
        if one["task"] in tasks:
            found[f"{tasks[one['task']]}_corrected"] = one["label"]
    return found
