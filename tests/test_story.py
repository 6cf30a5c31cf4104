"""From text in to shown, over HTTP, with the shipped model: the whole of Bellwether in one process of its own."""

from __future__ import annotations

import json
import re
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any

import pytest

from tests.process import Running, flask, prepare, running

CARD = "4111 1111 1111 1111"
STOLEN = f"Someone has stolen my card!! Block it NOW. The number is {CARD}, I am furious."
BAD_NEWS = (
    "Larkspur Home shares plunge after profit warning",
    "Larkspur Home slumps as regulator opens fraud inquiry",
    "Larkspur Home cuts 900 jobs after heavy losses",
    "Analysts downgrade Larkspur Home on collapsing sales",
    "Larkspur Home misses earnings badly, stock tumbles",
    "Larkspur Home sued over faulty heaters",
    "Larkspur Home defaults on loan payment",
    "Larkspur Home recalls heaters after fires, shares fall",
    "Larkspur Home loses biggest contract, outlook cut to negative",
    "Larkspur Home warns of bankruptcy as losses widen",
)


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new installation's folder."""
    return tmp_path_factory.mktemp("story")


@pytest.fixture(scope="module")
def app(instance: Path) -> Iterator[Running]:
    """Bellwether, running, with an admin's token; rules are evaluated every half second."""
    token = prepare(instance)
    with running(instance, token=token, BELLWETHER_TICK_SECONDS="0.5") as started:
        started.wait_until_answered("/health/ready")
        yield started


class Browser:
    """A person's session: cookies kept, redirects followed."""

    def __init__(self, app: Running, *, link: str) -> None:
        self._app = app
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
        found = re.search(r"/sign-in/\S+", link)
        assert found is not None, link
        landing = self.get(found[0])
        if "<form" in landing and found[0] in landing:
            self.post(found[0], form={}, page=landing)

    def get(self, path: str) -> str:
        """A page's HTML."""
        with self._opener.open(self._app.url + path, timeout=30) as answer:
            return str(answer.read().decode())

    def post(self, path: str, *, form: dict[str, str], page: str) -> str:
        """Send a form with the page's CSRF token."""
        token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
        assert token is not None, "the page has no CSRF token"
        body = urllib.parse.urlencode({**form, "csrf_token": token[1]}).encode()
        with self._opener.open(self._app.url + path, data=body, timeout=30) as answer:
            return str(answer.read().decode())


@pytest.fixture(scope="module")
def admin(app: Running, instance: Path) -> Browser:
    """The admin, signed in by a one-time link."""
    return Browser(app, link=flask("user", "link", "admin@example.com", instance=instance))


def _ticket(app: Running, **fields: Any) -> Any:
    status, told = app.call("/api/v1/tickets", body={"subject": "", "customer": {"name": "Kim Ode"}, **fields})
    assert status == 201, told
    return told


def test_no_torch_in_the_server(app: Running) -> None:
    app.call("/predict", body={"inputs": "I want to track my order"})
    assert app.forbidden_files() == []


def test_predict_speaks_hugging_face(app: Running) -> None:
    _, one = app.call("/predict", body={"inputs": "I want to track my order"})
    _, two = app.call("/predict", body={"inputs": ["I want to track my order", "cancel my order please"]})
    assert one[0]["label"] == "track_order"
    assert [ranking[0]["label"] for ranking in two] == ["track_order", "cancel_order"]
    assert sum(entry["score"] for entry in one) == pytest.approx(1, abs=0.02)


def test_analyze_tells_feelings_towards_each_target(app: Running) -> None:
    text = "Larkspur surges to a record high while Tamarind Foods plunges on heavy losses"
    items = [{"id": "a", "text": text, "targets": ["Larkspur", "Tamarind Foods"]}]
    status, told = app.call("/api/v1/analyze", body={"items": items, "heads": ["market_sentiment"]})
    assert status == 200, told
    labels = re.findall(r'"label": "(negative|positive)"', json.dumps(told["items"][0]["targets"]))
    assert labels[0] == "positive"
    assert "negative" in labels


def test_a_stolen_card_is_redacted_understood_and_shown(app: Running, admin: Browser) -> None:
    made = _ticket(app, subject="Help", body=STOLEN)
    _, told = app.call(f"/api/v1/tickets/{made['id']}")
    assert CARD not in json.dumps(told)
    assert told["messages"][0]["n_redactions"] == 1
    assert told["sentiment"]["label"] == "negative"
    assert told["urgency"]["points"] == sum(part["points"] for part in told["urgency"]["parts"])
    inbox = admin.get("/tickets")
    page = admin.get(f"/tickets/{made['id'].removeprefix('tkt_')}")
    assert "Help" in inbox
    assert "[card]" in page
    assert CARD not in page


def test_a_correction_becomes_an_example(app: Running, instance: Path) -> None:
    made = _ticket(app, body="please tell me how the weather is in Cork, thanks")
    body = {"task": "commerce_intent", "label": "out_of_scope"}
    status, told = app.call(f"/api/v1/tickets/{made['id']}/corrections", body=body)
    assert status == 201, told
    _, ticket = app.call(f"/api/v1/tickets/{made['id']}")
    assert ticket["intent"]["label"] == "out_of_scope"
    assert ticket["intent"]["source"] == "agent"
    assert "weather is in Cork" in flask("examples", "export", instance=instance)


def test_a_foreign_language_is_left_to_a_person(app: Running) -> None:
    body = (
        "Guten Tag, meine Bestellung ist seit zwei Wochen nicht angekommen und niemand antwortet auf meine Nachrichten."
    )
    _, told = app.call(f"/api/v1/tickets/{_ticket(app, body=body)['id']}")
    assert told["language"] == "de"
    assert told["needs_person"] is True
    assert told["intent"]["label"] is None


def test_bad_news_fires_an_alert_and_good_news_does_not(app: Running, admin: Browser) -> None:
    for ticker, name in (("LKSP", "Larkspur Home"), ("TMRD", "Tamarind Foods")):
        app.call("/api/v1/entities", body={"ticker": ticker, "name": name, "aliases": [name.split()[0]]})
    _, feed = app.call("/api/v1/feeds", body={"slug": "wire", "name": "Wire"})
    posts = [{"external_id": f"b{n}", "title": title} for n, title in enumerate(BAD_NEWS)]
    posts += [
        {"external_id": f"g{n}", "title": title.replace("Larkspur Home", "Tamarind Foods")}
        for n, title in enumerate(("Larkspur Home lifts dividend", "Larkspur Home profit beats forecasts"))
    ]
    status, told = app.call(f"/api/v1/posts?feed={feed['slug']}", body=posts)
    assert status == 200, told
    deadline = time.monotonic() + 15
    firing: list[Any] = []
    while not firing and time.monotonic() < deadline:
        _, page = app.call("/api/v1/alerts?state=firing")
        firing = page["data"]
        time.sleep(0.25)
    assert len(firing) == 1, firing
    market = admin.get("/market")
    assert "Larkspur Home" in market


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"subject": "x", "body": ""}, 422),
        ({"subject": "x", "body": "x" * 3_000_000}, 413),
        ({"subject": "x", "body": "hello", "queue": "no-such-queue"}, 422),
        ([1, 2], 422),
    ],
)
def test_bad_tickets_get_a_sentence(app: Running, body: Any, status: int) -> None:
    given, told = app.call("/api/v1/tickets", body=body)
    assert given == status
    assert told["status"] == status
    assert len(told["detail"]) > 20
