"""A site with a desk and a market that hold a little of everything, read by the keyword engine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient

from app.alerts.flows import tick_rules
from app.alerts.flows.keep_rules import RULE
from app.answers.flows.keep_macros import MACRO
from app.core import changes, clock
from app.core.durations import HOUR_MS
from app.core.engine_interface import Explanation, Word
from app.core.errors import InputError, NotReady
from app.core.permissions import SYSTEM, UserRole, Viewer
from app.core.quarantine import keep_in_quarantine
from app.core.quarantine.arrival import Arrival
from app.desk.domain.ticket import TicketDraft
from app.desk.flows import file_ticket, keep_queues
from app.market.domain.market import PostDraft
from app.market.flows import ingest_posts
from app.market.flows.keep_companies import ENTITY
from app.market.flows.keep_feeds import FEED
from app.people.flows import find_viewer
from tests.app.fake_engine import FakeEngine
from tests.app.site import Site, csrf, make_site

SCRIPT = "<script>alert(1)</script>"
DISASTERS = ("ovens", "lamps", "rugs", "tills", "sofas", "desks", "beds", "chairs", "vases", "doors")


@dataclass(frozen=True)
class House:
    """The site, and ids of what was put into it."""

    site: Site
    queues: dict[str, int]
    stolen: int
    unsure: int
    script: int
    feed: int
    alert: int
    rule: int
    held: int

    def reader(self, role: UserRole = "admin") -> FlaskClient:
        """A browser of somebody of this role."""
        return self.site.signed_in(role)

    def viewer(self, role: UserRole = "agent") -> Viewer:
        """Who somebody of this role is to the flows."""
        return find_viewer.viewer_for(self.site.services, self.site.person(role))


class Engine(FakeEngine):
    """The keyword engine that can also say why: the first word."""

    def explain(
        self, text: str, *, task: str, target: tuple[int, int] | None = None, deadline_ms: float | None = None
    ) -> Explanation:
        """Half of the probability hangs on the first word."""
        self._fail()
        first = Word(start=0, end=text.index(" "), weight=0.5)
        return Explanation(label="neutral", probability=0.9, words=(first,), fidelity=0.4, slips=(("crad", "card"),))

    def close(self) -> None:
        """There is nothing to close."""


def post(client: FlaskClient, path: str, *, page: str = "/account", **fields: Any) -> str:
    """Send a form with its CSRF token and follow where it leads; the page's text."""
    sent = {"csrf_token": csrf(client, page), **fields}
    answer = client.post(path, data=sent, follow_redirects=True, content_type="multipart/form-data")
    assert answer.status_code < 500, answer.get_data(as_text=True)
    return str(answer.get_data(as_text=True))


def _ticket(site: Site, subject: str, body: str, *, queue: str = "shop", name: str = "Ana Costa") -> int:
    draft = TicketDraft(
        subject=subject,
        body=body,
        channel="email",
        customer_name=name,
        customer_email="ana@example.com",
        queue=queue,
        occurred_at=clock.now_ms() - 2 * HOUR_MS,
    )
    return file_ticket.receive(site.services, draft, viewer=SYSTEM).ticket.id


def _market(site: Site) -> int:
    services, now = site.services, clock.now_ms()
    names = {"LKSP": "Larkspur Home", "EVIL": f"Evil {SCRIPT}"}
    for ticker, name in names.items():
        changes.add(
            services.db,
            ENTITY,
            {"ticker": ticker, "name": name, "aliases": ("Larkspur",)[: ticker == "LKSP"]},
            viewer=SYSTEM,
        )
    feed = changes.add(services.db, FEED, {"slug": "wire", "name": "Harbour Wire", "kind": "push"}, viewer=SYSTEM).row
    calm = [
        PostDraft(
            external_id=f"c{day}", title=f"Larkspur Home opens shop number {day}", occurred_at=now - day * 24 * HOUR_MS
        )
        for day in range(2, 20)
    ]
    bad = [
        PostDraft(
            external_id=word, title=f"Larkspur Home falls after a fraud probe of {word}", occurred_at=now - HOUR_MS
        )
        for word in DISASTERS
    ]
    evil = PostDraft(external_id="x", title=f"{SCRIPT} rises", url="javascript:alert(1)", occurred_at=now - HOUR_MS)
    ingest_posts.receive(services, feed.id, [*calm, *bad, evil], viewer=SYSTEM)
    return feed.id


def make_house(folder: Path, **settings: Any) -> House:
    """Build it in a folder, with settings of its own where they are named."""
    site = make_site(folder, **settings)
    site.services.engine = Engine()
    site.person("admin")
    queues = {
        slug: keep_queues.add_queue(site.services, viewer=SYSTEM, slug=slug, title=title, intent_task=task).id
        for slug, title, task in (
            ("shop", "Shop intake", "commerce_intent"),
            ("cards", "Cards and PIN", "banking_intent"),
        )
    }
    changes.add(
        site.services.db,
        MACRO,
        {
            "name": "Card: block it",
            "body": "Hi {{ customer.name }}, your card is blocked. Your case is {{ case_no }}.",
            "intents": ("lost_or_stolen_card",),
        },
        viewer=SYSTEM,
    )
    stolen = _ticket(
        site, "My card was stolen", "My card was stolen, block it now. Pay 4111 1111 1111 1111", queue="cards"
    )
    unsure = _ticket(site, "Hmm", "hmm I do not know", name="Bo")
    script = _ticket(site, SCRIPT, f"{SCRIPT} <img src=x onerror=alert(1)> where is my order", name=SCRIPT)
    feed = _market(site)
    rule = changes.add(site.services.db, RULE, {"name": "Bad news surges", "severity": "critical"}, viewer=SYSTEM).row
    tick_rules.tick(site.services)
    return House(
        site=site,
        queues=queues,
        stolen=stolen,
        unsure=unsure,
        script=script,
        feed=feed,
        alert=1,
        rule=rule.id,
        held=_held(site),
    )


def _held(site: Site) -> int:
    """A mail that nobody can read, in quarantine."""
    raw = f"From: {SCRIPT}\r\nX-Long: {'x' * 500}\r\n\r\n<b>{'a b ' * 200}".encode()
    arrival = Arrival(kind="mail", form="eml", source="a-mail-with-quite-a-long-name.eml", place="mail", raw=raw)
    keep_in_quarantine.put(site.services, [(arrival, InputError("unreadable", error="ValueError('odd')"))])
    return 1


def without_model(house: House) -> Engine:
    """The engine, failing as if no model were there; set `failure` to None to mend it."""
    engine = house.site.services.engine
    assert isinstance(engine, Engine)
    engine.failure = NotReady()
    return engine
