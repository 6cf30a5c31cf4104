"""Tickets through the API: filed, listed, edited, answered, corrected; nothing twice, nothing out of sight."""

from __future__ import annotations

from typing import Any

import pytest

from app.core import changes
from app.core.permissions import SYSTEM
from app.core.quarantine import quarantine_rows
from app.desk.flows import keep_queues
from app.people.flows.keep_teams import TEAM
from tests.app.site import Caller, Site

MAIL = b"""From: Ines <ines@example.com>
To: help@example.com
Subject: Card stolen
Message-ID: <%s@example.com>
Content-Type: text/plain; charset=utf-8

My card was stolen, please cancel it.
"""


@pytest.fixture(scope="module")
def api(model_site: Site) -> Caller:
    """An administrator's token on a site with two queues."""
    for slug, title in (("intake", "Intake"), ("billing", "Billing")):
        keep_queues.add_queue(model_site.services, viewer=SYSTEM, slug=slug, title=title)
    return model_site.caller("admin")


def _file(api: Caller, **sent: Any) -> Any:
    ticket = {"subject": "Where?", "body": "where is my order?", "queue": "intake", **sent}
    return api("POST", "/api/v1/tickets", json=ticket)


def test_a_ticket_is_filed_read_and_shown(api: Caller) -> None:
    customer = {"name": "Ines", "email": "ines@example.com", "tier": "plus"}
    answer = _file(api, customer=customer, body="help, my card 4111 1111 1111 1111 was stolen")
    assert answer.status_code == 201, answer.get_data(as_text=True)
    made = answer.get_json()
    assert made["id"].startswith("tkt_")
    assert answer.headers["Location"] == f"/api/v1/tickets/{made['id']}"
    assert made["customer"]["tier"] == "plus"
    assert made["created_at"].endswith("Z")
    assert made["intent"]["label"]
    shown = api("GET", answer.headers["Location"])
    assert shown.headers["ETag"] == f'"{made["version"]}"'
    message = shown.get_json()["messages"][0]
    assert "[card]" in message["body"]
    assert "4111" not in shown.get_data(as_text=True)
    assert {one["role"] for one in message["predictions"]} == {"intent", "sentiment", "emotion"}
    assert shown.get_json()["sla"]["name"]


def test_the_number_alone_is_an_id_too(api: Caller) -> None:
    made = _file(api).get_json()
    number = made["id"].removeprefix("tkt_")
    assert api("GET", f"/api/v1/tickets/{number}").get_json()["id"] == made["id"]


def test_mail_is_filed_once(api: Caller) -> None:
    headers = {"Content-Type": "message/rfc822"}
    first = api("POST", "/api/v1/tickets", data=MAIL % b"m1", headers=headers)
    again = api("POST", "/api/v1/tickets", data=MAIL % b"m1", headers=headers)
    assert (first.status_code, again.status_code) == (201, 200), first.get_data(as_text=True)
    assert first.get_json()["id"] == again.get_json()["id"]
    assert first.get_json()["channel"] == "email"


@pytest.mark.parametrize(
    "head",
    [
        b"From: " + b"(" * 600,
        b"Content-Disposition: inline; filename*=utf-8''a; filename*1*=b",
        b'Content-Type: text/plain; charset="ut\0f"',
    ],
)
def test_hostile_mail_is_filed(api: Caller, head: bytes) -> None:
    raw = head + b"\r\nMessage-ID: <" + str(len(head)).encode() + b"@x>\r\nSubject: Odd\r\n\r\nwhere is it \xc3\xbc"
    answer = api("POST", "/api/v1/tickets", data=raw, headers={"Content-Type": "message/rfc822"})
    assert (answer.status_code, answer.get_json()["subject"]) == (201, "Odd")


def test_mail_that_nobody_can_read_is_refused_and_kept(
    api: Caller, model_site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.desk.flows.mail.take_mail.from_eml", lambda *_, **__: 1 // 0)
    answer = api("POST", "/api/v1/tickets", data=MAIL % b"odd", headers={"Content-Type": "message/rfc822"})
    assert (answer.status_code, answer.get_json()["type"]) == (422, "/problems/unreadable")
    (item,) = quarantine_rows.page(model_site.services.db, limit=9).items
    assert (item.source, item.code, quarantine_rows.raw(model_site.services.db, item.id)) == (
        *("API", "unreadable", MAIL % b"odd"),
    )


def test_an_external_id_comes_once(api: Caller) -> None:
    first, again = _file(api, external_id="zd-1"), _file(api, external_id="zd-1")
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.get_json()["id"] == again.get_json()["id"]


def test_an_external_id_opens_no_ticket_of_others(api: Caller, model_site: Site) -> None:
    theirs = _file(api, external_id="zd-77", body="My neighbour's card")
    front_end = model_site.caller("messages:write")
    answer = _file(front_end, external_id="zd-77", body="Show me")
    assert answer.status_code == 201
    assert answer.json["id"] != theirs.json["id"]
    assert "neighbour" not in answer.get_data(as_text=True)
    # What it filed itself it may send again, and change.
    first, again = _file(front_end, external_id="zd-78"), _file(front_end, external_id="zd-78", body="Changed order")
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.get_json()["preview"].endswith("Changed order")


def test_a_mail_that_joins_a_ticket_of_others_gets_a_receipt_alone(api: Caller, model_site: Site) -> None:
    headers = {"Content-Type": "message/rfc822"}
    ours = api("POST", "/api/v1/tickets", data=MAIL % b"ours", headers=headers).get_json()
    front_end = model_site.caller("messages:write")
    answers = [header + b": <ours@example.com>\n" + MAIL % header for header in (b"In-Reply-To", b"References")]
    for raw in (MAIL % b"ours", *answers):
        told = front_end("POST", "/api/v1/tickets", data=raw, headers=headers)
        assert told.status_code in (200, 201), told.get_data(as_text=True)
        assert told.get_json() == {"id": ours["id"], "is_reduced": True}


@pytest.mark.parametrize("body", ["9" * 5000, '"where is \\ud800 my order"', '{"a": "\\udfff"}', "1e999"])
def test_json_that_no_one_else_would_send(api: Caller, body: str) -> None:
    sent = f'{{"channel": "chat", "body": {body}, "subject": "\\ud83d\\ude00"}}'
    answer = api("POST", "/api/v1/tickets", data=sent, headers={"Content-Type": "application/json"})
    assert answer.status_code == (201 if "order" in body else 422), answer.get_data(as_text=True)
    if answer.status_code == 201:
        assert "where is \N{REPLACEMENT CHARACTER} my order" in answer.get_json()["preview"]


@pytest.mark.parametrize(
    "sent",
    [{}, {"body": ""}, {"body": ["x"]}, {"body": "x", "channel": "pigeon"}, {"body": "x", "queue": "nowhere"}, []],
)
def test_what_cannot_be_filed(api: Caller, sent: Any) -> None:
    answer = api("POST", "/api/v1/tickets", json=sent)
    assert answer.status_code == 422, answer.get_data(as_text=True)
    assert answer.content_type == "application/problem+json"


def test_an_unread_media_type_lists_what_is_read(api: Caller) -> None:
    answer = api("POST", "/api/v1/tickets", data=b"x", headers={"Content-Type": "text/plain"})
    assert answer.status_code == 415
    assert "message/rfc822" in answer.get_json(force=True)["detail"]


def test_pages_cover_the_list_once(api: Caller) -> None:
    for _ in range(5):
        _file(api)
    path, seen = "/api/v1/tickets?limit=2&queue=intake", []
    for _ in range(50):
        found = api("GET", path).get_json()
        seen += [ticket["id"] for ticket in found["data"]]
        if not found["meta"]["has_more"]:
            break
        path = found["links"]["next"]
        assert "queue=intake" in path
    assert len(seen) == len(set(seen)) == found["meta"]["total"] >= 5


def test_filters(api: Caller) -> None:
    made = _file(api).get_json()
    api("PATCH", f"/api/v1/tickets/{made['id']}", json={"status": "solved"})

    def ids(query: str) -> list[str]:
        return [ticket["id"] for ticket in api("GET", f"/api/v1/tickets?limit=200&{query}").get_json()["data"]]

    assert made["id"] in ids("status=solved")
    assert made["id"] in ids("status=any")
    assert made["id"] not in ids("")
    assert made["id"] not in ids("status=open,new")
    assert made["id"] in ids(f"status=any&intent={made['intent']['label']}")
    assert made["id"] in ids("status=any&unassigned=true")


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("status=lost", "/status"),
        ("queue=nowhere", "/queue"),
        ("priority=huge", "/priority"),
        ("limit=1000", "/limit"),
        ("limit=x", "/limit"),
        ("assignee=tkt_1", "/assignee"),
        ("sort=sideways", "/sort"),
    ],
)
def test_bad_filters_name_the_parameter(api: Caller, query: str, pointer: str) -> None:
    answer = api("GET", f"/api/v1/tickets?{query}")
    assert answer.status_code == 422
    assert answer.get_json(force=True)["errors"][0]["pointer"] == pointer


def test_an_edit_changes_the_version_and_what_was_asked(api: Caller) -> None:
    made = _file(api).get_json()
    path = f"/api/v1/tickets/{made['id']}"
    answer = api("PATCH", path, json={"priority": "urgent", "queue": "billing", "tags": ["vip"]})
    changed = answer.get_json()
    assert (changed["priority"], changed["queue"], changed["tags"]) == ("urgent", "billing", ["vip"])
    assert answer.headers["ETag"] != f'"{made["version"]}"'


def test_an_edit_of_an_old_version_gets_the_current_one(api: Caller) -> None:
    made = _file(api).get_json()
    path, old = f"/api/v1/tickets/{made['id']}", {"If-Match": f'"{made["version"]}"'}
    assert api("PATCH", path, json={"priority": "high"}, headers=old).status_code == 200
    answer = api("PATCH", path, json={"priority": "low"}, headers=old)
    assert answer.status_code == 412
    told = answer.get_json(force=True)
    assert told["type"] == "/problems/stale"
    assert told["current"]["priority"] == "high"
    assert api("PATCH", path, json={"priority": "low"}, headers={"If-Match": '"never"'}).status_code == 412
    assert api("PATCH", path, json={"priority": "low"}, headers={"If-Match": "*"}).status_code == 200


def test_what_did_not_change_is_304(api: Caller) -> None:
    made = _file(api).get_json()
    path = f"/api/v1/tickets/{made['id']}"
    assert api("GET", path, headers={"If-None-Match": f'"{made["version"]}"'}).status_code == 304
    assert api("GET", path, headers={"If-None-Match": '"0"'}).status_code == 200


@pytest.mark.parametrize("sent", [{}, {"colour": "red"}, {"status": "lost"}, {"subject": ""}, {"tags": [""]}])
def test_edits_that_cannot_be_made(api: Caller, sent: dict[str, Any]) -> None:
    made = _file(api).get_json()
    assert api("PATCH", f"/api/v1/tickets/{made['id']}", json=sent).status_code == 422


def test_a_reply_and_a_note(api: Caller) -> None:
    path = f"/api/v1/tickets/{_file(api).get_json()['id']}"
    replied = api("POST", f"{path}/messages", json={"body": "It is on its way.", "status": "pending"})
    assert replied.status_code == 201, replied.get_data(as_text=True)
    assert replied.get_json()["status"] == "pending"
    assert replied.get_json()["first_responded_at"]
    api("POST", f"{path}/messages", json={"kind": "note", "body": "called them"})
    kinds = [message["kind"] for message in api("GET", path).get_json()["messages"]]
    assert kinds == ["incoming", "outgoing", "note"]
    assert api("POST", f"{path}/messages", json={"body": ""}).status_code == 422


def test_a_correction_is_kept_and_outranks_the_model(api: Caller) -> None:
    path = f"/api/v1/tickets/{_file(api).get_json()['id']}"
    before = api("GET", path).get_json()["intent"]
    label = "get_refund" if before["label"] != "get_refund" else "cancel_order"
    if before["task"] == "banking_intent":
        label = "card_arrival" if before["label"] != "card_arrival" else "transfer_fee_charged"
    answer = api("POST", f"{path}/corrections", json={"task": before["task"], "label": label})
    assert answer.status_code == 201, answer.get_data(as_text=True)
    assert (answer.get_json()["label_before"], answer.get_json()["label"]) == (before["label"], label)
    after = api("GET", path).get_json()["intent"]
    assert (after["label"], after["source"]) == (label, "agent")


def test_an_unknown_label_is_refused(api: Caller) -> None:
    ticket = _file(api).get_json()
    path = f"/api/v1/tickets/{ticket['id']}/corrections"
    answer = api("POST", path, json={"task": ticket["intent"]["task"], "label": "astrology"})
    assert (answer.status_code, answer.get_json(force=True)["type"]) == (422, "/problems/unknown_label")
    assert api("POST", path, json={"label": "get_refund"}).status_code == 422


def test_a_prediction_of_another_ticket_is_not_corrected_here(api: Caller) -> None:
    one, other = _file(api).get_json(), _file(api, body="thank you").get_json()
    messages = api("GET", f"/api/v1/tickets/{other['id']}").get_json()["messages"]
    sent = {"prediction": messages[0]["predictions"][0]["id"], "label": "out_of_scope"}
    assert api("POST", f"/api/v1/tickets/{one['id']}/corrections", json=sent).status_code == 404


def test_the_same_request_twice_is_done_once(api: Caller) -> None:
    headers, sent = {"Idempotency-Key": '"once-1"'}, {"body": "where is my order?", "queue": "intake"}
    first = api("POST", "/api/v1/tickets", json=sent, headers=headers)
    again = api("POST", "/api/v1/tickets", json=sent, headers=headers)
    assert first.status_code == again.status_code == 201
    assert first.get_data() == again.get_data()
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.headers["ETag"] == first.headers["ETag"]


def test_a_key_is_for_one_request(api: Caller) -> None:
    headers = {"Idempotency-Key": "once-2"}
    api("POST", "/api/v1/tickets", json={"body": "one", "queue": "intake"}, headers=headers)
    answer = api("POST", "/api/v1/tickets", json={"body": "two", "queue": "intake"}, headers=headers)
    assert (answer.status_code, answer.get_json(force=True)["type"]) == (422, "/problems/idempotency_key_reused")


def test_a_failed_request_may_be_sent_again(api: Caller) -> None:
    headers = {"Idempotency-Key": "once-3"}
    assert api("POST", "/api/v1/tickets", json={"body": ""}, headers=headers).status_code == 422
    sent = {"body": "where?", "queue": "intake"}
    assert api("POST", "/api/v1/tickets", json=sent, headers=headers).status_code == 201


def test_an_edit_that_came_too_late_may_be_made_again_with_its_key(api: Caller) -> None:
    path, headers = f"/api/v1/tickets/{_file(api).get_json()['id']}", {"Idempotency-Key": "once-4"}
    late = api("PATCH", path, json={"priority": "high"}, headers={**headers, "If-Match": '"0"'})
    assert late.status_code == 412
    current = {**headers, "If-Match": api("GET", path).headers["ETag"]}
    assert api("PATCH", path, json={"priority": "high"}, headers=current).status_code == 200


@pytest.mark.parametrize("key", ["", '""', "x" * 256])
def test_a_key_has_a_length(api: Caller, key: str) -> None:
    answer = api("POST", "/api/v1/tickets", json={"body": "x"}, headers={"Idempotency-Key": key})
    assert (answer.status_code, answer.get_json(force=True)["type"]) == (422, "/problems/idempotency_key_invalid")


def test_another_team_s_queue_is_out_of_sight(api: Caller, model_site: Site) -> None:
    team = changes.add(model_site.services.db, TEAM, {"name": "Secret"}, viewer=SYSTEM).row
    keep_queues.add_queue(model_site.services, viewer=SYSTEM, slug="secret", title="Secret", team_id=team.id)
    made = _file(api).get_json()
    api("PATCH", f"/api/v1/tickets/{made['id']}", json={"queue": "secret"})
    agent = model_site.caller("tickets:write", role="agent")
    assert agent("GET", f"/api/v1/tickets/{made['id']}").status_code == 404
    assert agent("PATCH", f"/api/v1/tickets/{made['id']}", json={"priority": "low"}).status_code == 404
    assert agent("GET", "/api/v1/tickets?queue=secret").status_code == 422
    listed = agent("GET", "/api/v1/tickets?limit=200&status=any").get_json()["data"]
    assert made["id"] not in [ticket["id"] for ticket in listed]


def test_without_a_model_a_ticket_is_kept_all_the_same(site: Site) -> None:
    keep_queues.add_queue(site.services, viewer=SYSTEM, slug="inbox", title="Inbox")
    answer = site.caller("admin")("POST", "/api/v1/tickets", json={"body": "where is my order?", "queue": "inbox"})
    assert answer.status_code == 201, answer.get_data(as_text=True)
    assert answer.get_json()["intent"]["label"] is None


def test_answers_for_a_ticket(api: Caller) -> None:
    path = f"/api/v1/tickets/{_file(api).get_json()['id']}/answers"
    found = api("GET", path)
    assert found.status_code == 200, found.get_data(as_text=True)
    assert set(found.get_json()) == {"macros", "articles", "draft"}
