"""Signing in: who guesses waits longer and longer, whoever knows the password does not wait for ever."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.core import clock
from app.core.db import open_database
from app.core.errors import Overloaded
from app.core.events import event_log
from app.core.events.event import Event
from app.core.services import Services
from app.people.domain import FAILURES_KEPT_MS, THROTTLES, Origin, is_recorded
from app.people.flows import keep_accounts, keep_sessions, sign_in
from tests.app.conftest import Desk
from tests.app.fake_engine import FakeEngine
from tests.app.policies import make_policy

EMAIL, PASSWORD = "maren@example.com", "correct horse"
START = 1_800_000_000_000


@contextmanager
def after(ms: int) -> Iterator[None]:
    """The time so long after the first attempt."""
    with clock.frozen(START + ms):
        yield


def at(number: int) -> Origin:
    """A browser at an address of its own."""
    return Origin(address=f"10.0.{number >> 8}.{number & 255}", device="Firefox, Linux")


def attempt(services: Services, password: str = "guess", *, email: str = EMAIL, origin: Origin | None = None) -> str:
    """Try to sign in: in, wrong, or so many seconds to wait."""
    try:
        found = sign_in.with_password(services, email=email, password=password, origin=origin or at(1))
    except Overloaded as error:
        return str(error.params["retry_after"])
    return "wrong" if found is None else "in"


def failures(services: Services) -> list[Event]:
    """What the history tells of failed sign-ins."""
    return [one for one in event_log.after(services.db, 0, limit=9999) if one.verb == "sign_in_failed"]


def test_a_password_opens_and_a_wrong_one_does_not(services: Services, people: Desk) -> None:
    found = sign_in.with_password(services, email="MAREN@example.com ", password=PASSWORD, origin=at(1))
    assert found is not None
    assert found.password_hash is not None
    assert found.password_hash.startswith("scrypt:")
    for email, password in ((EMAIL, "wrong"), ("nobody@example.com", "x"), ("ines@example.com", "")):
        assert attempt(services, password, email=email) == "wrong"


@pytest.mark.parametrize(
    ("n_failed", "wait_s"), [(0, 0), (4, 0), (5, 1), (6, 2), (7, 4), (14, 512), (15, 900), (99, 900), (10**9, 900)]
)
def test_the_wait_doubles_up_to_a_quarter_of_an_hour(n_failed: int, wait_s: int) -> None:
    assert THROTTLES["account"].wait_ms(n_failed) == wait_s * 1000


def test_an_account_is_slowed_for_all_addresses_together(services: Services, people: Desk) -> None:
    with after(0):
        assert [attempt(services, origin=at(number)) for number in range(7)] == ["wrong"] * 5 + ["1", "1"]
    with after(1001):
        assert [attempt(services, origin=at(number)) for number in (8, 9)] == ["wrong", "2"]
        assert attempt(services, PASSWORD, origin=at(10)) == "2"
    with after(3002):
        assert attempt(services, PASSWORD, origin=at(10)) == "in"
        # Who got in has shown that it is theirs.
        assert [attempt(services, origin=at(number)) for number in range(6)] == ["wrong"] * 5 + ["1"]


def test_a_minute_of_guessing_from_many_addresses_gets_a_dozen_answers(services: Services, people: Desk) -> None:
    answers = []
    for second in range(60):
        with after(second * 1000):
            answers += [attempt(services, origin=at(second * 10 + number)) for number in range(10)]
    assert answers.count("wrong") <= 12


def test_waits_outlive_a_restart_and_hold_for_other_processes(services: Services, people: Desk, tmp_path: Path) -> None:
    with after(0):
        for _ in range(5):
            attempt(services)
        other = open_database(services.db.path)
        assert attempt(Services(db=other, engine=FakeEngine(), policy=make_policy())) == "1"
        other.close()


def test_guesses_made_at_once_count_one_by_one(services: Services, people: Desk) -> None:
    answers: list[str] = []

    def guess(number: int) -> None:
        answers.append(attempt(services, origin=at(number)))
        services.db.release()

    threads = [threading.Thread(target=guess, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers.count("wrong") <= 6


@pytest.mark.parametrize("email", ["nobody@example.com", "ines@example.com"])
def test_nothing_tells_whether_there_is_an_account(services: Services, people: Desk, email: str) -> None:
    for ms in (0, 1001, 3002):
        with after(ms):
            known = [attempt(services, origin=at(1)) for _ in range(6)]
            assert [attempt(services, email=email, origin=at(2)) for _ in range(6)] == known


def test_one_address_that_tries_many_accounts_is_slowed(services: Services, people: Desk) -> None:
    with after(0):
        answers = [attempt(services, email=f"p{number}@example.com") for number in range(22)]
        assert answers == ["wrong"] * 20 + ["1"] * 2
        assert attempt(services, PASSWORD, origin=at(2)) == "in"
    with after(1001):
        assert attempt(services, PASSWORD) == "in"


def test_addresses_of_one_ipv6_network_count_together(services: Services, people: Desk) -> None:
    with after(0):
        answers = [
            attempt(services, email=f"p{number}@example.com", origin=Origin(address=f"2001:db8::{number:x}"))
            for number in range(21)
        ]
        assert answers == ["wrong"] * 20 + ["1"]
        assert attempt(services, email="p99@example.com", origin=Origin(address="2001:db8:0:1::1")) == "wrong"


def test_strangers_cannot_keep_out_a_browser_that_was_in_before(services: Services, people: Desk) -> None:
    own = Origin(address="10.0.0.1", known_for=people.admin_user.id, mark="abc")
    other = Origin(address="10.0.0.1", known_for=people.admin_user.id + 1, mark="abc")
    with after(0):
        for number in range(6):
            attempt(services, origin=at(number + 5))
        assert attempt(services, PASSWORD, origin=other) == "1"
        assert attempt(services, PASSWORD, origin=own) == "in"
        # A stolen mark opens no second way to guess without end.
        assert [attempt(services, origin=own) for _ in range(6)] == ["wrong"] * 5 + ["1"]


def test_a_link_and_a_session_go_on_while_strangers_guess(services: Services, people: Desk) -> None:
    secret = keep_sessions.begin(services, people.admin_user, way="password", origin=at(1))
    link = keep_accounts.sign_in_link(services, people.admin_user.id)
    for _ in range(6):
        attempt(services)
    assert keep_sessions.find(services, secret) is not None
    assert sign_in.with_link(services, link) is not None


def test_a_day_later_all_is_forgotten(services: Services, people: Desk) -> None:
    with after(0):
        for _ in range(5):
            attempt(services)
    with after(FAILURES_KEPT_MS + 1):
        assert keep_sessions.delete_expired(services) == 2
        assert services.db.value("SELECT count(*) FROM failed_sign_in") == 0
        assert attempt(services) == "wrong"


def test_the_history_tells_of_failures_and_is_not_filled_by_them(services: Services, people: Desk) -> None:
    ms, n_wrong = 0, 0
    while n_wrong < 40:
        with after(ms):
            n_wrong += attempt(services, origin=at(n_wrong)) == "wrong"
        ms += 900_001
    found = failures(services)
    assert [one.after["n_failed"] for one in found] == [1, 5, 10, 20, 40]
    assert {one.noun_id for one in found} == {people.admin_user.id}
    assert found[-1].after == {"n_failed": 40, "address": "10.0.0.39", "device": "Firefox, Linux"}


def test_a_flood_of_made_up_accounts_leaves_few_lines(
    services: Services, people: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sign_in, "check_password_hash", lambda *_: False)
    monkeypatch.setattr(sign_in, "MOST_RECORDED_AN_HOUR", 10)
    with after(0):
        for number in range(50):
            attempt(services, email=f"secret{number}", origin=at(number))
        attempt(services, origin=at(99))
    found = failures(services)
    assert [one.noun_id for one in found] == [0] * 10 + [people.admin_user.id]
    assert "secret" not in str(found)


def test_which_failures_are_told() -> None:
    assert [n for n in range(1, 100) if is_recorded(n)] == [1, 5, 10, 20, 40, 80]


def test_a_link_signs_in_once_and_not_for_ever(services: Services, people: Desk) -> None:
    secret = keep_accounts.sign_in_link(services, people.admin_user.id)
    assert services.db.value("SELECT count(*) FROM link WHERE hash = ?", (secret,)) == 0
    assert sign_in.with_link(services, "wrong") is None
    claimed = sign_in.with_link(services, secret)
    assert claimed is not None
    assert claimed.id == people.admin_user.id
    assert sign_in.with_link(services, secret) is None
    late = keep_accounts.sign_in_link(services, people.admin_user.id, minutes=1)
    with clock.frozen(clock.now_ms() + 61_000):
        assert sign_in.with_link(services, late) is None
