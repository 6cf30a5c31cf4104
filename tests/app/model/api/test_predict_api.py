"""Predictions in other tools' shapes, and everything that can be wrong with what is sent."""

from __future__ import annotations

import gzip
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.app.site import Caller, Site, make_site
from tests.tiny_artifact import tiny_tasks


@pytest.fixture(scope="module")
def api(model_site: Site) -> Caller:
    """A caller that may ask the model."""
    return model_site.caller("predict")


def _problem(answer: Any, status: int, code: str) -> dict[str, Any]:
    assert (answer.status_code, answer.content_type) == (status, "application/problem+json"), answer.get_data()
    told: dict[str, Any] = answer.get_json(force=True)
    assert told["type"] == f"/problems/{code}"
    return told


def test_one_text_gives_one_list_of_every_label(api: Caller) -> None:
    found = api("POST", "/predict", json={"inputs": "where is my order?"}).get_json()
    assert {entry["label"] for entry in found} == {label.id for label in tiny_tasks()["banking_intent"].labels}
    assert sum(entry["score"] for entry in found) == pytest.approx(1, abs=1e-4)
    assert [entry["score"] for entry in found] == sorted((entry["score"] for entry in found), reverse=True)


def test_many_texts_give_many_lists_in_order(api: Caller) -> None:
    texts = ["where is my order?", "my card was stolen", "where is my order?"]
    found = api("POST", "/predict", json={"inputs": texts}).get_json()
    assert len(found) == 3
    assert found[0] == found[2] != found[1]
    assert api("POST", "/predict", json={"inputs": [[text] for text in texts]}).get_json() == found


def test_a_pair_is_refused_by_name(api: Caller) -> None:
    told = _problem(api("POST", "/predict", json={"inputs": [["a", "b"], ["c"]]}), 422, "invalid_input")
    assert told["errors"][0]["pointer"] == "/inputs/0"
    assert "pairs" in told["errors"][0]["detail"]


@pytest.mark.parametrize("named", [{"task": "sentiment"}, {"parameters": {"task": "sentiment"}}])
def test_task_and_top_k(api: Caller, named: dict[str, Any]) -> None:
    found = api("POST", "/predict", json={"inputs": "thank you", **named}).get_json()
    assert {entry["label"] for entry in found} == {"negative", "neutral", "positive"}
    sent = {"inputs": "thank you", "parameters": {"task": "sentiment", "top_k": 1}}
    assert api("POST", "/predict", json=sent).get_json() == found[:1]


def test_a_role_names_its_task(api: Caller) -> None:
    by_role = api("POST", "/predict", json={"inputs": "profit is up", "task": "market_topic"}).get_json()
    assert len(by_role) == 4


def test_a_task_that_is_not_there_is_424(api: Caller) -> None:
    told = _problem(api("POST", "/predict", json={"inputs": "x", "task": "astrology"}), 424, "task_missing")
    assert "astrology" in told["detail"]


def test_raw_scores_are_refused_rather_than_faked(api: Caller) -> None:
    told = _problem(api("POST", "/predict", json={"inputs": "x", "raw_scores": True}), 422, "invalid_input")
    assert told["errors"][0]["pointer"] == "/raw_scores"


@pytest.mark.parametrize(
    ("inputs", "pointer"),
    [
        ("", "/inputs"),
        ("  \n", "/inputs"),
        ([], "/inputs"),
        (["fine", ""], "/inputs/1"),
        (["fine", 4], "/inputs/1"),
        ([[]], "/inputs/0"),
        (7, "/inputs"),
        ({"a": 1}, "/inputs"),
    ],
)
def test_inputs_that_cannot_be_read(api: Caller, inputs: Any, pointer: str) -> None:
    told = _problem(api("POST", "/predict", json={"inputs": inputs}), 422, "invalid_input")
    assert [fault["pointer"] for fault in told["errors"]] == [pointer]


@pytest.mark.parametrize(
    ("body", "kind", "status", "code"),
    [
        (b"", "application/json", 422, "empty_body"),
        (b"   ", "application/json", 422, "empty_body"),
        (b"{", "application/json", 422, "invalid_json"),
        (b'{"inputs": NaN}', "application/json", 422, "invalid_json"),
        (b'{"inputs": "caf\xe9"}', "application/json", 422, "not_utf8"),
        (bytes(range(256)), "application/json", 422, "not_utf8"),
        (b"[" * 100_000, "application/json", 422, "too_deep"),
        (b"inputs=x", "application/x-www-form-urlencoded", 415, "unsupported_media"),
        (b"<inputs/>", "application/xml", 415, "unsupported_media"),
        (gzip.compress(b'{"inputs": "x"}', mtime=0), "application/gzip", 415, "unsupported_media"),
        (b"[1]", "application/json", 422, "invalid_input"),
        (b'"text"', "application/json", 422, "invalid_input"),
        (b"null", "application/json", 422, "invalid_input"),
        (b"{}", "application/json", 422, "invalid_input"),
    ],
)
def test_bodies_that_cannot_be_read(api: Caller, body: bytes, kind: str, status: int, code: str) -> None:
    _problem(api("POST", "/predict", data=body, headers={"Content-Type": kind}), status, code)


def test_invalid_json_tells_the_place(api: Caller) -> None:
    told = _problem(
        api("POST", "/predict", data=b'{\n "inputs": oops}', headers={"Content-Type": "application/json"}),
        422,
        "invalid_json",
    )
    assert "line 2, column 12" in told["detail"]


def test_json_is_read_however_curl_names_it(api: Caller) -> None:
    body = b'{"inputs": "where is my order?"}'
    for kind in ("application/x-www-form-urlencoded", "application/json; charset=utf-8", "application/vnd.x+json"):
        assert api("POST", "/predict", data=body, headers={"Content-Type": kind}).status_code == 200


@pytest.mark.parametrize("text", ["\U0001f600", "\x00\x01\x02", "a" * 100_000, "\ud800 lone", "你好", "\u202e rtl"])
def test_odd_texts_are_answered(api: Caller, text: str) -> None:
    answer = api("POST", "/predict", data=json.dumps({"inputs": text}), headers={"Content-Type": "application/json"})
    assert answer.status_code in (200, 422), answer.get_data()


def test_a_megabyte_of_text_is_read_as_far_as_is_read(api: Caller) -> None:
    text = "where is my order? " * 55_000
    assert len(api("POST", "/predict", json={"inputs": text}).get_json()) == 4
    told = _problem(api("POST", "/predict", json={"inputs": text, "truncate": False}), 422, "invalid_input")
    assert told["errors"][0]["code"] == "text_too_long"


def test_too_many_texts_are_413(tmp_path: Path, artifacts: Path) -> None:
    small = make_site(tmp_path, models=artifacts, max_batch=3)
    answer = small.caller("predict")("POST", "/predict", json={"inputs": ["a"] * 4})
    assert "4 items" in _problem(answer, 413, "too_many_items")["detail"]
    small.app.extensions["bellwether"].close()


def test_rasa_s_shape(api: Caller) -> None:
    found = api("POST", "/model/parse", json={"text": "where is my order?"}).get_json()
    assert set(found) == {"text", "intent", "intent_ranking", "entities"}
    assert len(found["intent_ranking"]) == 4
    assert found["intent"] in (None, found["intent_ranking"][0])


def test_info_tells_what_answers(api: Caller) -> None:
    found = api("GET", "/info").get_json()
    assert (found["model_id"], found["dtype"], found["max_input_length"]) == ("tiny@1.0", "int8", 32)
    labels = found["model_type"]["classifier"]
    assert labels["label2id"][labels["id2label"]["0"]] == 0
    assert set(found["tasks"]) == set(tiny_tasks())


def test_without_a_model_it_is_503_with_the_folder(site: Site) -> None:
    told = _problem(site.caller("predict")("POST", "/predict", json={"inputs": "x"}), 503, "artifact_missing")
    assert "models" in told["detail"]


def test_a_damaged_model_is_503_with_the_file(tmp_path: Path, artifacts: Path) -> None:
    shutil.copytree(artifacts / "tiny-1.0", tmp_path / "models" / "tiny-1.0")
    with (tmp_path / "models" / "tiny-1.0" / "heads.safetensors").open("r+b") as file:
        file.seek(-1, 2)
        file.write(b"\xff")
    made = make_site(tmp_path)
    told = _problem(made.caller("predict")("POST", "/predict", json={"inputs": "x"}), 503, "artifact_damaged")
    assert "heads.safetensors" in told["detail"]
    ready = made.app.test_client().get("/health/ready")
    assert ready.status_code == 503
    assert ready.get_json(force=True)["model"] == "artifact_damaged"
    assert str(made.app.extensions["bellwether.settings"].models) not in ready.get_data(as_text=True)
    assert made.app.test_client().get("/health/live").status_code == 200
    made.app.extensions["bellwether"].close()


def test_ready_when_everything_answers(model_site: Site) -> None:
    found = model_site.app.test_client().get("/health/ready")
    assert (found.status_code, found.get_json()) == (200, {"status": "ok", "database": "ok", "model": "ok"})
