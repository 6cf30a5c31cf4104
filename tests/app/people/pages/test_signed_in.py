"""Sessions in the browser: a copied cookie dies with its session, and both its owner and administrators can end it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from app.core import changes
from app.core.permissions import SYSTEM
from app.people.flows import keep_accounts
from app.people.flows.keep_accounts import USER
from app.people.pages import devices
from tests.app.site import PASSWORD, Site, csrf, make_site

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def copied(site: Site, client: FlaskClient) -> FlaskClient:
    """Another browser that somebody gave the first one's cookie."""
    cookie = client.get_cookie("bellwether")
    assert cookie is not None
    thief = site.browser()
    thief.set_cookie("bellwether", cookie.value)
    return thief


def is_in(client: FlaskClient) -> bool:
    """Whether pages open."""
    return client.get("/account").status_code == 200


def ends(client: FlaskClient, page: str, pattern: str) -> list[str]:
    """Where the buttons of a page lead that match."""
    return re.findall(rf'action="({pattern})"', client.get(page).get_data(as_text=True))


@pytest.fixture
def own(tmp_path: Path) -> Site:
    """A site of its own."""
    made = make_site(tmp_path)
    made.person("admin")
    return made


def test_a_copied_cookie_is_dead_after_sign_out(own: Site) -> None:
    client = own.signed_in("agent")
    thief = copied(own, client)
    assert is_in(thief)
    client.post("/sign-out", data={"csrf_token": csrf(client, "/account")})
    assert not is_in(thief)
    assert thief.get("/api/v1/tickets").status_code == 401


def test_a_cookie_from_before_sessions_were_rows_opens_nothing(own: Site) -> None:
    client = own.browser()
    with client.session_transaction() as session:
        session["_user_id"] = f"{own.person('agent').id}.e3b0c44298fc"
    assert not is_in(client)


def test_a_new_password_ends_copies_and_other_browsers_and_keeps_this_one(own: Site) -> None:
    client, other = own.signed_in("agent"), own.signed_in("agent")
    thief = copied(own, client)
    link = keep_accounts.sign_in_link(own.services, own.person("agent").id)
    sent = {"current": PASSWORD, "password": "another long password", "csrf_token": csrf(client, "/account")}
    assert "other sessions have ended" in client.post("/account/password", data=sent, follow_redirects=True).text
    assert (is_in(client), is_in(other), is_in(thief)) == (True, False, False)
    opened = own.browser()
    opened.post(f"/sign-in/{link}", data={"csrf_token": csrf(opened, f"/sign-in/{link}")})
    assert not is_in(opened)


def test_the_account_page_lists_sessions_and_ends_them(own: Site) -> None:
    client, other, third = own.signed_in("agent"), own.signed_in("agent"), own.signed_in("agent")
    page = client.get("/account", headers={"User-Agent": FIREFOX}).text
    assert page.count("This session") == 1
    assert other.environ_base["REMOTE_ADDR"] in page
    paths = ends(client, "/account", r"/account/sessions/\d+/end")
    assert len(paths) == 3
    token = csrf(client, "/account")
    # The first in the list was seen last: the third browser.
    assert "is signed out" in client.post(paths[0], data={"csrf_token": token}, follow_redirects=True).text
    assert (is_in(client), is_in(other), is_in(third)) == (True, True, False)
    assert "ended already" in client.post(paths[0], data={"csrf_token": token}, follow_redirects=True).text
    client.post("/account/sessions/end-others", data={"csrf_token": token})
    assert (is_in(client), is_in(other)) == (True, False)
    (mine,) = ends(client, "/account", r"/account/sessions/\d+/end")
    assert client.post(mine, data={"csrf_token": token}).headers["Location"] == "/sign-in"
    assert not is_in(client)


def test_nobody_ends_a_session_of_somebody_else(own: Site) -> None:
    victim, other = own.signed_in("analyst"), own.signed_in("agent")
    (path,) = ends(victim, "/account", r"/account/sessions/\d+/end")
    other.post(path, data={"csrf_token": csrf(other, "/account")})
    assert is_in(victim)
    number = own.person("analyst").id
    refused = other.post(f"/admin/users/{number}/sessions/end", data={"csrf_token": csrf(other, "/account")})
    assert refused.status_code == 403
    assert is_in(victim)


def test_an_administrator_ends_somebodys_sessions(own: Site) -> None:
    admin, first, second, third = own.signed_in("admin"), *(own.signed_in("agent") for _ in range(3))
    number = own.person("agent").id
    page, token = f"/admin/users/{number}", csrf(admin, "/admin/users")
    paths = ends(admin, page, rf"/admin/users/{number}/sessions/\d+/end")
    assert len(paths) == 3
    assert "is signed out" in admin.post(paths[0], data={"csrf_token": token}, follow_redirects=True).text
    assert (is_in(first), is_in(second), is_in(third)) == (True, True, False)
    admin.post(f"{page}/sessions/end", data={"csrf_token": token})
    assert (is_in(first), is_in(second), is_in(admin)) == (False, False, True)


def test_who_is_switched_off_is_out_at_once(own: Site) -> None:
    client, person = own.signed_in("agent"), own.person("agent")
    for is_active in (False, True):
        changes.change(own.services.db, USER, person.id, {"is_active": is_active}, viewer=SYSTEM)
        assert not is_in(client)


def test_the_present_password_cannot_be_guessed_at_an_open_browser(own: Site) -> None:
    client = own.signed_in("agent")
    sent = {"password": "another long password", "csrf_token": csrf(client, "/account")}
    statuses = [
        client.post("/account/password", data={**sent, "current": f"guess {number}"}).status_code for number in range(7)
    ]
    assert statuses == [422] * 5 + [429] * 2
    assert client.post("/account/password", data={**sent, "current": PASSWORD}).status_code == 429


def test_the_audit_tells_of_sign_ins_in_words(own: Site) -> None:
    admin, client = own.signed_in("admin"), own.browser()
    client.environ_base["REMOTE_ADDR"] = "192.0.2.44"
    client.environ_base["HTTP_USER_AGENT"] = FIREFOX
    own.person("agent")
    for email in ("agent@example.com", "nobody-hunter2@example.com"):
        client.post("/sign-in", data={"email": email, "password": "guess", "csrf_token": csrf(client, "/sign-in")})
    client.post(
        "/sign-in", data={"email": "agent@example.com", "password": PASSWORD, "csrf_token": csrf(client, "/sign-in")}
    )
    page = admin.get("/admin/audit").text
    assert "Signed in with the password: Firefox, Linux, 192.0.2.44" in page
    assert "Failed sign-in as Agent: Firefox, Linux, 192.0.2.44" in page
    assert "hunter2" not in page


def test_a_browser_known_to_its_owner_is_not_kept_out_by_strangers(own: Site) -> None:
    client, guesser = own.signed_in("agent"), own.browser()
    client.post("/sign-out", data={"csrf_token": csrf(client, "/account")})
    sent = {"email": "agent@example.com", "csrf_token": csrf(guesser, "/sign-in")}
    for _ in range(6):
        guesser.post("/sign-in", data={**sent, "password": "guess"})
    assert guesser.post("/sign-in", data={**sent, "password": PASSWORD}).status_code == 429
    sent = {"email": "agent@example.com", "password": PASSWORD, "csrf_token": csrf(client, "/sign-in")}
    assert client.post("/sign-in", data=sent).status_code == 302
    assert is_in(client)


@pytest.mark.parametrize("value", ["", "x", "1.a.b", "1.2", "..", "1..é", "９.a.b", "99999999999999999999.a.b"])
def test_a_made_up_mark_is_nobodys(own: Site, value: str) -> None:
    client = own.browser()
    client.set_cookie(devices.COOKIE, value)
    assert client.get("/sign-in").status_code == 200
    sent = {"email": "admin@example.com", "password": PASSWORD, "csrf_token": csrf(client, "/sign-in")}
    assert client.post("/sign-in", data=sent).status_code == 302


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        (FIREFOX, "Firefox, Linux"),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/140.0 Safari/537.36 Edg/140.0", "Edge, Windows"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 14_0) Version/18.0 Safari/605.1.15", "Safari, macOS"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) CriOS/140.0 Mobile Safari/604.1", "Chrome, iPhone"),
        ("curl/8.5.0", "curl/8.5.0"),
        ("x" * 500, "x" * 60),
        ("evil\x00\x1b[31m", "evil[31m"),
        ("", ""),
    ],
)
def test_what_a_browser_is_called(user_agent: str, name: str) -> None:
    assert devices.name_of(user_agent) == name
