"""Exports of tickets as a table or as JSON lines, streamed; no cell can be taken for a formula."""

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
from app.desk.flows.export_tickets import ExportedTicket
from app.web import access
from app.web.api.api_shapes import instant, public_id
from app.web.display.spreadsheet import cell
from app.web.serving import long_answers

ROLES = ("intent", "sentiment", "emotion")
TIMES = ("created_at", "updated_at", "first_response_due_at", "first_responded_at", "resolution_due_at", "solved_at")
PLAIN = (
    "id", "external_id", "subject", "channel", "status", "priority", "language", "needs_person", "intent",
    "intent_probability", "intent_band", "intent_source", "sentiment", "sentiment_score", "emotion", "n_messages",
    *TIMES,
)  # fmt: skip
OWNED = ("queue", "assignee", "customer_name", "customer_email", "customer_tier", "urgency", "sla", "tags")
PREDICTED = tuple(f"{role}_{part}" for role in ROLES for part in ("predicted", "predicted_probability", "model", "top"))
CORRECTED = tuple(f"{role}_corrected" for role in ROLES)
COLUMNS = (*PLAIN, *OWNED, *PREDICTED, *CORRECTED)
PREDICTION = ("task", "role", "model", "label", "probability", "abstained")
CORRECTION = ("task", "label_before", "label")


def as_table(chosen: TicketFilter, *, viewer: Viewer) -> Response:
    """The tickets of a filter as CSV; raises Overloaded while too many exports run."""
    return _answer(_table(_found(chosen, viewer=viewer)), kind="text/csv; charset=utf-8", name="tickets.csv")


def as_lines(chosen: TicketFilter, *, viewer: Viewer) -> Response:
    """The tickets of a filter as JSON lines; raises Overloaded while too many exports run."""
    found = _found(chosen, viewer=viewer)
    lines = (json.dumps(_object(one), ensure_ascii=False, separators=(",", ":")) + "\n" for one in found)
    return _answer(lines, kind="application/x-ndjson", name="tickets.jsonl")


def _found(chosen: TicketFilter, *, viewer: Viewer) -> Iterator[ExportedTicket]:
    return export_tickets.export(access.services(), chosen, viewer=viewer)


def _object(one: ExportedTicket) -> dict[str, Any]:
    ticket, customer = one.ticket, one.customer
    return {
        **{name: getattr(ticket, name) for name in PLAIN},
        **{name: None if getattr(ticket, name) is None else instant(getattr(ticket, name)) for name in TIMES},
        "id": public_id("tkt", ticket.id),
        "sla": one.sla,
        "queue": one.queue,
        "assignee": one.assignee,
        **{f"customer_{name}": getattr(customer, name, None) for name in ("name", "email", "tier")},
        "urgency": None if ticket.urgency is None else ticket.urgency.points,
        "tags": list(ticket.tags),
        "predictions": [
            {
                **{name: getattr(said.prediction, name) for name in PREDICTION},
                "top": [[scored.label, scored.probability] for scored in said.prediction.top],
            }
            for said in one.predictions
        ],
        "corrections": [
            {**{name: getattr(said, name) for name in CORRECTION}, "by": name_of, "at": instant(said.created_at)}
            for said, name_of in one.corrections
        ],
    }


def _answer(lines: Iterator[str], *, kind: str, name: str) -> Response:
    answer = long_answers.stream(lines, kind=kind)
    answer.headers.set("Content-Disposition", "attachment", filename=name)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _table(found: Iterable[ExportedTicket]) -> Iterator[str]:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for one in found:
        flat = _flat(one)
        writer.writerow([cell(flat.get(name)) for name in COLUMNS])
        if buffer.tell() > 32_000:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()


def _flat(one: ExportedTicket) -> dict[str, Any]:
    flat = _object(one) | {"tags": " ".join(one.ticket.tags)}
    roles = {}
    for said in (stored.prediction for stored in one.predictions):
        role = roles[said.task] = said.role
        flat[f"{role}_predicted"] = None if said.abstained else said.label
        flat[f"{role}_predicted_probability"] = said.probability
        flat[f"{role}_model"] = said.model
        flat[f"{role}_top"] = " ".join(f"{scored.label}:{scored.probability}" for scored in said.top)
    for correction, _name in one.corrections:
        if correction.task in roles:
            flat[f"{roles[correction.task]}_corrected"] = correction.label
    return flat
