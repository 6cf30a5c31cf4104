"""Who sees and does what, as a story: Sana of the shop, Cem of the cards, Ana the analyst, the administrator."""

from __future__ import annotations

from pathlib import Path

from flask.testing import FlaskClient

from app.core import changes
from app.core.events import event_log
from app.core.permissions import SYSTEM, User, UserRole
from app.desk.domain.ticket import Ticket, TicketDraft
from app.desk.flows import file_ticket, keep_queues
from app.desk.store import queues
from app.people.flows import keep_accounts
from app.people.flows.keep_teams import TEAM
from tests.app.page_house import Engine, post
from tests.app.site import PASSWORD, Site, csrf, make_site


def _person(site: Site, name: str, role: UserRole) -> User:
    address = f"{name.lower()}@example.com"
    return keep_accounts.add_user(site.services, viewer=SYSTEM, name=name, email=address, role=role, password=PASSWORD)


def _at_the_desk(site: Site, user: User) -> FlaskClient:
    client = site.browser()
    fields = {"email": user.email, "password": PASSWORD, "csrf_token": csrf(client, "/sign-in")}
    assert client.post("/sign-in", data=fields).status_code == 302
    return client


def _organisation(site: Site) -> tuple[Ticket, list[User]]:
    """Two teams with a queue each, a ticket of the shop, and Sana, Cem, Ana and Maren."""
    services = site.services
    services.engine = Engine()
    maren = _person(site, "Maren", "admin")
    sana, cem, ana = _person(site, "Sana", "agent"), _person(site, "Cem", "agent"), _person(site, "Ana", "analyst")
    for slug, user in (("shop", sana), ("cards", cem)):
        team = changes.add(services.db, TEAM, {"name": slug}, viewer=SYSTEM).row
        changes.change(services.db, TEAM, team.id, {"user_ids": [user.id]}, viewer=SYSTEM)
        keep_queues.add_queue(services, viewer=SYSTEM, slug=slug, title=f"The {slug}", team_id=team.id)
    draft = TicketDraft(subject="Where is it", body="where is my order", channel="api", queue="shop")
    return file_ticket.receive(services, draft, viewer=SYSTEM).ticket, [sana, cem, ana, maren]


def test_two_agents_an_analyst_and_an_administrator(tmp_path: Path) -> None:
    site = make_site(tmp_path)
    ticket, people = _organisation(site)
    path, services = f"/tickets/{ticket.id}", site.services
    shop, cards, market, admin = (_at_the_desk(site, user) for user in people)

    # Sana sees her team's ticket; for Cem there is no such ticket, whatever he tries; Ana has no desk at all.
    assert "Where is it" in shop.get("/tickets").get_data(as_text=True)
    assert "Where is it" not in cards.get("/tickets").get_data(as_text=True)
    assert cards.get(path).status_code == 404
    token = csrf(cards, "/account")
    before = len(event_log.of(services.db, "ticket", ticket.id))
    for act, fields in (
        ("reply", {"body": "Hello", "action": "reply"}),
        ("status", {"status": "closed"}),
        ("priority", {"priority": "low"}),
        ("tags", {"tags": "mine"}),
        ("take", {}),
        ("presence", {"typing": "1"}),
        ("reject", {}),
    ):
        assert cards.post(f"{path}/{act}", data={"csrf_token": token, **fields}).status_code == 404, act
    for client in (cards, market):
        assert client.get("/tickets/2").status_code in (403, 404)
    assert market.get("/tickets").status_code == 403
    assert market.get("/palette").status_code == 403
    assert len(event_log.of(services.db, "ticket", ticket.id)) == before

    # Sana answers, and gives the ticket to the cards: it leaves her sight, and she can still take that back.
    post(shop, f"{path}/reply", body="On its way.", action="reply")
    number = next(one.id for one in queues.every(services.db) if one.slug == "cards")
    moved = post(shop, f"{path}/route", queue=str(number))
    assert "The ticket is moved." in moved
    assert shop.get(path).status_code == 404
    assert cards.get(path).status_code == 200
    event = event_log.of(services.db, "ticket", ticket.id)[-1]
    assert cards.post(f"/undo/{event.id}", data={"csrf_token": token}).status_code == 302
    assert shop.get(path).status_code == 200

    # Writing rules and macros is the administrator's; reading them is every agent's.
    for page in ("/macros", "/routing", "/routing/trust"):
        assert (shop.get(page).status_code, market.get(page).status_code) == (200, 403)
    for page in ("/macros/new", "/routing/new"):
        assert (shop.get(page).status_code, admin.get(page).status_code) == (403, 200)
    assert "Where is it" in admin.get("/tickets").get_data(as_text=True)
    site.app.extensions["bellwether"].close()
