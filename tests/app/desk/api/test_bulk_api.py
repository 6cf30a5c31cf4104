"""Bulk and export over HTTP: the words of the list's address, dry run, job, undo, and tables without formulas."""

from __future__ import annotations

import csv
import io
import json

import pytest

from app.core.jobs import job_queue
from app.core.permissions import SYSTEM
from app.desk.domain.ticket import TicketDraft
from app.desk.flows import correct_message, file_ticket
from tests.app.page_house import House, make_house

FORMULA = '=HYPERLINK("http://x.example","y")'


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    """A house of its own, because bulk changes everything."""
    made = make_house(tmp_path_factory.mktemp("bulk"))
    for number in range(5):
        draft = TicketDraft(subject=FORMULA, body=f"my card was stolen {number}", channel="api", queue="shop")
        file_ticket.receive(made.site.services, draft, viewer=SYSTEM)
    return made


def test_a_filter_is_counted_changed_and_taken_back(house: House) -> None:
    caller, services = house.site.caller("admin"), house.site.services
    asked = {"filter": {"queue": "shop", "status": "any"}, "action": "set_status", "params": {"status": "pending"}}
    listed = caller("GET", "/api/v1/tickets?queue=shop&status=any&limit=200").json
    dry = caller("POST", "/api/v1/tickets/bulk", json=asked | {"dry_run": True})
    assert (dry.status_code, dry.json) == (200, {"dry_run": True, "total": listed["meta"]["total"], "job": None})
    left_out = listed["data"][0]["id"]
    begun = caller("POST", "/api/v1/tickets/bulk", json=asked | {"exclude_ids": [left_out]})
    assert begun.status_code == 202
    assert begun.json["total"] == dry.json["total"] - 1
    job_queue.run_due(services)
    job = caller("GET", begun.headers["Location"]).json
    assert (job["state"], job["n_done"], job["n_failed"]) == ("completed", begun.json["total"], 0)
    now = {
        one["id"]: one["status"]
        for one in caller("GET", "/api/v1/tickets?queue=shop&status=any&limit=200").json["data"]
    }
    assert now.pop(left_out) != "pending"
    assert set(now.values()) == {"pending"}
    undone = caller("POST", f"/api/v1/jobs/{job['id']}/undo")
    assert undone.status_code == 202
    job_queue.run_due(services)
    after = caller("GET", "/api/v1/tickets?queue=shop&status=any&limit=200").json["data"]
    assert {one["id"]: one["status"] for one in after} == {one["id"]: one["status"] for one in listed["data"]}
    assert caller("POST", f"/api/v1/jobs/{job['id']}/undo").status_code == 409


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({}, 422),
        ({"action": "burn"}, 422),
        ({"action": "set_status", "params": {"status": "lost"}}, 422),
        ({"action": "set_status"}, 422),
        ({"action": "assign", "params": {"assignee": "usr_99999"}}, 404),
        ({"action": "route", "params": {"queue": "nowhere"}}, 422),
        ({"action": "set_status", "params": {"status": "open"}, "filter": {"status": "lost"}}, 422),
        ({"action": "set_status", "params": {"status": "open"}, "exclude_ids": ["x"]}, 422),
    ],
)
def test_what_cannot_be_done_is_told(house: House, asked: dict[str, object], status: int) -> None:
    answer = house.site.caller("admin")("POST", "/api/v1/tickets/bulk", json=asked)
    assert answer.status_code == status, answer.json
    assert answer.json["detail"]


def test_who_may_not_change_tickets_may_not_change_many(house: House) -> None:
    asked = {"action": "set_status", "params": {"status": "open"}}
    assert house.site.caller("tickets:read")("POST", "/api/v1/tickets/bulk", json=asked).status_code == 403
    assert house.site.caller("admin", role="analyst")("POST", "/api/v1/tickets/bulk", json=asked).status_code == 403


def test_the_export_holds_predictions_and_corrections_and_no_formula(house: House) -> None:
    caller = house.site.caller("admin")
    made = correct_message.correct(
        house.site.services,
        house.stolen,
        viewer=house.viewer("admin"),
        label="card_arrival",
        task="banking_intent",
    ).row
    answer = caller("GET", "/api/v1/tickets/export.csv?status=any")
    assert answer.headers["Content-Disposition"] == "attachment; filename=tickets.csv"
    rows = list(csv.DictReader(io.StringIO(answer.get_data(as_text=True))))
    total = caller("GET", "/api/v1/tickets?status=any").json["meta"]["total"]
    assert len(rows) == total
    assert [row["id"] for row in rows] == sorted((row["id"] for row in rows), key=lambda one: -int(one[4:]))
    stolen = next(row for row in rows if row["id"] == f"tkt_{house.stolen}")
    assert stolen["intent_corrected"] == made.label == stolen["intent"]
    assert stolen["intent_predicted"] == "lost_or_stolen_card"
    assert 0 < float(stolen["intent_predicted_probability"]) <= 1
    assert {row["subject"] for row in rows if "HYPERLINK" in row["subject"]} == {"'" + FORMULA}
    text = caller("GET", "/api/v1/tickets/export.jsonl?status=any").get_data(as_text=True)
    lines = [json.loads(line) for line in text.splitlines()]
    assert len(lines) == total
    line = next(one for one in lines if one["id"] == stolen["id"])
    assert line["corrections"][0]["label"] == "card_arrival"
    assert {one["role"] for one in line["predictions"]} == {"intent", "sentiment", "emotion"}
    assert next(one["subject"] for one in lines if "HYPERLINK" in one["subject"]) == FORMULA


def test_an_export_is_the_filter_and_the_readers_sight(house: House) -> None:
    caller = house.site.caller("admin")
    found = caller("GET", "/api/v1/tickets/export.csv?queue=cards&status=any").get_data(as_text=True)
    assert {row["queue"] for row in csv.DictReader(io.StringIO(found))} == {"cards"}
    assert caller("GET", "/api/v1/tickets/export.csv?status=lost").status_code == 422
    page = house.reader("agent").get("/tickets/export?status=all")
    assert page.status_code == 200
    assert page.get_data(as_text=True).startswith("id,external_id,subject")
