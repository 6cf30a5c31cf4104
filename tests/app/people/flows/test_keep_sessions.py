"""Sessions: rows that end at a sign-out, a new password, a deactivation, and after two weeks without use."""

from __future__ import annotations

import pytest

from app.core import changes, clock
from app.core.errors import NotFound
from app.core.events import event_log
from app.core.services import Services
from app.people.domain import SEEN_EVERY_MS, SESSION_MS, Origin
from app.people.flows import keep_accounts, keep_sessions, sign_in
from app.people.flows.keep_accounts import USER
from app.people.store import sessions as kept
from tests.app.conftest import Desk

HOME = Origin(address="10.0.0.1", device="Firefox, Linux")
START = 1_800_000_000_000


def _begin(services: Services, people: Desk) -> tuple[str, int]:
    secret = keep_sessions.begin(services, people.admin_user, way="password", origin=HOME)
    found = keep_sessions.find(services, secret)
    assert found is not None
    return secret, found[1].id


def test_only_a_digest_of_the_secret_is_kept(services: Services, people: Desk) -> None:
    secret, _ = _begin(services, people)
    assert secret not in str([tuple(row) for row in services.db.rows("SELECT * FROM session")])
    assert keep_sessions.find(services, "wrong") is None


def test_a_session_ends_alone_or_with_all_others(services: Services, people: Desk) -> None:
    (first, one), (second, two), (third, _) = (_begin(services, people) for _ in range(3))
    user_id = people.admin_user.id
    keep_sessions.end(services, one, user_id=user_id, viewer=people.admin)
    assert keep_sessions.find(services, first) is None
    with pytest.raises(NotFound):
        keep_sessions.end(services, one, user_id=user_id, viewer=people.admin)
    with pytest.raises(NotFound):
        keep_sessions.end(services, two, user_id=user_id + 1, viewer=people.admin)
    assert keep_sessions.end_all(services, user_id, viewer=people.admin, but=two) == 1
    assert keep_sessions.find(services, third) is None
    assert keep_sessions.find(services, second) is not None
    told = [(one.verb, dict(one.after)) for one in event_log.of(services.db, "user", user_id)][1:]
    begun = {"way": "password", "address": "10.0.0.1", "device": "Firefox, Linux"}
    assert told == [("signed_in", begun)] * 3 + [
        ("signed_out", {"address": "10.0.0.1", "device": "Firefox, Linux"}),
        ("sessions_ended", {"n_ended": 1}),
    ]


def test_a_new_password_ends_sessions_and_links(services: Services, people: Desk) -> None:
    secret, _ = _begin(services, people)
    link = keep_accounts.sign_in_link(services, people.admin_user.id)
    keep_accounts.set_password(services, people.admin_user.id, password="another long one", viewer=people.admin)
    assert keep_sessions.find(services, secret) is None
    assert sign_in.with_link(services, link) is None


def test_who_is_switched_off_stays_out_when_switched_on_again(services: Services, people: Desk) -> None:
    user = people.shop_agent
    assert user.user_id is not None
    person = changes.change(services.db, USER, user.user_id, {"zone": "Europe/Dublin"}, viewer=people.admin).row
    secret = keep_sessions.begin(services, person, way="link", origin=HOME)
    link = keep_accounts.sign_in_link(services, person.id)
    for is_active in (False, True):
        changes.change(services.db, USER, person.id, {"is_active": is_active}, viewer=people.admin)
        assert keep_sessions.find(services, secret) is None
    assert sign_in.with_link(services, link) is None


def test_use_is_noted_once_a_minute_and_keeps_a_session(services: Services, people: Desk) -> None:
    with clock.frozen(START):
        secret, _ = _begin(services, people)
    other = Origin(address="10.0.0.2", device="Safari, iPhone")
    for ms, seen in ((SEEN_EVERY_MS - 1, START), (SEEN_EVERY_MS, START + SEEN_EVERY_MS)):
        with clock.frozen(START + ms):
            found = keep_sessions.find(services, secret)
            assert found is not None
            keep_sessions.note_seen(services, found[1], origin=other)
            (row,) = kept.of_user(services.db, people.admin_user.id, now=clock.now_ms())
            assert row.last_seen_at == seen
    assert (row.address, row.device, row.created_at) == ("10.0.0.2", "Safari, iPhone", START)
    with clock.frozen(START + SEEN_EVERY_MS + SESSION_MS - 1):
        assert keep_sessions.find(services, secret) is not None
        assert keep_sessions.delete_expired(services) == 0
    with clock.frozen(START + SEEN_EVERY_MS + SESSION_MS):
        assert keep_sessions.find(services, secret) is None
        assert keep_sessions.delete_expired(services) == 1


def test_a_person_has_no_more_than_so_many(services: Services, people: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "MOST", 3)
    secrets = [_begin(services, people)[0] for _ in range(5)]
    assert [keep_sessions.find(services, secret) is not None for secret in secrets] == [False, False, True, True, True]
