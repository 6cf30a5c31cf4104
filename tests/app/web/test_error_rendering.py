"""What went wrong, told in the reader's form and language."""

from __future__ import annotations

import ast
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.core import errors as family
from app.core.db import open_database
from app.core.errors import BellwetherError, FieldError, InputError, Overloaded
from app.web import problem_sentences
from tests.app.site import Site, make_site
from tests.architecture import sources

ERRORS = {
    name for name, found in vars(family).items() if isinstance(found, type) and issubclass(found, BellwetherError)
}
# Calls whose string names a code: the position of the code among the arguments.
BY_POSITION = {**dict.fromkeys(ERRORS, 0), "Fault": 0, "field_error": 1}
# Calls that name a code by keyword.
BY_KEYWORD = {"FieldError": "code", "RowFault": "code", "fault": "code", "PostResult": "error"}


def _codes() -> Iterator[tuple[str, str]]:
    for source in sources("app"):
        for node in ast.walk(source.tree):
            if isinstance(node, ast.Call):
                code = _code(node)
                if code is not None:
                    yield code, f"{source.where}:{node.lineno}"


def _code(call: ast.Call) -> str | None:
    name = call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")
    place = BY_POSITION.get(name)
    if place is not None and len(call.args) > place:
        return _text(call.args[place])
    if name in BY_KEYWORD:
        return next((_text(entry.value) for entry in call.keywords if entry.arg == BY_KEYWORD[name]), None)
    return None


def _text(node: ast.AST) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def test_every_code_that_is_raised_has_a_sentence() -> None:
    found = list(_codes())
    assert len(found) > 40
    assert sorted({f"{code} ({where})" for code, where in found if code not in problem_sentences.TABLE}) == []


def test_every_class_of_the_family_has_a_sentence() -> None:
    codes = {getattr(family, name).code for name in ERRORS}
    assert codes - set(problem_sentences.TABLE) == set()


def test_a_sentence_names_its_parameters(site: Site) -> None:
    with site.app.app_context():
        title, detail = problem_sentences.sentence("stale", {"noun": "ticket", "id": 4, "version": 7})
    assert "ticket 4" in detail
    assert "version 7" in detail
    assert title


def test_a_missing_parameter_leaves_a_gap_and_no_crash(site: Site) -> None:
    with site.app.app_context():
        assert problem_sentences.sentence("not_found", {})[1]


def test_long_values_are_shortened(site: Site) -> None:
    with site.app.app_context():
        assert len(problem_sentences.sentence("bad_time", {"value": "x" * 10_000})[1]) < 500


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/api/v1/nothing", 404, "no_such_page"),
        ("DELETE", "/api/v1/tickets", 405, "method_not_allowed"),
        ("GET", "/api/v1/tickets/tkt_999999", 404, "not_found"),
        ("GET", "/api/v1/tickets/alr_1", 404, "no_such_page"),
        ("GET", "/api/v1/tickets?limit=0", 422, "invalid_input"),
        ("GET", "/api/v1/tickets?after=%00", 422, "bad_cursor"),
        ("GET", "/predict", 405, "method_not_allowed"),
    ],
)
def test_a_program_gets_a_problem(site: Site, method: str, path: str, status: int, code: str) -> None:
    answer = site.caller("admin")(method, path, headers={"X-Request-Id": "abc-1"})
    assert answer.status_code == status
    assert answer.content_type == "application/problem+json"
    told = answer.get_json(force=True)
    assert told["type"] == f"/problems/{code}"
    assert told["status"] == status
    assert told["instance"] == path.partition("?")[0]
    assert told["request_id"] == answer.headers["X-Request-Id"] == "abc-1"
    assert told["title"]
    assert told["detail"].endswith((".", "!"))
    assert site.app.test_client().get(told["type"]).get_json()["code"] == code


def test_405_names_what_is_allowed(site: Site) -> None:
    answer = site.caller("admin")("DELETE", "/api/v1/tickets")
    assert {"GET", "POST"} <= set(answer.headers["Allow"].split(", "))


def test_a_person_gets_a_page(site: Site) -> None:
    answer = site.app.test_client().get("/nothing", headers={"Accept": "text/html"})
    assert answer.status_code == 404
    assert answer.content_type.startswith("text/html")
    assert "There is nothing at /nothing." in answer.get_data(as_text=True)


def test_a_client_that_asks_for_json_gets_a_problem_anywhere(site: Site) -> None:
    answer = site.app.test_client().get("/nothing", headers={"Accept": "application/json"})
    assert answer.content_type == "application/problem+json"


def test_the_reader_s_language(site: Site) -> None:
    answer = site.app.test_client().get("/api/v1/nothing", headers={"Accept-Language": "zh"})
    english = site.app.test_client().get("/api/v1/nothing", headers={"Accept-Language": "de, en;q=0.5"})
    assert "There is nothing" in english.get_json(force=True)["detail"]
    assert answer.get_json(force=True)["detail"] != english.get_json(force=True)["detail"]


@pytest.fixture
def broken(tmp_path: Path) -> Site:
    """A site with routes that fail in several ways."""
    made = make_site(tmp_path)

    def fail(error: Exception) -> Callable[[], str]:
        def view() -> str:
            raise error

        return view

    from app.web.access import public

    faults = (FieldError(pointer="/items/3/text", code="empty"), FieldError(pointer="", code="unknown", params=()))
    for name, error in {
        "crash": RuntimeError("the secret is 42"),
        "busy": Overloaded(retry_after=7),
        "fields": InputError(fields=faults),
    }.items():
        made.app.add_url_rule(f"/api/{name}", name, public(fail(error)))
        made.app.add_url_rule(f"/page/{name}", f"page-{name}", public(fail(error)))
    return made


def test_a_crash_tells_nothing_of_the_inside(broken: Site) -> None:
    answer = broken.app.test_client().get("/api/crash")
    assert answer.status_code == 500
    told = answer.get_json(force=True)
    assert told["request_id"] in told["detail"]
    assert "the secret" not in answer.get_data(as_text=True)
    page = broken.app.test_client().get("/page/crash")
    assert page.status_code == 500
    assert "the secret" not in page.get_data(as_text=True)


def test_busy_says_when_to_come_back(broken: Site) -> None:
    answer = broken.app.test_client().get("/api/busy")
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "7")


def test_fields_carry_pointers(broken: Site) -> None:
    told = broken.app.test_client().get("/api/fields").get_json(force=True)
    assert told["errors"][0] == {"pointer": "/items/3/text", "code": "empty", "detail": "This must not be empty."}
    assert told["errors"][1]["detail"]


def test_the_sentence_arrives_when_the_error_page_itself_breaks(broken: Site) -> None:
    broken.app.jinja_env.globals.pop("page_locale")
    answer = broken.app.test_client().get("/page/busy")
    assert answer.status_code == 429
    assert "more work than it can queue" in answer.get_data(as_text=True)


def test_a_locked_database_is_a_503_that_can_be_tried_again(tmp_path: Path) -> None:
    made = make_site(tmp_path)
    made.services.db = open_database(tmp_path / "instance" / "bellwether.sqlite", timeout_ms=100)
    api = made.caller("admin")
    sent = {"until": "2999-01-01T00:00:00Z", "comment": "night"}
    other = sqlite3.connect(tmp_path / "instance" / "bellwether.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        answer = api("POST", "/api/v1/silences", json=sent)
        assert (answer.status_code, answer.get_json(force=True)["type"]) == (503, "/problems/database_busy")
        assert int(answer.headers["Retry-After"]) > 0
        assert api("GET", "/api/v1/silences").status_code == 200
    finally:
        other.execute("ROLLBACK")
        other.close()
    assert api("POST", "/api/v1/silences", json=sent).status_code == 201
    made.app.extensions["bellwether"].close()


def test_a_database_that_is_no_database_is_a_503(tmp_path: Path) -> None:
    (tmp_path / "instance").mkdir()
    (tmp_path / "instance" / "bellwether.sqlite").write_bytes(b"this is not a database" * 100)
    client = make_site(tmp_path).app.test_client()
    answer = client.get("/health/ready")
    assert answer.status_code == 503
    assert answer.get_json(force=True)["database"] == "database_unusable"
    page = client.get("/sign-in")
    assert page.status_code == 503
    assert page.content_type.startswith("text/html")


def test_two_first_requests_open_one_database(tmp_path: Path) -> None:
    made, answers = make_site(tmp_path), []

    def ask() -> None:
        answers.append(made.app.test_client().get("/health/ready").get_json(force=True)["database"])

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == ["ok"] * 6
    made.app.extensions["bellwether"].close()
