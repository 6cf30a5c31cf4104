"""A key, its work and its answer are one: whenever the process ends, the request that is sent again is done once."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.core import changes
from app.core.permissions import SYSTEM
from app.core.services import Services
from app.desk.flows import file_ticket, keep_queues
from app.market.flows.keep_feeds import FEED
from tests.app.site import Caller, Site, make_site
from tests.process import ROOT

KEYED = {"Idempotency-Key": "crash-1"}
TICKET = {"subject": "Where?", "body": "where is my order?", "queue": "intake"}
LINES = {"Content-Type": "application/x-ndjson"}

# Ends without a word where it is told, as a killed process does.
CRASHING = """
import os, sys
from pathlib import Path
from app.core.storage import idempotency_keys as idempotency
from app.core.storage.unit_of_work import UnitOfWork
from tests.app.site import make_site

folder, token, point, path, kind, body = sys.argv[1:]

def crash(*args, **kwargs):
    os._exit(9)

if point == "before":
    idempotency.keep = crash
else:
    UnitOfWork.run_follow_ups = crash
make_site(Path(folder)).app.test_client().post(
    path, data=body, content_type=kind, headers={"Authorization": token, "Idempotency-Key": "crash-1"}
)
"""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A site without a model, with a queue and a feed."""
    made = make_site(tmp_path)
    keep_queues.add_queue(made.services, viewer=SYSTEM, slug="intake", title="Intake")
    changes.add(made.services.db, FEED, {"slug": "wire", "name": "Wire", "kind": "push"}, viewer=SYSTEM)
    yield made
    made.app.extensions["bellwether"].close()


def _crashed(folder: Path, api: Caller, *, point: str, path: str, body: str, kind: str = "application/json") -> None:
    """Send a request to a process that ends before or after its commit, and never answers."""
    sent = (str(folder), api.headers["Authorization"], point, path, kind, body)
    run = subprocess.run([sys.executable, "-c", CRASHING, *sent], cwd=ROOT, check=False, timeout=120)
    assert run.returncode == 9


def _n(site: Site, table: str) -> int:
    return len(site.services.db.rows({"ticket": "SELECT 1 FROM ticket", "post": "SELECT 1 FROM post"}[table]))


@pytest.mark.parametrize(("point", "n_left"), [("before", 0), ("after", 1)])
def test_a_ticket_whose_process_was_killed_is_filed_once(
    site: Site, tmp_path: Path, *, point: str, n_left: int
) -> None:
    api = site.caller("admin")
    _crashed(tmp_path, api, point=point, path="/api/v1/tickets", body=json.dumps(TICKET))
    assert _n(site, "ticket") == n_left
    answer = api("POST", "/api/v1/tickets", data=json.dumps(TICKET), headers=KEYED, content_type="application/json")
    assert (answer.status_code, answer.get_json()["subject"]) == (201, "Where?")
    assert ("Idempotency-Replayed" in answer.headers) == (n_left == 1)
    assert _n(site, "ticket") == 1


def test_posts_whose_process_was_killed_are_stored_once(site: Site, tmp_path: Path) -> None:
    api = site.caller("admin")
    body = "\n".join(json.dumps({"title": f"Mill {number} opens"}) for number in range(70))
    sent = {"path": "/api/v1/posts?feed=wire", "body": body, "kind": LINES["Content-Type"]}
    _crashed(tmp_path, api, point="before", **sent)
    assert _n(site, "post") == 70
    answer = api("POST", sent["path"], data=body, headers={**KEYED, **LINES})
    assert Counter(json.loads(line)["status"] for line in answer.get_data().splitlines()) == {"unchanged": 70}
    assert _n(site, "post") == 70


def test_a_request_that_another_process_answered_meanwhile_is_answered_alike(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other, api = make_site(tmp_path), site.caller("admin")
    first: list[Any] = []
    receive = file_ticket.receive

    def overtaken(services: Services, *args: Any, **kwargs: Any) -> Any:
        if not first:
            first.append(None)
            caller = Caller(other.app.test_client(), api.headers)
            first[0] = caller("POST", "/api/v1/tickets", json=TICKET, headers=KEYED)
        return receive(services, *args, **kwargs)

    monkeypatch.setattr(file_ticket, "receive", overtaken)
    answer = api("POST", "/api/v1/tickets", json=TICKET, headers=KEYED)
    assert (answer.status_code, answer.get_data()) == (201, first[0].get_data())
    assert answer.headers["Idempotency-Replayed"] == "true"
    assert _n(site, "ticket") == 1
    other.app.extensions["bellwether"].close()


def test_a_request_that_is_being_answered_is_not_begun_again(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    api, again = site.caller("admin"), []
    receive = file_ticket.receive

    def impatient(services: Services, *args: Any, **kwargs: Any) -> Any:
        again.append(api("POST", "/api/v1/tickets", json=TICKET, headers=KEYED))
        return receive(services, *args, **kwargs)

    monkeypatch.setattr(file_ticket, "receive", impatient)
    assert api("POST", "/api/v1/tickets", json=TICKET, headers=KEYED).status_code == 201
    assert (again[0].status_code, again[0].get_json(force=True)["type"]) == (409, "/problems/idempotency_in_progress")
    assert _n(site, "ticket") == 1


def test_the_model_reads_a_message_with_a_key_after_it_is_kept(model_site: Site) -> None:
    services = model_site.services
    slug = "keyed"
    keep_queues.add_queue(services, viewer=SYSTEM, slug=slug, title="Keyed", intent_task="banking_intent")
    api = model_site.caller("admin")
    sent = {**TICKET, "queue": slug, "message_id": "keyed-1@example.com"}
    ticket = api("POST", "/api/v1/tickets", json=sent).get_json()["id"]
    reply = {"body": "my card was stolen", "in_reply_to": "keyed-1@example.com"}
    answer = api("POST", "/api/v1/tickets", json=reply, headers={"Idempotency-Key": "keyed-2"})
    assert (answer.status_code, answer.get_json()["id"]) == (201, ticket)
    said = [message["predictions"] for message in api("GET", f"/api/v1/tickets/{ticket}").get_json()["messages"]]
    assert len(said) == 2
    assert all(said)
