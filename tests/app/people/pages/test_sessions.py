"""Getting in, one's account, tokens, the language."""

from __future__ import annotations

import re
from pathlib import Path

from app.people.flows import keep_accounts
from app.web.security import setup_secret
from tests.app.page_house import House, post
from tests.app.site import PASSWORD, csrf, make_site


def test_a_new_installation_asks_for_its_first_administrator_once(tmp_path: Path) -> None:
    site = make_site(tmp_path)
    client = site.browser()
    assert client.get("/").headers["Location"] == "/setup"
    values = {"name": "Maren", "email": "maren@example.com", "password": PASSWORD, "again": PASSWORD}
    link = f"/setup?secret={setup_secret(site.app.extensions['bellwether.settings'])}"
    for wrong in ("/setup", "/setup?secret=", "/setup?secret=0000", "/setup?secret=é"):
        turned_away = client.get(wrong)
        assert turned_away.status_code == 403
        assert "link that its start prints" in turned_away.get_data(as_text=True)
        sent = {**values, "csrf_token": csrf(client, link)}
        assert client.post(wrong, data=sent).status_code == 403
    assert keep_accounts.needs_first_admin(site.services)
    assert "two passwords differ" in post(client, link, page=link, **{**values, "again": "another one"})
    assert "at least 12" in post(client, link, page=link, **{**values, "password": "short", "again": "short"})
    assert "not an e-mail" in post(client, link, page=link, **{**values, "email": "maren"})
    assert "No tickets are waiting" in post(client, link, page=link, **values)
    assert client.get("/setup").headers["Location"] == "/sign-in"
    site.app.extensions["bellwether"].close()


def test_wrong_passwords_and_foreign_addresses_lead_nowhere(house: House) -> None:
    client = house.site.browser()
    email = house.site.person("agent").email
    wrong = post(client, "/sign-in", page="/sign-in", email=email, password="not this one")
    assert "do not match" in wrong
    token = csrf(client, "/sign-in")
    sent = {"csrf_token": token, "email": email, "password": PASSWORD}
    answer = client.post("/sign-in?next=https://evil.example/", data=sent)
    assert answer.headers["Location"] == "/"


def test_a_page_asks_for_sign_in_and_comes_back(house: House) -> None:
    answer = house.site.browser().get("/tickets?queue=1")
    assert answer.status_code == 302
    assert answer.headers["Location"] == "/sign-in?next=%2Ftickets%3Fqueue%3D1"


def test_a_one_time_link_needs_a_press_and_works_once(house: House) -> None:
    secret = keep_accounts.sign_in_link(house.site.services, house.site.person("agent").id)
    client, path = house.site.browser(), f"/sign-in/{secret}"
    assert "cannot be used again" in client.get(path).get_data(as_text=True)
    assert 'aria-current="page"' in post(client, path, page=path)
    other = house.site.browser()
    assert "was used before" in post(other, path, page=path)


def test_signing_out_ends_the_session(house: House) -> None:
    client = house.reader("agent")
    post(client, "/sign-out")
    assert client.get("/tickets").status_code == 302


def test_a_token_is_shown_once_and_can_be_revoked(house: House) -> None:
    client = house.reader("agent")
    assert "Choose at least one." in post(client, "/account/tokens", name="chat", days="30")
    text = post(client, "/account/tokens", name="chat", days="30", scopes=["predict", "tickets:read"])
    found = re.search(r'id="secret">(bw_[^<]+)<', text)
    assert found
    again = client.get("/account").get_data(as_text=True)
    assert found[1] not in again
    number = re.findall(r"/account/tokens/(\d+)/revoke", again)[0]
    assert "The token is revoked" in post(client, f"/account/tokens/{number}/revoke")
    foreign = post(house.reader("analyst"), f"/account/tokens/{number}/revoke")
    assert "Not found" in foreign


def test_the_account_keeps_language_zone_and_password(house: House) -> None:
    house.site.person("agent", email="zoe@example.com")
    client = house.site.browser()
    post(client, "/sign-in", page="/sign-in", email="zoe@example.com", password=PASSWORD)
    assert "no such time zone" in post(client, "/account/profile", name="Zoe", locale="en", zone="Nowhere")
    text = post(client, "/account/profile", name="Zoe", locale="zh", zone="Asia/Shanghai")
    assert "时间按 Asia/Shanghai" in text
    post(client, "/account/profile", name="Zoe", locale="en", zone="Asia/Shanghai")
    assert "not right" in post(client, "/account/password", current="wrong", password="a new long password")
    assert "is changed" in post(client, "/account/password", current=PASSWORD, password="a new long password")
    assert client.get("/tickets").status_code == 200
