"""What is out of sight is answered as if it did not exist: nobody learns from an answer that others have a thing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from app.alerts.domain.alert import Alert
from app.alerts.store import alerts
from app.core import changes, clock
from app.core.permissions import SYSTEM
from app.core.views import keep_saved_views
from app.desk.flows import keep_queues
from app.desk.flows.keep_queues import QUEUE
from app.market.flows.keep_feeds import FEED
from app.model.store import predictions
from app.people.flows.keep_teams import TEAM
from tests.app.page_house import House, make_house
from tests.app.site import Caller

MISSING = 987_654


@dataclass(frozen=True)
class Divided:
    """A house of which an agent and an analyst see nothing: all of it is another team's."""

    house: House
    things: dict[str, int]


@pytest.fixture(scope="module")
def divided(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Divided]:
    house = make_house(tmp_path_factory.mktemp("divided"))
    services, site = house.site.services, house.site
    team = changes.add(services.db, TEAM, {"name": "Others"}, viewer=SYSTEM).row
    for queue in house.queues.values():
        changes.change(services.db, QUEUE, queue, {"team_id": team.id}, viewer=SYSTEM)
    keep_queues.add_queue(services, viewer=SYSTEM, slug="open", title="Open", intent_task="banking_intent")
    changes.change(services.db, FEED, house.feed, {"team_id": team.id}, viewer=SYSTEM)
    changes.add(services.db, FEED, {"slug": "gazette", "name": "Gazette", "kind": "push"}, viewer=SYSTEM)
    now = clock.now_ms()
    with services.db.transaction() as tx:
        firing = Alert(
            id=0, rule_id=house.rule, subject_kind="feed", subject_id=str(house.feed), state="firing",
            severity="warning", since_at=now, started_at=now, firing_at=now, model="m@1",
        )  # fmt: skip
        alert = alerts.put(tx, firing, is_step=True).id
    admin = site.caller("admin")
    job = admin("POST", "/api/v1/tickets/bulk", json={"action": "set_status", "params": {"status": "open"}}).json
    board = admin("POST", "/api/v1/dashboards", json={"name": "Mine", "subjects": ["market"]}).json["id"]
    view = keep_saved_views.add(services, viewer=house.viewer("admin"), name="Mine too", query="status=open").row
    token = admin("POST", "/api/v1/tokens", json={"name": "spare", "scopes": ["predict"]}).json["id"]
    post = admin("GET", "/api/v1/posts?feed=wire").json["data"][0]["id"]
    message = admin("GET", f"/api/v1/tickets/{house.stolen}").json["messages"][0]
    stored = predictions.of_messages(services.db, [int(message["id"][4:])])[0]
    customer = admin("GET", f"/api/v1/tickets/{house.stolen}").json["customer"]["id"]
    numbered = {"job": job["job"]["id"], "board": board, "token": token, "post": post, "customer": customer}
    things = {name: int(public.partition("_")[2]) for name, public in numbered.items()}
    things |= {"ticket": house.stolen, "feed": house.feed, "alert": alert, "view": view.id, "prediction": stored.id}
    yield Divided(house, things)
    site.app.extensions["bellwether"].close()


def _told(answer: Any) -> tuple[int, str]:
    """An answer without the numbers and names that differ from request to request."""
    text = answer.get_data(as_text=True)
    return answer.status_code, re.sub(r"req_\w+|\d+|nonce-\w+|value=\"[^\"]+\"|content=\"[^\"]+\"", "#", text)


ROUTES = [
    ("agent", "GET", "/api/v1/tickets/{ticket}", None),
    ("agent", "PATCH", "/api/v1/tickets/{ticket}", {"priority": "low"}),
    ("agent", "POST", "/api/v1/tickets/{ticket}/messages", {"body": "Hello"}),
    ("agent", "POST", "/api/v1/tickets/{ticket}/corrections", {"task": "banking_intent", "label": "x"}),
    ("agent", "POST", "/api/v1/tickets/{ticket}/answers/rejected", {}),
    ("agent", "GET", "/api/v1/tickets/{ticket}/answers", None),
    ("agent", "POST", "/api/v1/teaching/{prediction}", {"label": "lost_or_stolen_card"}),
    ("agent", "GET", "/api/v1/jobs/{job}", None),
    ("agent", "POST", "/api/v1/jobs/{job}/undo", None),
    ("agent", "DELETE", "/api/v1/tokens/{token}", None),
    ("analyst", "GET", "/api/v1/posts/{post}", None),
    ("analyst", "PATCH", "/api/v1/feeds/{feed}", {"name": "Mine"}),
    ("analyst", "GET", "/api/v1/alerts/{alert}", None),
    ("analyst", "POST", "/api/v1/alerts/{alert}/acknowledge", {"note": ""}),
    ("analyst", "POST", "/api/v1/alerts/{alert}/remark", {"remark": "useful"}),
    ("analyst", "POST", "/api/v1/feedback", {"post": "{post}", "kind": "read"}),
    ("analyst", "GET", "/api/v1/dashboards/{board}", None),
    ("analyst", "PATCH", "/api/v1/dashboards/{board}", {"name": "Theirs"}),
    ("analyst", "DELETE", "/api/v1/dashboards/{board}", None),
]
PAGES = [
    ("agent", "GET", "/tickets/{ticket}"),
    ("agent", "GET", "/customers/{customer}"),
    ("agent", "POST", "/tickets/{ticket}/reply"),
    ("agent", "POST", "/tickets/{ticket}/assign"),
    ("agent", "POST", "/predictions/{prediction}/correct"),
    ("agent", "POST", "/teach/{prediction}"),
    ("agent", "GET", "/tickets/bulk/{job}"),
    ("analyst", "GET", "/market/posts/{post}"),
    ("analyst", "GET", "/feeds/{feed}"),
    ("analyst", "GET", "/alerts/{alert}"),
]


@pytest.mark.parametrize(("role", "method", "path", "sent"), ROUTES)
def test_the_api_answers_alike(divided: Divided, role: Any, method: str, path: str, sent: Any) -> None:
    api = divided.house.site.caller("admin", role=role)
    answers = []
    for numbers in (divided.things, dict.fromkeys(divided.things, MISSING)):
        named = None if sent is None else {key: value.format(**numbers) for key, value in sent.items()}
        answers.append(_told(api(method, path.format(**numbers), json=named)))
    assert answers[0] == answers[1]
    assert answers[0][0] == 404


@pytest.mark.parametrize(("role", "method", "path"), PAGES)
def test_pages_answer_alike(divided: Divided, role: Any, method: str, path: str) -> None:
    client = divided.house.reader(role)
    token = re.search(r'csrf-token" content="([^"]+)"', client.get("/account").get_data(as_text=True))
    assert token is not None
    fields = {"csrf_token": token[1], "body": "Hello", "action": "reply", "label": "lost_or_stolen_card"}
    answers = []
    for numbers in (divided.things, dict.fromkeys(divided.things, MISSING)):
        address = path.format(**numbers)
        answers.append(_told(client.get(address) if method == "GET" else client.post(address, data=fields)))
    assert answers[0] == answers[1]
    assert answers[0][0] == 404


def test_the_list_of_jobs_is_one_s_own(divided: Divided) -> None:
    for role in ("agent", "analyst"):
        found = divided.house.site.caller("admin", role=role)("GET", "/api/v1/jobs").json
        assert (found["data"], found["meta"]["total"]) == ([], 0)


def _filed(api: Caller, **fields: Any) -> dict[str, Any]:
    answer = api("POST", "/api/v1/tickets", json={"body": "Where is my card?", "queue": "open", **fields})
    return {"answered": answer.status_code, **answer.json}


@pytest.mark.parametrize("scope", ["admin", "messages:write"])
def test_an_external_id_of_others_is_as_if_it_had_never_been_used(divided: Divided, scope: str) -> None:
    admin = divided.house.site.caller("admin")
    taken = admin("POST", "/api/v1/tickets", json={"body": "Theirs", "queue": "cards", "external_id": f"n-{scope}"})
    agent = divided.house.site.caller(scope, role="agent")
    theirs, fresh = _filed(agent, external_id=f"n-{scope}"), _filed(agent, external_id=f"fresh-{scope}")
    differing = {key for key in fresh if theirs[key] != fresh[key]}
    assert differing <= {"id", "external_id", "customer", *(key for key in fresh if key.endswith("_at"))}
    assert theirs["id"] != taken.json["id"]
    # The same id again is an update, for each of what they filed.
    again = _filed(agent, external_id=f"n-{scope}", body="Where is my new card?")
    assert (again["answered"], again["id"]) == (200, theirs["id"])
    admin("POST", "/api/v1/tickets", json={"body": "Theirs, changed", "queue": "cards", "external_id": f"n-{scope}"})
    assert "changed" in admin("GET", f"/api/v1/tickets/{taken.json['id']}").json["messages"][0]["body"]
    assert "changed" not in admin("GET", f"/api/v1/tickets/{theirs['id']}").json["messages"][0]["body"]
