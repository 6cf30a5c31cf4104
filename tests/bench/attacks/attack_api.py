"""Attacks on the API through its own description: operations that name no refusal, bodies that are no use, lookups.

Everything runs against the WSGI application with the tiny artifact in a temporary folder; no network is used.
"""

from __future__ import annotations

import csv
import io
import json
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from app.core import changes
from app.core.db import open_database
from app.core.permissions import SYSTEM
from app.desk.flows import keep_queues
from app.people.flows.keep_teams import TEAM
from app.web.api import openapi
from tests.app.site import Caller, Site, csrf, make_site
from tests.app.web import conformity
from tests.tiny_artifact import tiny_artifact

Row = tuple[str, str, str]

N_DRAWN = 5
VERBS = ("post", "patch")
HOSTILE: tuple[Any, ...] = (
    None, [], {}, 0, "x", True, [[]], [None], {"note": 5}, {"note": None}, {"note": "x" * 1001}, {"": None},
    {"items": 0}, {"items": [None]}, {"body": 0}, {"body": None}, {"name": {"a": []}}, {"inputs": [[["a"]]]},
    {"filter": [], "action": "assign"}, {"params": {"assignee": []}}, {"at": 10**30}, {"text": "\x00\ud800"},
)  # fmt: skip
FORMULAS = ("=1+1", "＝1+1", "＋1", "－1", "＠a", "\t=1", " ＝1", "\u200b=1")


def rows() -> list[Row]:
    """Each attack with what was expected and what was measured."""
    with tempfile.TemporaryDirectory() as folder, _site(Path(folder)) as site:
        return [*_described(site), *_bodies(site), *_surveyed(site), _external_id(site), _cells(site), _reply(site)]


@contextmanager
def _site(folder: Path) -> Iterator[Site]:
    tiny_artifact(folder / "models" / "tiny-1.0", work=folder / "encoder")
    site = make_site(folder, models=folder / "models", intent_task="banking_intent")
    site.person("admin")
    site.services.policy = replace(site.services.policy, deadline_ms=60_000)
    site.services.engine.model()
    try:
        yield site
    finally:
        site.app.extensions["bellwether"].close()


def _operations(site: Site) -> list[tuple[str, str, dict[str, Any]]]:
    document = openapi.document(site.app)
    found = ((path, verb, one) for path, item in document["paths"].items() for verb, one in item.items())
    return [(path, verb, one) for path, verb, one in found if isinstance(one, dict) and "responses" in one]


def _described(site: Site) -> list[Row]:
    guarded = [one for _, _, one in _operations(site) if one["x-permission"] != "public" or one.get("parameters")]
    bare = [one for one in guarded if not any(code.startswith("4") for code in one["responses"])]
    return [("operations that name no 4xx", "0", f"{len(bare)} of {len(guarded)}")]


def _bodies(site: Site) -> list[Row]:
    api, told = site.caller("admin"), Counter[str]()
    for path, verb, operation in _operations(site):
        if verb in VERBS and "requestBody" in operation:
            for body in HOSTILE:
                told[_outcome(api, verb, path, body)] += 1
    return [("hostile bodies answered 5xx", "0", f"{told['fault']} of {told.total()}")]


def _outcome(api: Caller, verb: str, path: str, body: Any) -> str:
    address = path.replace("{task}", "banking_intent").replace("{intent}", "x")
    while "{" in address:
        address = address.replace(address[address.index("{") : address.index("}") + 1], "1", 1)
    query = "?feed=wire" if path == "/api/v1/posts" else ""
    answer = api(verb.upper(), address + query, data=json.dumps(body), headers={"Content-Type": "application/json"})
    is_missing_encoder = b"artifact_missing" in answer.data
    return "fault" if answer.status_code >= 500 and not is_missing_encoder else "answered"


def _surveyed(site: Site) -> list[Row]:
    found = Counter(one.check for one in conformity.survey(site, n_examples=N_DRAWN, things=conformity.furnish(site)))
    names = {
        "positive_data_acceptance": "operations that refuse what the document allows",
        "negative_data_rejection": "operations that accept what the document forbids",
        "response_schema_conformance": "operations whose answers differ from their shape",
        "status_code_conformance": "operations with statuses that the document lacks",
        "not_a_server_error": "operations that fail on drawn requests",
    }
    return [(name, "0", str(found[check])) for check, name in names.items()]


def _external_id(site: Site) -> Row:
    team = changes.add(site.services.db, TEAM, {"name": "Others"}, viewer=SYSTEM).row
    keep_queues.add_queue(
        site.services, viewer=SYSTEM, slug="theirs", title="T", intent_task="banking_intent", team_id=team.id
    )
    site.caller("admin")("POST", "/api/v1/tickets", json={"body": "a", "queue": "theirs", "external_id": "t-1"})
    agent = site.caller("messages:write", role="agent")
    said = [
        agent("POST", "/api/v1/tickets", json={"body": "b", "queue": "inbox", "external_id": number}).status_code
        for number in ("t-1", "never-used")
    ]
    return "external_id of another team's ticket, one never used", "201, 201", ", ".join(map(str, said))


def _cells(site: Site) -> Row:
    admin = site.caller("admin")
    for number, text in enumerate(FORMULAS):
        sent = {"body": "a formula", "external_id": f"{text} {number}"}
        admin("POST", "/api/v1/tickets", json=sent)
    table = admin("GET", "/api/v1/tickets/export.csv?status=any").get_data(as_text=True)
    cells = [row["external_id"] for row in csv.DictReader(io.StringIO(table))]
    bare = [cell for cell in cells if cell.lstrip("\u200b \t")[:1] in "=+-@＝＋－＠" and cell.strip()]
    return "cells of an export that a spreadsheet calculates", "0", f"{len(bare)} of {len(cells)}"


def _reply(site: Site) -> Row:
    client, path = site.signed_in("admin"), site.services.db.path
    token = csrf(client, "/account")
    site.services.db = open_database(path, timeout_ms=100)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    sent = {"csrf_token": token, "body": "We blocked your card.", "action": "reply"}
    try:
        answer = client.post("/tickets/1/reply", data=sent, headers={"Accept": "text/html"})
    finally:
        other.execute("ROLLBACK")
        other.close()
    is_there = "We blocked your card." in answer.get_data(as_text=True)
    measured = f"{answer.status_code}, {'given back' if is_there else 'lost'}"
    return "a reply while another program writes", "503, given back", measured
