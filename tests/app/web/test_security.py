"""Headers, sizes, cookies, the key, and the limit at the door."""

from __future__ import annotations

import re
import stat
import threading
from pathlib import Path

import pytest

from app.core import clock
from app.web import security
from tests.app.site import PASSWORD, Site, csrf, make_site


@pytest.mark.parametrize("path", ["/health/live", "/sign-in", "/nothing", "/api/v1/tickets", "/docs", "/openapi.json"])
def test_every_answer_is_armoured(site: Site, path: str) -> None:
    headers = site.app.test_client().get(path).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert "Strict-Transport-Security" not in headers
    policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == policy["script-src"] == policy["style-src"] == "'self'"
    assert policy["frame-ancestors"] == policy["base-uri"] == policy["object-src"] == "'none'"
    assert "unsafe" not in headers["Content-Security-Policy"]


def test_https_is_remembered_where_it_is_used(tmp_path: Path, site: Site) -> None:
    secure = make_site(tmp_path, is_secure_cookie=True).app.test_client().get("/health/live")
    assert "max-age" in secure.headers["Strict-Transport-Security"]
    over_tls = site.app.test_client().get("/health/live", base_url="https://desk.example.com")
    assert "max-age" in over_tls.headers["Strict-Transport-Security"]


def test_the_session_cookie_is_kept_from_scripts(tmp_path: Path) -> None:
    answer = make_site(tmp_path, is_secure_cookie=True).app.test_client().get("/setup", base_url="https://localhost")
    cookie = next(value for value in answer.headers.getlist("Set-Cookie") if value.startswith("bellwether="))
    assert {"HttpOnly", "Secure", "SameSite=Lax"} <= set(re.split(r"; ", cookie))


@pytest.mark.parametrize("given", ["abc", "a.b:c-1_2", "A" * 64])
def test_a_request_id_is_echoed(site: Site, given: str) -> None:
    assert site.app.test_client().get("/health/live", headers={"X-Request-Id": given}).headers["X-Request-Id"] == given


@pytest.mark.parametrize("given", ["", "a b", "A" * 65, "<script>"])
def test_a_bad_request_id_is_replaced(site: Site, given: str) -> None:
    echoed = site.app.test_client().get("/health/live", headers={"X-Request-Id": given}).headers["X-Request-Id"]
    assert re.fullmatch(r"req_[0-9a-f]{16}", echoed)


def test_a_body_that_is_too_large_is_413_with_a_sentence(tmp_path: Path) -> None:
    api = make_site(tmp_path, max_body_bytes=1000).caller("admin")
    answer = api("POST", "/predict", json={"inputs": "x" * 2000})
    assert answer.status_code == 413
    assert answer.get_json(force=True)["detail"] == "The request is larger than this address accepts."


def test_files_may_be_larger_than_other_bodies(tmp_path: Path) -> None:
    made = make_site(tmp_path, max_body_bytes=1000, max_upload_bytes=5000)
    api = made.caller("admin")
    line = '{"title": "Hello", "text": "world"}\n'
    headers = {"Content-Type": "application/x-ndjson"}
    api("POST", "/api/v1/feeds", json={"slug": "wire", "name": "Wire"})
    taken = api("POST", "/api/v1/posts?feed=wire", data=line * 100, headers=headers)
    refused = api("POST", "/api/v1/posts?feed=wire", data=line * 200, headers=headers)
    assert (taken.status_code, refused.status_code) == (200, 413)
    made.app.extensions["bellwether"].close()


def test_guessing_is_slowed_down(tmp_path: Path) -> None:
    made = make_site(tmp_path)
    made.person("admin")
    client = made.browser()
    token = csrf(client, "/sign-in")
    sent = {"email": "admin@example.com", "password": "guess", "csrf_token": token}
    answers = [client.post("/sign-in", data=sent) for _ in range(8)]
    assert [answer.status_code for answer in answers] == [401] * 5 + [429] * 3
    assert answers[-1].headers["Retry-After"] == "1"
    assert "Too many sign-ins have failed" in answers[-1].get_data(as_text=True)
    assert client.post("/sign-in", data={**sent, "password": PASSWORD}).status_code == 429
    assert client.get("/sign-in").status_code == 200
    with clock.frozen(clock.now_ms() + 2000):
        assert made.signed_in("admin").get("/tickets").status_code == 200


def test_an_address_may_not_have_passwords_checked_all_day(tmp_path: Path) -> None:
    made = make_site(tmp_path)
    client = made.browser()
    made.person("admin")
    token = csrf(client, "/sign-in")
    statuses = [client.post("/sign-in", data={"email": "x", "password": "", "csrf_token": token}) for _ in range(32)]
    assert [answer.status_code for answer in statuses] == [200] * 30 + [429] * 2
    assert statuses[-1].headers["Retry-After"] == "60"


def test_the_key_is_made_once_and_kept_private(tmp_path: Path) -> None:
    first = security.secret_key(tmp_path / "instance")
    kept = tmp_path / "instance" / "secret_key"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert len(first) == 64
    assert security.secret_key(tmp_path / "instance") == first


def test_processes_that_start_together_share_one_key(tmp_path: Path) -> None:
    keys: list[str] = []
    threads = [threading.Thread(target=lambda: keys.append(security.secret_key(tmp_path))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(keys)) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["secret_key"]


def test_a_key_in_the_settings_wins(tmp_path: Path) -> None:
    made = make_site(tmp_path, secret_key="from the settings")
    made.app.test_client().get("/setup")
    assert made.app.secret_key == "from the settings"
    assert not (tmp_path / "instance" / "secret_key").exists()
