"""Who is asking behind a reverse proxy: only trusted proxies are believed, and only as far as they can know."""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path

import pytest
from flask import request

from app.web.access import public
from app.web.serving.forwarded import client_of
from tests.app.site import Site, make_site
from tests.serving import request as request_bytes
from tests.serving import rest_of, serving

TRUSTED = (ip_network("10.0.0.0/8"), ip_network("2001:db8:5::/48"))


@pytest.mark.parametrize(
    ("header", "client"),
    [
        ("", ""),
        ("192.0.2.7", "192.0.2.7"),
        ("198.51.100.9, 192.0.2.7", "192.0.2.7"),
        ("198.51.100.9, 192.0.2.7, 10.1.1.1, 10.2.2.2", "192.0.2.7"),
        ("10.1.1.1, 10.2.2.2", "10.1.1.1"),
        ("192.0.2.7, nonsense, 10.2.2.2", "10.2.2.2"),
        ("nonsense", ""),
        ("192.0.2.7:4711", "192.0.2.7"),
        ('"[2001:db8:9::1]:4711", 2001:db8:5::2', "2001:db8:9::1"),
        ("::ffff:192.0.2.7, ::ffff:10.0.0.1", "192.0.2.7"),
        ("192.0.2.7," + "10.1.1.1," * 100_000 + "10.1.1.1", "10.1.1.1"),
    ],
)
def test_the_client_is_the_last_entry_that_is_no_proxy(header: str, client: str) -> None:
    assert client_of(header, networks=TRUSTED) == client


@pytest.fixture
def behind(tmp_path: Path) -> Site:
    """A site behind a proxy in 10.0.0.0/8, with a page that tells who asks."""
    return _telling(make_site(tmp_path, trusted_proxies="10.0.0.0/8"))


def _telling(site: Site) -> Site:
    site.app.add_url_rule("/who", "who", public(lambda: {"address": request.remote_addr, "scheme": request.scheme}))
    return site


def _asked(site: Site, *, peer: str) -> dict[str, str]:
    headers = {"X-Forwarded-For": "203.0.113.1, 192.0.2.7", "X-Forwarded-Proto": "https"}
    answer = site.app.test_client().get("/who", headers=headers, environ_base={"REMOTE_ADDR": peer})
    told: dict[str, str] = answer.get_json()
    return told


def test_a_trusted_proxy_is_believed(behind: Site) -> None:
    assert _asked(behind, peer="10.3.0.1") == {"address": "192.0.2.7", "scheme": "https"}
    assert _asked(behind, peer="::ffff:10.3.0.1") == {"address": "192.0.2.7", "scheme": "https"}


def test_the_server_hands_the_headers_on(tmp_path: Path) -> None:
    site = _telling(make_site(tmp_path, trusted_proxies="127.0.0.2"))
    headers = "Connection: close\r\nX-Forwarded-For: 192.0.2.7\r\n"
    with serving(site.app) as made:
        for source, told in (("127.0.0.2", b"192.0.2.7"), ("127.0.0.3", b"127.0.0.3")):
            with made.connect(source=source) as client:
                client.sendall(request_bytes("/who", headers=headers))
                assert told in rest_of(client)


def test_anybody_else_is_not(behind: Site, tmp_path: Path) -> None:
    assert _asked(behind, peer="192.0.2.99") == {"address": "192.0.2.99", "scheme": "http"}
    alone = _telling(make_site(tmp_path / "alone"))
    assert _asked(alone, peer="10.3.0.1") == {"address": "10.3.0.1", "scheme": "http"}
