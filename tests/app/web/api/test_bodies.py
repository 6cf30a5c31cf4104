"""Bodies that are no use are refused with a sentence: wrong types, nulls, nothing where something is needed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from app.alerts.store import alerts as rows
from tests.app.page_house import House, make_house


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Any:
    made = make_house(tmp_path_factory.mktemp("bodies"))
    yield made
    made.site.app.extensions["bellwether"].close()


def _refused(house: House, method: str, path: str, body: Any) -> dict[str, str]:
    """The faults by pointer; each has a sentence."""
    answer = house.site.caller("admin")(
        method, path, data=json.dumps(body), headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 422, answer.text
    told = answer.get_json(force=True)
    faults = told.get("errors") or [{"pointer": "", "code": told["type"].rpartition("/")[2], "detail": told["detail"]}]
    assert all(fault["detail"].endswith((".", "!")) for fault in faults)
    return {fault["pointer"]: fault["code"] for fault in faults}


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ([], {"": "not_object"}),
        ("x", {"": "not_object"}),
        (None, {"": "not_object"}),
        ({"note": 5}, {"/note": "not_text"}),
        ({"note": None}, {"/note": "required"}),
        ({"note": "x" * 1001}, {"/note": "too_long"}),
    ],
)
def test_a_note_that_is_none_is_refused(house: House, body: Any, fault: dict[str, str]) -> None:
    assert _refused(house, "POST", f"/api/v1/alerts/alr_{house.alert}/acknowledge", body) == fault
    assert rows.get(house.site.services.db, house.alert).acknowledged_at is None


def test_a_body_in_which_nothing_is_required_may_be_left_out(house: House) -> None:
    api = house.site.caller("admin")
    assert api("POST", f"/api/v1/tickets/{house.unsure}/answers/rejected").status_code == 204
    chunked = api(
        "POST",
        f"/api/v1/alerts/alr_{house.alert}/acknowledge",
        data=b"[]",
        headers={"Content-Type": "application/json", "Transfer-Encoding": "chunked"},
        environ_overrides={"wsgi.input_terminated": True},
    )
    assert chunked.status_code == 422
    assert api("POST", f"/api/v1/alerts/alr_{house.alert}/acknowledge").status_code == 200


WRONG: list[tuple[str, str, Any, dict[str, str]]] = [
    ("POST", "/api/v1/tickets", {"body": 0}, {"/body": "not_text"}),
    ("POST", "/api/v1/tickets", {"body": "x", "is_html": "yes"}, {"/is_html": "not_flag"}),
    ("POST", "/api/v1/tickets", {"body": "x", "external_id": True}, {"/external_id": "not_text"}),
    ("POST", "/api/v1/tickets", {}, {"": "required_one"}),
    ("POST", "/api/v1/tickets/{ticket}/messages", {"body": "x", "macro_actions": 0}, {"/macro_actions": "not_flag"}),
    ("POST", "/api/v1/tickets/{ticket}/corrections", {"label": "x"}, {"": "required_one"}),
    ("PATCH", "/api/v1/tickets/{ticket}", {}, {"": "nothing_to_change"}),
    ("PATCH", "/api/v1/tickets/{ticket}", {"colour": "red"}, {"": "nothing_to_change"}),
    ("PATCH", "/api/v1/feeds/{feed}", {}, {"": "nothing_to_change"}),
    ("POST", "/rerank", {"query": "a", "texts": ["b"], "truncate": 0}, {"/truncate": "not_flag"}),
    ("POST", "/rerank", {"query": "a", "texts": ["b"], "return_text": "true"}, {"/return_text": "not_flag"}),
    ("POST", "/predict", {"inputs": "a", "parameters": {"top_k": "3"}}, {"/parameters/top_k": "not_whole"}),
    ("POST", "/predict", {"inputs": "a", "parameters": {"top_k": True}}, {"/parameters/top_k": "not_whole"}),
    ("POST", "/api/v1/rules", {"name": "a", "share": "0.5"}, {"/share": "not_number"}),
    ("POST", "/api/v1/rules", {"name": "a", "window_ms": 0}, {"/window_ms": "out_of_bounds"}),
    ("POST", "/api/v1/rules", {"name": "a", "min_stories": 10**30}, {"/min_stories": "out_of_bounds"}),
    ("POST", "/api/v1/routing-rules", {"name": "a", "conditions": [], "actions": []}, {"/conditions": "empty"}),
    ("POST", "/api/v1/tickets/bulk", {"action": "assign"}, {"/params/assignee": "required"}),
    ("POST", "/api/v1/feeds", {"slug": "a", "name": "A", "weight": 0}, {"/weight": "out_of_bounds"}),
    ("PATCH", "/api/v1/feeds/{feed}", {"interval_ms": 0}, {"/interval_ms": "out_of_bounds"}),
]


@pytest.mark.parametrize(("method", "path", "body", "fault"), WRONG)
def test_wrong_types_and_empty_changes_are_refused(
    house: House, method: str, path: str, body: Any, fault: dict[str, str]
) -> None:
    found = _refused(house, method, path.format(ticket=house.stolen, feed=house.feed), body)
    assert fault.items() <= found.items()


@pytest.mark.parametrize("tag", ['""', '"", "k"', 'W/""', '"' + "9" * 400 + '"', "x"])
def test_a_tag_that_was_never_ours_is_stale(house: House, tag: str) -> None:
    answer = house.site.caller("admin")(
        "PATCH", f"/api/v1/tickets/{house.unsure}", json={"priority": "low"}, headers={"If-Match": tag}
    )
    assert answer.status_code == 412


@pytest.mark.parametrize(
    ("query", "pointer"),
    [("after=", "/after"), ("limit=+5", "/limit"), ("limit=5.0", "/limit"), ("limit=%D9%A5", "/limit"),
     ("unassigned=yes", "/unassigned"), ("queue=", "/queue")],
)  # fmt: skip
def test_addresses_are_read_as_they_are_described(house: House, query: str, pointer: str) -> None:
    answer = house.site.caller("admin")("GET", f"/api/v1/tickets?{query}")
    assert answer.status_code == 422
    assert [fault["pointer"] for fault in answer.json["errors"]] == [pointer]
    assert house.site.caller("admin")("GET", "/api/v1/tickets?limit=5&unassigned=true").status_code == 200
