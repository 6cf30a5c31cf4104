"""Tokens: shown once, kept as a hash, one's own."""

from __future__ import annotations

import pytest

from tests.app.site import Site


def test_a_token_is_shown_once_works_and_is_revoked(site: Site) -> None:
    api = site.caller("admin")
    made = api("POST", "/api/v1/tokens", json={"name": "bot", "scopes": ["alerts:read"]}).get_json()
    listed = api("GET", "/api/v1/tokens").get_data(as_text=True)
    assert made["prefix"] in listed
    assert made["secret"] not in listed
    own = {"Authorization": f"Bearer {made['secret']}"}
    client = site.app.test_client()
    assert client.get("/api/v1/alerts", headers=own).status_code == 200
    assert api("DELETE", f"/api/v1/tokens/{made['id']}").status_code == 204
    assert client.get("/api/v1/alerts", headers=own).status_code == 401


def test_a_secret_is_not_kept_for_a_repeated_key(site: Site) -> None:
    api, headers = site.caller("admin"), {"Idempotency-Key": "token-1"}
    sent = {"name": "bot", "scopes": ["alerts:read"]}
    secrets = {api("POST", "/api/v1/tokens", json=sent, headers=headers).get_json()["secret"] for _ in range(2)}
    assert len(secrets) == 2


@pytest.mark.parametrize(
    ("sent", "pointer"),
    [
        ({"scopes": ["alerts:read"]}, "/name"),
        ({"name": "x"}, "/scopes"),
        ({"name": "x", "scopes": []}, "/scopes"),
        ({"name": "x", "scopes": ["everything"]}, "/scopes/0"),
        ({"name": "x", "scopes": ["predict"], "expires_at": "soon"}, "/expires_at"),
    ],
)
def test_tokens_that_cannot_be_made(site: Site, sent: dict[str, object], pointer: str) -> None:
    answer = site.caller("admin")("POST", "/api/v1/tokens", json=sent)
    assert answer.status_code == 422
    assert answer.get_json(force=True)["errors"][0]["pointer"] == pointer


def test_somebody_else_s_token_is_out_of_sight(site: Site) -> None:
    made = site.caller("admin")("POST", "/api/v1/tokens", json={"name": "bot", "scopes": ["predict"]}).get_json()
    agent = site.caller("admin", role="agent")
    assert agent("DELETE", f"/api/v1/tokens/{made['id']}").status_code == 404
    assert made["id"] not in [one["id"] for one in agent("GET", "/api/v1/tokens").get_json()["data"]]
