"""The administrator's pages: who may open them, and what each form does, takes back and refuses."""

from __future__ import annotations

import re

import pytest

from app.answers.store import articles, macros
from app.core.errors import TooLarge
from app.core.events import event_log
from app.core.quarantine import keep_in_quarantine
from app.core.quarantine.arrival import Arrival
from app.desk.store import mailboxes as boxes
from app.desk.store import queues
from app.people.flows import keep_tokens, sign_in
from app.people.pages.admin_section import Section
from app.people.store import teams, users
from app.registration import SECTIONS
from tests.app.page_house import SCRIPT, House, post

PATHS = [f"/admin/{section.slug}" for section in SECTIONS] + ["/admin/tokens", "/admin/audit", "/admin/quarantine"]
MAILBOX = {
    "address": "help@desk.example", "name": "Help", "username": "desk", "imap_host": "mail.desk.example",
    "imap_port": "993", "imap_security": "tls", "imap_folder": "INBOX", "smtp_host": "mail.desk.example",
    "smtp_port": "465", "smtp_security": "tls", "is_active": "y", "password": "s3cret words",
}  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
def test_only_administrators_open_them(house: House, path: str) -> None:
    assert house.reader("admin").get(path).status_code == 200
    for role in ("agent", "analyst"):
        assert house.reader(role).get(path).status_code == 403


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.slug)
def test_an_empty_form_is_refused_and_says_why(house: House, section: Section) -> None:
    path = f"/admin/{section.slug}/new"
    assert "Please fill this in." in post(house.reader("admin"), path, page=path)


def test_unknown_sections_and_things(house: House) -> None:
    admin = house.reader("admin")
    assert admin.get("/admin/nothing").status_code == 404
    assert admin.get("/admin/users/4711").status_code == 404


def test_a_person_is_added_with_a_link_changed_and_taken_back(house: House) -> None:
    admin, db = house.reader("admin"), house.site.services.db
    values = {"name": f"Nia {SCRIPT}", "email": "nia@example.com", "role": "agent", "locale": "en", "zone": "UTC"}
    page = post(admin, "/admin/users/new", page="/admin/users", **values, is_active="y")
    secret = re.search(r"/sign-in/([\w-]{40,})", page)
    assert secret is not None
    assert SCRIPT not in page
    assert sign_in.with_link(house.site.services, secret[1]) is not None
    user = users.find_by_email(db, "nia@example.com")
    assert user is not None
    path = f"/admin/users/{user.id}"
    changed = post(admin, path, page=path, **{**values, "name": "Nia", "role": "analyst"}, is_active="y")
    assert users.get(db, user.id).role == "analyst"
    undo = re.search(r'action="(/admin/undo/\d+)"', changed)
    assert undo is not None
    assert "Taken back." in post(admin, undo[1], page="/admin/users")
    assert users.get(db, user.id).role == "agent"
    assert "This was undone before." in post(admin, undo[1], page="/admin/users")


def test_the_last_administrator_stays(house: House) -> None:
    me = house.site.person("admin")
    path = f"/admin/users/{me.id}"
    values = {"name": me.name, "email": me.email, "role": "agent", "locale": "en", "zone": "UTC", "is_active": "y"}
    assert "last administrator" in post(house.reader("admin"), path, page=path, **values)


def test_teams_and_queues(house: House) -> None:
    admin, db = house.reader("admin"), house.site.services.db
    agent = house.site.person("agent")
    post(admin, "/admin/teams/new", page="/admin/teams", name="Night desk", members=str(agent.id))
    team = teams.find_by_name(db, "Night desk")
    assert team is not None
    assert team.user_ids == (agent.id,)
    values = {"title": "Night", "slug": "night", "intent_task": "commerce_intent", "is_redacting": "y"}
    values["sla_policy_id"] = "0"
    post(admin, "/admin/queues/new", page="/admin/queues", **values, team_id=str(team.id))
    queue = queues.find_by_slug(db, "night")
    assert queue is not None
    assert queue.team_id == team.id
    refused = post(admin, f"/admin/teams/{team.id}/delete", page="/admin/teams")
    assert "owns queues or feeds" in refused
    taken = post(admin, "/admin/queues/new", page="/admin/queues", **values, team_id="0")
    assert "already" in taken
    path = f"/admin/queues/{queue.id}"
    post(admin, path, page=path, **values, team_id="0")
    assert queues.get(db, queue.id).team_id is None
    assert "Deleted." in post(admin, f"/admin/teams/{team.id}/delete", page="/admin/teams")


def test_macros_and_articles(house: House) -> None:
    admin, db = house.reader("admin"), house.site.services.db
    values = {"name": "Night reply", "body": "Hello {{ customer.name }}", "intents": "complaint, get_refund"}
    wrong = post(admin, "/admin/macros/new", page="/admin/macros", **values, actions="explode now")
    assert "no action" in wrong
    post(admin, "/admin/macros/new", page="/admin/macros", **values, actions="set_status pending\nadd_tag night")
    macro = next(one for one in macros.every(db) if one.name == "Night reply")
    assert [(one.type, one.value) for one in macro.actions] == [("set_status", "pending"), ("add_tag", "night")]
    path = f"/admin/macros/{macro.id}"
    changed = post(admin, path, page=path, **{**values, "body": "Bye"}, actions="")
    assert (macros.get(db, macro.id).body, macros.get(db, macro.id).actions) == ("Bye", ())
    undo = re.search(r'action="(/admin/undo/\d+)"', changed)
    assert undo is not None
    post(admin, undo[1], page="/admin/macros")
    assert macros.get(db, macro.id).actions == macro.actions
    assert "Deleted." in post(admin, f"{path}/delete", page=path)
    article = {"title": "Nights", "slug": "nights", "body": "We answer at night.", "intents": "", "tags": "hours"}
    post(admin, "/admin/articles/new", page="/admin/articles", **article)
    made = next(one for one in articles.every(db) if one.slug == "nights")
    assert made.tags == ("hours",)
    assert "Nothing was changed." in post(admin, f"/admin/articles/{made.id}", page="/admin/articles", **article)


def test_a_mailbox_never_shows_its_password(house: House) -> None:
    admin, db = house.reader("admin"), house.site.services.db
    queue = str(house.queues["shop"])
    clear = {**MAILBOX, "smtp_security": "none"}
    assert "in the clear" in post(admin, "/admin/mailboxes/new", page="/admin/mailboxes", **clear, queue_id=queue)
    post(admin, "/admin/mailboxes/new", page="/admin/mailboxes", **MAILBOX, queue_id=queue)
    (box,) = boxes.every(db)
    path = f"/admin/mailboxes/{box.id}"
    page = admin.get(path).get_data(as_text=True)
    assert "s3cret words" not in page
    assert box.secret not in page
    kept = {**MAILBOX, "password": "", "name": "Desk"}
    post(admin, path, page=path, **kept, queue_id=queue)
    assert (boxes.get(db, box.id).name, boxes.get(db, box.id).secret) == ("Desk", box.secret)
    assert "s3cret" not in str([event.after for event in event_log.of(db, "mailbox", box.id)])
    arrival = Arrival(
        kind="mail", form="eml", source=box.address, place="mailbox:1", raw=None, mailbox_id=box.id, uid=7
    )
    keep_in_quarantine.put(house.site.services, [(arrival, TooLarge(size=9, limit=3))])
    assert "Mail 7 was not taken in" in admin.get(path).get_data(as_text=True)
    assert "Deleted." in post(admin, f"{path}/delete", page=path)


def test_tokens_of_others_end(house: House) -> None:
    admin = house.reader("admin")
    agent = house.site.person("agent")
    token, secret = keep_tokens.make_token(
        house.site.services, user_id=agent.id, name="laptop", scopes=("tickets:read",), viewer=house.viewer("agent")
    )
    assert "laptop" in admin.get("/admin/tokens").get_data(as_text=True)
    post(admin, f"/admin/tokens/{token.id}/revoke", page="/admin/tokens")
    client = house.site.browser()
    assert client.get("/api/v1/tickets", headers={"Authorization": f"Bearer {secret}"}).status_code == 401


def test_the_audit_trail_names_who_and_what(house: House) -> None:
    admin = house.reader("admin")
    page = admin.get("/admin/audit?noun=ticket&actor=model").get_data(as_text=True)
    assert "triaged" in page
    assert SCRIPT not in page
    assert "Nothing of this kind" in admin.get("/admin/audit?noun=comet").get_data(as_text=True)


def test_an_sla_policy_in_words(house: House) -> None:
    admin, db = house.reader("admin"), house.site.services.db
    values = {"name": "Office", "first_hours": "4", "resolution_hours": "16", "zone": "Europe/Dublin"}
    wrong = post(admin, "/admin/sla/new", page="/admin/sla", **values, hours="always", holidays="")
    assert "Write opening hours" in wrong
    given = {"hours": "Mon-Fri 09:00-18:00\nSat 10:00-14:00", "holidays": "2026-12-25"}
    page = post(admin, "/admin/sla/new", page="/admin/sla", **values, **given)
    assert "Mon-Fri 09:00-18:00; Sat 10:00-14:00" in page
    policy = next(one for one in queues.policies(db) if one.name == "Office")
    assert (policy.first_response_ms, len(policy.hours), policy.holidays) == (4 * 3_600_000, 6, ("2026-12-25",))
    path = f"/admin/sla/{policy.id}"
    changed = post(admin, path, page=path, **values, hours="", holidays="25 December")
    assert "is not a day" in changed
    changed = post(admin, path, page=path, **values, hours="Fri-Mon 22:00-24:00", holidays="")
    assert sorted({day for day, _, _ in queues.policy(db, policy.id).hours}) == [0, 4, 5, 6]
    undo = re.search(r'action="(/admin/undo/\d+)"', changed)
    assert undo is not None
    post(admin, undo[1], page="/admin/sla")
    assert queues.policy(db, policy.id).hours == policy.hours
    default = queues.default_policy(db)
    assert default is not None
    assert "holds for every queue" in post(admin, f"/admin/sla/{default.id}/delete", page="/admin/sla")
    assert "Deleted." in post(admin, f"{path}/delete", page=path)
