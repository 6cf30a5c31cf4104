"""Addresses of the web: what is refused when it is saved, and what of one may be shown."""

from __future__ import annotations

import pytest

from app.core.config import load
from app.core.errors import InputError, SettingError
from app.core.outgoing import urls

SECRET = "TIiajkdnlazkcOXrIdevi7FQ"


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.slack.com/services/T0/B0/x?thread=1#x",
        "http://alertmanager:9093",
        "http://[2001:db8::1]:8080/x",
        "http://192.0.2.7/x",
        "https://münchen.example/x",
        "https://my_host.internal./x",
        "  https://example.com/x ",
    ],
)
def test_what_a_machine_may_be_called_is_taken(url: str) -> None:
    assert urls.check(url) == url.strip()


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ('http://x/"><', "bad_url_bad_character"),
        ("http://exa mple.org/", "bad_url_bad_character"),
        ("http://example.org/\r\nHost: x", "bad_url_bad_character"),
        ("http://x'onload=1/", "bad_url_odd_host"),
        ("http://a..b/", "bad_url_odd_host"),
        ("http://-x.example/", "bad_url_odd_host"),
        (f"http://{'a' * 64}.example/", "bad_url_odd_host"),
        ("http://" + "a." * 130 + "example/", "bad_url_odd_host"),
        ("http://2130706433/", "bad_url_odd_host"),
        ("http://ann:hunter2@example.com/", "bad_url_userinfo"),
        ("ftp://example.com/", "bad_url_scheme"),
        ("javascript:alert(1)", "bad_url_scheme"),
        ("http:///x", "bad_url"),
        ("http://example.org:99999/", "bad_url"),
        ("https://example.com/" + "x" * 3000, "bad_url"),
        ("", "bad_url_scheme"),
    ],
)
def test_what_no_machine_can_be_called_is_refused_and_not_repeated(url: str, code: str) -> None:
    with pytest.raises(InputError) as raised:
        urls.check(url)
    assert raised.value.code == code
    assert [(fault.pointer, fault.code) for fault in raised.value.fields] == [("/url", code)]
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (f"https://hooks.slack.com/services/T0/B0/{SECRET}", "https://hooks.slack.com/…"),
        (f"https://prod.logic.azure.com:443/?sig={SECRET}", "https://prod.logic.azure.com:443/…"),
        (f"https://ann:{SECRET}@example.com", "https://example.com"),
        ("http://alertmanager:9093/", "http://alertmanager:9093"),
        (f"{SECRET}", "…"),
    ],
)
def test_only_scheme_and_host_are_shown(url: str, shown: str) -> None:
    assert urls.mask(url) == shown


def test_the_setting_of_the_public_address_is_checked_alike() -> None:
    assert load({"BELLWETHER_BASE_URL": "https://desk.example/"}).public_url == "https://desk.example"
    for value in ('https://x/"><', "desk.example", "https://a..b"):
        with pytest.raises(SettingError, match="BELLWETHER_BASE_URL"):
            load({"BELLWETHER_BASE_URL": value})
