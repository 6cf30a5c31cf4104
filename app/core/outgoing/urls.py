"""URLs: the one check of those that people and settings give, and their form without secrets."""

from __future__ import annotations

import re
from ipaddress import ip_address

from urllib3.exceptions import LocationParseError
from urllib3.util import Url, parse_url

from app.core.errors import FieldError, InputError

LONGEST = 2048
PORTS = {"http": 80, "https": 443}
MASK = "…"

_NOT_IN_URLS = re.compile(r"[\x00-\x20\x7f\\<>\"^`{|}\u2028\u2029]")
# Hosts like 2130706433, 0177.0.0.1, 0x7f.1 and 127.1, which the system's resolver would take for addresses.
_ODD_NUMBER = re.compile(r"(?:0x[0-9a-f]*|\d+)(?:\.(?:0x[0-9a-f]*|\d+))*\.?", re.I)
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?", re.I)
_LONGEST_HOST = 253


class BadUrl(ValueError):
    """Text that is no web address: `reason` is `bad_url`, `bad_character`, `scheme`, `userinfo` or `odd_host`.

    `part` is the faulty part of the text.
    """

    def __init__(self, reason: str, *, part: str = "") -> None:
        self.reason, self.part = reason, part
        super().__init__(reason, part)


def parse(url: str) -> Url:
    """Return the parts of an http or https URL whose host can exist; raises BadUrl."""
    check_characters(url)
    try:
        found = parse_url(url)
    except (LocationParseError, ValueError):
        raise BadUrl("bad_url") from None
    if (found.scheme or "").lower() not in PORTS:
        raise BadUrl("scheme")
    if found.auth is not None or "@" in (found.netloc or ""):
        raise BadUrl("userinfo")
    if not found.host:
        raise BadUrl("bad_url")
    if not is_host(found.host):
        raise BadUrl("odd_host", part=found.host)
    return found


def check_characters(url: str) -> None:
    """Raise BadUrl for text that is too long for a URL or holds a character that none may contain."""
    if len(url) > LONGEST:
        raise BadUrl("bad_url")
    if wrong := wrong_character(url):
        raise BadUrl("bad_character", part=wrong if wrong.isprintable() and wrong != " " else f"U+{ord(wrong):04X}")


def wrong_character(text: str) -> str:
    """Return the first character that no URL may contain unescaped; empty without one."""
    found = _NOT_IN_URLS.search(text)
    return found[0] if found else ""


def is_host(name: str) -> bool:
    """Return True for a name that a machine can have: an IP address in its usual form, or domain name labels."""
    bare = name.strip("[]")
    try:
        ip_address(bare)
    except ValueError:
        labels = bare.removesuffix(".").split(".")
        is_named = len(bare) <= _LONGEST_HOST and all(_LABEL.fullmatch(label) for label in labels)
        return is_named and not is_odd_number(bare)
    # A zone (fe80::1%eth0) names a network card of this machine, not a machine of the web.
    return "%" not in bare


def is_odd_number(host: str) -> bool:
    """Return True for a number that resolvers take for an IPv4 address in another form."""
    return _ODD_NUMBER.fullmatch(host) is not None


def check(url: str) -> str:
    """Return a given URL without blanks around it; raises InputError with its fault."""
    try:
        parse(url.strip())
    except BadUrl as fault:
        raise input_error(fault) from None
    return url.strip()


def input_error(fault: BadUrl) -> InputError:
    """Return the error for a bad URL; it does not repeat the URL, which may hold a secret."""
    code = fault.reason if fault.reason == "bad_url" else f"bad_url_{fault.reason}"
    fields = [FieldError(pointer="/url", code=code, params=(("part", fault.part),))]
    return InputError(code, fields=fields, part=fault.part)


def mask(url: str) -> str:
    """Return scheme, host and port with `…` for path and query, which are as good as a password for a webhook."""
    try:
        parts = parse_url(url)
    except (LocationParseError, ValueError):
        return MASK
    if not parts.scheme or not parts.host:
        return MASK
    port = "" if parts.port is None else f":{parts.port}"
    has_more = bool((parts.path or "").strip("/") or parts.query or parts.fragment)
    return f"{parts.scheme}://{parts.host}{port}" + (f"/{MASK}" if has_more else "")
