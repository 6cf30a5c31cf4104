"""The description is valid, complete, and its page needs nothing from elsewhere."""

from __future__ import annotations

import inspect
import re
from typing import Any

import pytest
from openapi_spec_validator import validate

from app.web import access
from app.web.api import openapi
from app.web.api.api_shapes import ProblemShape
from tests.app.site import Site


@pytest.fixture(scope="module")
def document(site: Site) -> dict[str, Any]:
    """The description as it is served."""
    found: dict[str, Any] = site.app.test_client().get("/openapi.json").get_json()
    return found


def _operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    verbs = {"get", "post", "patch", "put", "delete"}
    return [
        (path, verb, operation)
        for path, item in document["paths"].items()
        for verb, operation in item.items()
        if verb in verbs
    ]


def test_it_is_valid_openapi_3_1(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    validate(document)


def test_every_api_route_is_in_it(site: Site, document: dict[str, Any]) -> None:
    described = {(path, verb.upper()) for path, verb, _ in _operations(document)}
    served = {
        (re.sub(r"<(?:[^:<>]+:)?(\w+)>", r"{\1}", rule.rule), method)
        for rule in site.app.url_map.iter_rules()
        if rule.rule.startswith(("/api/", "/health")) or rule.rule in {"/predict", "/rerank", "/info", "/model/parse"}
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert served - described == set()


def test_every_operation_says_what_it_does_and_needs(site: Site, document: dict[str, Any]) -> None:
    for path, verb, operation in _operations(document):
        assert operation.get("summary"), f"{verb} {path} has no summary"
        assert operation["x-permission"], f"{verb} {path} names no permission"
        if operation["x-permission"] == access.PUBLIC:
            assert operation["security"] == []


def test_errors_are_problems(document: dict[str, Any]) -> None:
    for name, answer in document["components"]["responses"].items():
        assert list(answer["content"]) == ["application/problem+json"], name
    assert set(document["components"]["schemas"]["ProblemShape"]["properties"]) == set(ProblemShape().fields)


def test_every_operation_names_its_refusals(document: dict[str, Any]) -> None:
    for path, verb, operation in _operations(document):
        named = set(operation["responses"])
        if operation["x-permission"] != access.PUBLIC:
            assert {"401", "403"} <= named, f"{verb} {path}"
        if "{" in path:
            assert "404" in named, f"{verb} {path}"
        if "requestBody" in operation:
            assert {"413", "415", "422"} <= named, f"{verb} {path}"
        if operation.get("parameters"):
            assert named & {"404", "422", "412"}, f"{verb} {path}"
        assert "default" not in named, f"{verb} {path} promises nothing"


def test_who_heeds_if_match_says_so(site: Site, document: dict[str, Any]) -> None:
    heeding = {
        (re.sub(r"<(?:[^:<>]+:)?(\w+)>", r"{\1}", rule.rule), method.lower())
        for rule in site.app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.rule.startswith("/api/")
        and "expected_version()" in inspect.getsource(inspect.unwrap(site.app.view_functions[rule.endpoint]))
    }
    told = {(path, verb) for path, verb, operation in _operations(document) if "412" in operation["responses"]}
    assert len(heeding) > 5
    assert told == heeding
    for path, verb, operation in _operations(document):
        names = {one["name"] for one in operation.get("parameters", []) if one["in"] == "header"}
        assert ("If-Match" in names) == ((path, verb) in told)


def test_ids_are_strings_with_a_pattern(document: dict[str, Any]) -> None:
    parameters = document["paths"]["/api/v1/tickets/{ticket_id}"]["parameters"]
    schema = parameters[0]["schema"]
    assert re.fullmatch(schema["pattern"], "tkt_81")
    assert re.fullmatch(schema["pattern"], "81")
    assert not re.fullmatch(schema["pattern"], "alr_81")


def test_the_page_loads_only_from_here(site: Site) -> None:
    page = site.app.test_client().get("/docs").get_data(as_text=True)
    found = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert any("swagger-ui-bundle.js" in address for address in found)
    assert [address for address in found if address.startswith(("http", "//"))] == []
    assert not re.search(r"<script(?![^>]*\bsrc=)", page)
    assert not re.search(r"<[^>]+\sstyle=", page)


@pytest.mark.parametrize("name", sorted(openapi.ASSETS))
def test_the_page_s_files_are_there(site: Site, name: str) -> None:
    answer = site.app.test_client().get(f"/docs/assets/{name}")
    assert answer.status_code == 200
    assert len(answer.get_data()) > 500


@pytest.mark.parametrize("name", ["index.html", "../__init__.py", "..%2f__init__.py", "VERSION"])
def test_other_files_are_not(site: Site, name: str) -> None:
    assert site.app.test_client().get(f"/docs/assets/{name}").status_code == 404
