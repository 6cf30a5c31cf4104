"""Who gets in, and what each may do."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from app.core import clock
from app.core.durations import DAY_MS
from app.core.permissions import PERMISSIONS, SYSTEM, TOKEN_SCOPES
from app.people.flows import keep_accounts, keep_tokens
from app.web import access
from tests.app.site import PASSWORD, Site, csrf, make_site


def test_every_route_declares_who_may_use_it(site: Site) -> None:
    silent = [
        f"{rule.rule} → {rule.endpoint}"
        for rule in site.app.url_map.iter_rules()
        if access.permission_of(site.app, rule.endpoint) is None
    ]
    assert silent == []


def test_every_declared_permission_belongs_to_somebody(site: Site) -> None:
    granted = frozenset[str]().union(*PERMISSIONS.values(), *TOKEN_SCOPES.values())
    declared = {access.permission_of(site.app, rule.endpoint) for rule in site.app.url_map.iter_rules()}
    # What only administrators may do is in nobody else's set.
    only_admin = {"models:write", "users:write", "settings:write", "receivers:write", "macros:write", "routing:write"}
    assert declared - granted - only_admin == {access.PUBLIC}


def test_nobody_gets_past_a_route_without_signing_in(site: Site) -> None:
    client, open_doors = site.app.test_client(), []
    for rule in site.app.url_map.iter_rules():
        if access.permission_of(site.app, rule.endpoint) == access.PUBLIC:
            continue
        path = _path(site.app, rule.endpoint)
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            answer = client.open(path, method=method)
            if not _is_turned_away(answer):
                open_doors.append(f"{method} {path} → {answer.status_code}")
    assert open_doors == []


def _path(app: Flask, endpoint: str) -> str:
    with app.test_request_context():
        rule = next(app.url_map.iter_rules(endpoint))
        values = {name: "svg" if name == "form" else 1 for name in rule.arguments}
        built = rule.build(values)
    assert built is not None
    return str(built[1])


def _is_turned_away(answer: TestResponse) -> bool:
    return answer.status_code == 401 or (answer.status_code == 302 and "/sign-in" in answer.headers["Location"])


def test_a_route_that_declares_nothing_answers_nobody(tmp_path: Path) -> None:

    own = make_site(tmp_path)
    own.app.add_url_rule("/silent", "silent", lambda: "hello")
    assert own.app.test_client().get("/silent").status_code == 500


def test_a_page_sends_to_the_sign_in_and_back(site: Site) -> None:
    answer = site.app.test_client().get("/tickets?intent=refund")
    assert answer.headers["Location"] == "/sign-in?next=%2Ftickets%3Fintent%3Drefund"


def test_password_lets_in(site: Site) -> None:
    client = site.signed_in("agent")
    assert client.get("/tickets").status_code == 200


def test_wrong_password_does_not(site: Site) -> None:
    site.person("agent")
    client = site.browser()
    sent = {"email": "agent@example.com", "password": "wrong", "csrf_token": csrf(client, "/sign-in")}
    assert client.post("/sign-in", data=sent).status_code == 401
    assert client.get("/tickets").status_code == 302


def test_a_form_without_its_token_is_refused(site: Site) -> None:
    client = site.browser()
    answer = client.post("/sign-in", data={"email": "admin@example.com", "password": PASSWORD})
    assert answer.status_code == 400
    assert "Load the page again" in answer.get_data(as_text=True)


def test_a_session_needs_the_csrf_token_at_the_api_too(site: Site) -> None:
    client = site.signed_in("analyst")
    sent = {"subject_kind": "market", "subject_id": "all", "until": "2999-01-01T00:00:00Z", "comment": "quiet"}
    refused = client.post("/api/v1/silences", json=sent)
    assert (refused.status_code, refused.get_json(force=True)["type"]) == (400, "/problems/csrf")
    headers = {"X-CSRFToken": csrf(client, "/alerts")}
    assert client.post("/api/v1/silences", json=sent, headers=headers).status_code == 201


def test_a_token_needs_no_csrf_token(site: Site) -> None:
    api = site.caller("alerts:write")
    sent = {"until": "2999-01-01T00:00:00Z", "comment": "night"}
    assert api("POST", "/api/v1/silences", json=sent).status_code == 201


def test_a_one_time_link_lets_in_once(site: Site) -> None:
    secret = keep_accounts.sign_in_link(site.services, site.person("analyst").id)
    first, second = site.browser(), site.browser()
    token = {"csrf_token": csrf(first, f"/sign-in/{secret}")}
    assert first.post(f"/sign-in/{secret}", data=token).headers["Location"] == "/"
    assert first.get("/alerts").status_code == 200
    again = second.post(f"/sign-in/{secret}", data={"csrf_token": csrf(second, f"/sign-in/{secret}")})
    assert "/sign-in" in again.headers["Location"]
    assert second.get("/alerts").status_code == 302


def test_role_decides(site: Site) -> None:
    agent = site.signed_in("agent")
    answer = agent.get("/api/v1/alerts")
    assert (answer.status_code, answer.get_json(force=True)["type"]) == (403, "/problems/not_allowed")
    assert "alerts:read" in answer.get_json(force=True)["detail"]


def test_scope_decides(site: Site) -> None:
    api = site.caller("alerts:read")
    assert api("GET", "/api/v1/alerts").status_code == 200
    assert api("GET", "/api/v1/tickets").status_code == 403


def test_a_token_never_does_more_than_its_owner(site: Site) -> None:
    api = site.caller("admin", role="agent")
    assert api("GET", "/api/v1/tickets").status_code == 200
    assert api("GET", "/api/v1/alerts").status_code == 403


@pytest.mark.parametrize("header", ["Bearer bw_unknown", "Bearer ", "bearer nonsense"])
def test_an_unknown_token_is_refused_everywhere(site: Site, header: str) -> None:
    client = site.signed_in("admin")
    answer = client.get("/api/v1/tickets", headers={"Authorization": header})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_an_expired_token_is_refused(site: Site) -> None:
    now = clock.now_ms()
    _, secret = keep_tokens.make_token(
        site.services,
        user_id=site.person("admin").id,
        name="short",
        scopes=("tickets:read",),
        expires_at=now + DAY_MS,
        viewer=SYSTEM,
    )
    client, headers = site.app.test_client(), {"Api-Access-Token": secret}
    assert client.get("/api/v1/tickets", headers=headers).status_code == 200
    with clock.frozen(now + 2 * DAY_MS):
        assert client.get("/api/v1/tickets", headers=headers).status_code == 401


def test_a_changed_password_ends_the_other_sessions(site: Site) -> None:
    person = site.person("agent", email="leaver@example.com")
    client = site.browser()
    sent = {"email": person.email, "password": PASSWORD, "csrf_token": csrf(client, "/sign-in")}
    client.post("/sign-in", data=sent)
    assert client.get("/tickets").status_code == 200
    keep_accounts.set_password(site.services, person.id, password="another long one", viewer=SYSTEM)
    assert client.get("/tickets").status_code == 302


def test_signing_out_ends_the_session(site: Site) -> None:
    client = site.signed_in("agent")
    client.post("/sign-out", data={"csrf_token": csrf(client, "/tickets")})
    assert client.get("/tickets").status_code == 302


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("/tickets?q=a", "/tickets?q=a"),
        ("//evil.example", "/"),
        ("https://evil.example", "/"),
        ("/\\evil.example", "/"),
        ("/\tevil", "/"),
        ("", "/"),
        (None, "/"),
    ],
)
def test_after_sign_in_one_stays_here(target: str | None, expected: str) -> None:
    assert access.safe_next(target) == expected
