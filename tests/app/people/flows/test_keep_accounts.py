"""People, links and tokens: secrets are kept as hashes, used within their scope, and end when they should."""

from __future__ import annotations

import sqlite3
import time

import pytest

from app.alerts.flows.keep_rules import RULE
from app.alerts.store import alert_rules
from app.core import changes, clock
from app.core.errors import Conflict, InputError, NotSignedIn, Stale
from app.core.events import event_log
from app.core.permissions import SYSTEM
from app.core.services import Services
from app.desk.domain.ticket import TicketDraft
from app.desk.flows import file_ticket
from app.desk.store import queues
from app.people.flows import find_viewer, keep_accounts, keep_tokens
from app.people.flows.keep_accounts import USER
from app.people.flows.keep_tokens import TOKEN
from app.people.store import users
from tests.app.conftest import Desk


def test_the_first_admin_is_made_once(services: Services) -> None:
    assert keep_accounts.needs_first_admin(services)
    with pytest.raises(InputError, match="password_too_short"):
        keep_accounts.first_admin(services, name="M", email="m@example.com", password="short")
    admin = keep_accounts.first_admin(services, name="M", email="m@example.com", password="long enough", locale="zh")
    assert (admin.role, admin.locale) == ("admin", "zh")
    with pytest.raises(Conflict, match="admin_exists"):
        keep_accounts.first_admin(services, name="N", email="n@example.com", password="long enough")


def test_a_new_installation_has_a_queue_and_a_rule(services: Services) -> None:
    keep_accounts.first_admin(services, name="M", email="m@example.com", password="long enough")
    assert [(one.slug, one.title, one.team_id) for one in queues.every(services.db)] == [("inbox", "Inbox", None)]
    (rule,) = alert_rules.every(services.db)
    assert (rule.name, rule.subject_kind, rule.subject_id, rule.is_active) == (
        "Negative news surge",
        "entity",
        None,
        True,
    )
    assert [(one.noun, one.verb) for one in event_log.after(services.db, 0)] == [
        ("user", "created"),
        ("queue", "created"),
        ("rule", "created"),
    ]


def test_what_is_there_is_not_furnished_twice(services: Services) -> None:
    # A ticket may come before anybody has set the place up; the admin does so with it in the inbox.
    received = file_ticket.receive(
        services, TicketDraft(subject="", body="I want my refund", channel="api"), viewer=SYSTEM
    )
    assert received.ticket.intent == "get_refund"
    changes.add(services.db, RULE, {"name": "Ours"}, viewer=SYSTEM)
    admin = keep_accounts.first_admin(services, name="M", email="m@example.com", password="long enough")
    assert [one.id for one in queues.every(services.db)] == [received.ticket.queue_id]
    assert [one.name for one in alert_rules.every(services.db)] == ["Ours"]
    found = file_ticket.show(services, received.ticket.id, viewer=find_viewer.viewer_for(services, admin))
    assert (found.ticket.id, found.queue.title) == (received.ticket.id, "Inbox")


def test_a_second_try_leaves_nothing_behind(services: Services, people: Desk) -> None:
    with pytest.raises(Conflict, match="admin_exists"):
        keep_accounts.first_admin(services, name="N", email="n@example.com", password="long enough")
    assert "inbox" not in {one.slug for one in queues.every(services.db)}
    assert alert_rules.every(services.db) == ()


def test_a_token_has_its_scopes_within_its_owners_role(services: Services, people: Desk) -> None:
    owner = people.shop_agent.user_id
    assert owner is not None
    token, secret = keep_tokens.make_token(
        services, user_id=owner, name="CI", scopes=("tickets:read", "posts:read"), viewer=people.admin
    )
    assert secret.startswith("bw_")
    assert secret.startswith(token.prefix)
    viewer = find_viewer.viewer_for_token(services, secret)
    assert (viewer.actor_kind, viewer.actor_id) == ("token", str(token.id))
    assert viewer.may("tickets:read")
    assert not viewer.may("tickets:write")
    assert not viewer.may("posts:read")
    assert viewer.queue_ids == frozenset({people.intake, people.refunds})
    assert TOKEN.read(services.db, token.id).last_used_at is not None


def test_a_locked_database_costs_no_token_its_request(services: Services, people: Desk) -> None:
    _, secret = keep_tokens.make_token(
        services, user_id=people.admin_user.id, name="CI", scopes=("admin",), viewer=people.admin
    )
    other = sqlite3.connect(services.db.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    began = time.monotonic()
    assert find_viewer.viewer_for_token(services, secret).may("tickets:read")
    assert time.monotonic() - began < 2
    other.close()


@pytest.mark.parametrize("secret", ["", "bw_unknown", "whsec_x"])
def test_an_unknown_token_is_nobody(services: Services, people: Desk, secret: str) -> None:
    with pytest.raises(NotSignedIn):
        find_viewer.viewer_for_token(services, secret)


def test_tokens_end(services: Services, people: Desk) -> None:
    owner = people.admin_user.id
    now = clock.now_ms()
    _, secret = keep_tokens.make_token(
        services, user_id=owner, name="a", scopes=("admin",), viewer=people.admin, expires_at=now + 1000
    )
    other, other_secret = keep_tokens.make_token(
        services, user_id=owner, name="b", scopes=("predict",), viewer=people.admin
    )
    assert find_viewer.viewer_for_token(services, secret).may("anything:at_all")
    with clock.frozen(now + 2000), pytest.raises(NotSignedIn):
        find_viewer.viewer_for_token(services, secret)
    keep_tokens.revoke_token(services, other.id, viewer=people.admin)
    with pytest.raises(NotSignedIn):
        find_viewer.viewer_for_token(services, other_secret)
    assert [one.verb for one in event_log.of(services.db, "token", other.id)] == ["created", "revoked"]
    with pytest.raises(InputError, match="unknown_scope"):
        keep_tokens.make_token(services, user_id=owner, name="c", scopes=("everything",), viewer=people.admin)


def test_the_last_admin_stays(services: Services, people: Desk) -> None:
    admin = people.admin_user
    for given in ({"role": "agent"}, {"is_active": False}):
        with pytest.raises(Conflict, match="last_admin"):
            changes.change(services.db, USER, admin.id, given, viewer=people.admin)
    changed = changes.change(services.db, USER, admin.id, {"zone": "Europe/Dublin"}, viewer=people.admin).row
    with pytest.raises(Stale):
        changes.change(services.db, USER, admin.id, {"zone": "UTC"}, viewer=people.admin, version=admin.version)
    assert changed.version == admin.version + 1
    with pytest.raises(InputError, match="unknown_field"):
        changes.change(services.db, USER, admin.id, {"password_hash": "x"}, viewer=people.admin)
    with pytest.raises(Conflict, match="email_taken"):
        keep_accounts.add_user(services, viewer=SYSTEM, name="x", email="INES@example.com", role="agent")
    assert users.get(services.db, admin.id).role == "admin"
