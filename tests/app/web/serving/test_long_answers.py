"""Answers that are written for long: so few at once that they leave threads for the others."""

from __future__ import annotations

import json
from pathlib import Path

from tests.app.site import Site, make_site


def _site(folder: Path) -> Site:
    made = make_site(folder, server_threads=4, max_body_bytes=1000)
    made.person("admin")
    return made


def test_one_export_more_than_may_run_is_told_when_to_come_back(tmp_path: Path) -> None:
    site = _site(tmp_path)
    caller = site.caller("admin")
    running = caller("GET", "/api/v1/tickets/export.csv")
    refused = caller("GET", "/api/v1/tickets/export.jsonl", headers={"Accept": "application/json"})
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "15")
    assert refused.get_json(force=True)["type"] == "/problems/long_answers_full"
    assert refused.get_json(force=True)["detail"] == "1 exports or large uploads run already. Try again in 15 s."
    running.close()
    running.close()
    for _ in range(3):
        with caller("GET", "/api/v1/tickets/export.jsonl") as again:
            assert again.status_code == 200


def test_a_large_upload_takes_a_place_and_a_small_one_does_not(tmp_path: Path) -> None:
    site = _site(tmp_path)
    caller = site.caller("admin")
    caller("POST", "/api/v1/feeds", json={"slug": "wire", "name": "Wire"})
    line = json.dumps({"nothing": "x" * 80}) + "\n"
    asked = {"query_string": {"feed": "wire"}, "headers": {"Content-Type": "application/x-ndjson"}}
    running = caller("GET", "/api/v1/tickets/export.csv")
    assert caller("POST", "/api/v1/posts", data=line, **asked).status_code == 200
    assert caller("POST", "/api/v1/posts", data=line * 50, **asked).status_code == 429
    running.close()
    assert caller("POST", "/api/v1/posts", data=line * 50, **asked).status_code == 200


def test_json_is_parsed_up_to_the_size_of_other_bodies(tmp_path: Path) -> None:
    site = _site(tmp_path)
    caller = site.caller("admin")
    caller("POST", "/api/v1/feeds", json={"slug": "wire", "name": "Wire"})
    content = "[" + ",".join(["{}"] * 1000) + "]"
    headers = {"Content-Type": "application/json"}
    refused = caller("POST", "/api/v1/posts?feed=wire", data=content, headers=headers)
    assert refused.status_code == 413
    assert refused.get_json(force=True)["type"] == "/problems/json_too_large"
    with_key = caller("POST", "/api/v1/posts?feed=wire", data=content, headers=headers | {"Idempotency-Key": "a"})
    assert with_key.status_code == 413


def test_deep_json_and_many_fields_are_faults_of_the_caller(tmp_path: Path) -> None:
    site = make_site(tmp_path)
    caller = site.caller("admin")
    for mark in ("[", '{"a":'):
        answer = caller("POST", "/predict", data=mark * 300_000, headers={"Content-Type": "application/json"})
        assert answer.status_code == 422, answer.get_data(as_text=True)
    fields = "&".join(f"a{at}=1" for at in range(150_000))
    browser = site.signed_in("admin")
    kind = "application/x-www-form-urlencoded"
    assert browser.post("/tickets/new", data=fields, content_type=kind).status_code < 500
    parts = "".join(f'--x\r\nContent-Disposition: form-data; name="a{at}"\r\n\r\n1\r\n' for at in range(5000))
    answer = browser.post("/tickets/new", data=parts + "--x--\r\n", content_type="multipart/form-data; boundary=x")
    assert 400 <= answer.status_code < 500
