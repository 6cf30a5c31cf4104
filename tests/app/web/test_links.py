"""Every link that a page of the house offers leads somewhere: walked from the first page on, as each role."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from bs4 import BeautifulSoup
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.exceptions import MethodNotAllowed, NotFound
from werkzeug.routing import RequestRedirect

from app.answers.domain import MacroAction
from app.answers.flows import keep_articles
from app.answers.flows.keep_macros import MACRO
from app.core import changes
from app.core.jobs import job_queue
from app.core.permissions import UserRole
from app.desk.domain.routing_rule import Condition, RoutingAction
from app.desk.domain.ticket import TicketFilter
from app.desk.flows import act_on_ticket, correct_message, keep_queues, run_bulk_job
from app.desk.flows.keep_routing_rules import ROUTING_RULE
from app.desk.flows.run_bulk_job import order_of
from app.notify.flows.keep_receivers import RECEIVER
from tests.app.desk.sources.desk_exports import ZENDESK_CSV, lines
from tests.app.page_house import House, make_house, post

MOST_OF_A_PATH = 3
"""Queries that one path is asked with: filters come in thousands of combinations."""

NOT_LINKED = {"/sign-in", "/setup"}
"""Pages for those who have not signed in."""


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A house in which every page has something to show."""
    made = make_house(tmp_path_factory.mktemp("links"))
    _furnish(made)
    yield made
    made.site.app.extensions["bellwether"].close()


def _furnish(house: House) -> None:
    services, admin = house.site.services, house.viewer("admin")
    article = keep_articles.add_article(
        services,
        {"slug": "lost-card", "title": "A lost card", "body": "Block it. Then order another one."},
        viewer=admin,
    ).row
    assert article.id
    changes.add(
        services.db,
        MACRO,
        {"name": "Solve", "body": "Done.", "actions": [MacroAction(type="set_status", value="solved")]},
        viewer=admin,
    )
    changes.add(
        services.db,
        ROUTING_RULE,
        {
            "name": "Cards",
            "conditions": [Condition(field="intent", operator="is", value="lost_or_stolen_card")],
            "actions": [RoutingAction(type="add_tag", value="card")],
        },
        viewer=admin,
    )
    keep_queues.set_route_rule(
        services,
        viewer=admin,
        task="banking_intent",
        intent="lost_or_stolen_card",
        queue_id=house.queues["cards"],
    )
    changes.add(
        services.db, RECEIVER, {"name": "Pager", "kind": "webhook", "url": "https://example.com/hook"}, viewer=admin
    )
    correct_message.correct(services, house.unsure, viewer=admin, label="complaint", task="commerce_intent")
    act_on_ticket.reply(services, house.stolen, viewer=admin, body="We are on it.")
    run_bulk_job.begin(
        services, order_of(TicketFilter(), action="set_priority", params={"priority": "high"}), viewer=admin
    )
    client = house.reader()
    post(client, "/views", name="Urgent", query="priority=urgent", is_shared="1")
    post(client, "/admin/move-in", file=(io.BytesIO(lines()), "zendesk.json"))
    post(client, "/admin/move-in", file=(io.BytesIO(ZENDESK_CSV.encode()), "zendesk.csv"))
    while job_queue.run_due(services):
        pass


@dataclass
class Walk:
    """What was seen, what is still to be opened, and what led nowhere."""

    app: Flask
    client: FlaskClient
    waiting: list[tuple[str, str]]
    seen: set[str] = field(default_factory=set)
    asked: dict[str, int] = field(default_factory=dict)
    pages: set[str] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)

    def go(self) -> None:
        """Open what is waiting until nothing is."""
        while self.waiting:
            came_from, address = self.waiting.pop()
            self._open(address, came_from=came_from)

    def _open(self, address: str, *, came_from: str) -> None:
        path = urlsplit(address).path
        if address in self.seen or self.asked.get(path, 0) >= MOST_OF_A_PATH:
            return
        self.seen.add(address)
        self.asked[path] = self.asked.get(path, 0) + 1
        answer = self.client.get(address, buffered=False)
        if answer.status_code >= 400:
            self.faults.append(f"{came_from} links to {address}: {answer.status_code}")
        elif answer.is_json or not answer.content_type.startswith("text/html"):
            answer.close()
        elif answer.status_code in (301, 302, 303, 307, 308):
            self._see(answer.headers["Location"], base=address)
        else:
            self.pages.add(path)
            self._read(answer.get_data(as_text=True), base=address)

    def _read(self, text: str, *, base: str) -> None:
        soup = BeautifulSoup(text, "html.parser")
        known = {tag["id"] for tag in soup.find_all(id=True)}
        for tag in soup.find_all(True):
            for name in ("href", "src", "data-source", "data-poll"):
                if tag.get(name):
                    self._see(str(tag[name]), base=base)
            place = str(tag.get("href") or "")
            if place.startswith("#") and place[1:] and place[1:] not in known:
                self.faults.append(f"{base} links to {place}, which is not on it")
            if tag.name == "form":
                self._form(tag, base=base)

    def _form(self, form: Any, *, base: str) -> None:
        method, action = (
            str(form.get("method", "get")).upper(),
            str(form.get("action") or form.get("data-action") or base),
        )
        if method == "GET":
            self._see(action, base=base)
        elif method == "POST":
            self._resolve(urljoin(base, action), base=base)

    def _see(self, address: str, *, base: str) -> None:
        found = urlsplit(urljoin(base, address))
        if found.scheme in ("", "http") and found.netloc in ("", "localhost") and not address.startswith("#"):
            self.waiting.append((base, found._replace(scheme="", netloc="", fragment="").geturl()))

    def _resolve(self, address: str, *, base: str) -> None:
        try:
            self.app.url_map.bind("localhost").match(urlsplit(address).path, method="POST")
        except (NotFound, MethodNotAllowed, RequestRedirect) as error:
            self.faults.append(f"{base} sends a form to {address}: {error}")


@pytest.mark.parametrize(("role", "n_least"), [("admin", 90), ("agent", 20), ("analyst", 40)])
def test_no_link_is_dead(full: House, role: UserRole, n_least: int) -> None:
    walk = Walk(full.site.app, full.reader(role), waiting=[("the address bar", "/")])
    walk.go()
    assert walk.faults == []
    # A walk that ends at the door would find no fault either.
    assert len(walk.pages) >= n_least, sorted(walk.pages)
    if role == "admin":
        assert _orphans(walk) == set()


def _orphans(walk: Walk) -> set[str]:
    """Pages without a part that varies to which no link led."""
    known = {urlsplit(address).path for address in walk.seen}
    rules = [rule for rule in walk.app.url_map.iter_rules() if "GET" in (rule.methods or ())]
    own = {rule.rule for rule in rules if rule.endpoint.startswith("pages_") and not rule.arguments}
    return own - known - NOT_LINKED


def test_the_walk_finds_what_is_dead(full: House) -> None:
    walk = Walk(full.site.app, full.reader(), waiting=[])
    walk._read(
        '<a href="/nowhere">x</a><a href="#gone">y</a><form method="post" action="/tickets/1"></form>'
        '<img src="/static/missing.png"><a href="https://example.com/">elsewhere</a>',
        base="/page",
    )
    walk.go()
    assert [fault.split(": ")[0] for fault in walk.faults] == [
        "/page links to #gone, which is not on it",
        "/page sends a form to /tickets/1",
        "/page links to /static/missing.png",
        "/page links to /nowhere",
    ]


def test_doors_that_stand_open_lead_nowhere_dead(tmp_path: Path) -> None:
    house = make_house(tmp_path)
    walk = Walk(house.site.app, house.site.browser(), waiting=[("the address bar", "/sign-in")])
    walk.go()
    house.site.app.extensions["bellwether"].close()
    assert walk.faults == []
