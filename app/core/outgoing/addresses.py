"""The addresses that may be called: the guard against server-side request forgery (CWE-918)."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from urllib3.util import Url

from app.core.errors import OutgoingError, OutgoingRefused
from app.core.outgoing import urls

Address = IPv4Address | IPv6Address

# Ports of mail servers: SMTP and IMAP, in the clear and inside TLS.
_MAIL_PORTS = frozenset({25, 143, 465, 587, 993})
# Ports over 1024 that browsers refuse too (WHATWG Fetch, "port blocking"): other protocols listen there.
_OTHER_PROTOCOLS = frozenset({1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6379, 6566, 6665, 6666, 6667,
                              6668, 6669, 6679, 6697, 10080, 11211})  # fmt: skip
# Metadata services of clouds: never a feed, not even where private addresses are allowed.
_METADATA = frozenset(
    ip_address(text)
    for text in ("169.254.169.254", "169.254.170.2", "168.63.129.16", "100.100.100.200", "192.0.0.192", "fd00:ec2::254")
)
# Networks that carry an IPv4 address inside: NAT64 and 6to4; Teredo is refused as a whole.
_NAT64, _6TO4, _TEREDO = IPv6Network("64:ff9b::/96"), IPv6Network("2002::/16"), IPv6Network("2001::/32")
_NAT64_LOCAL = IPv6Network("64:ff9b:1::/48")
_ALSO_SPECIAL = (IPv4Network("192.88.99.0/24"), IPv4Network("100.64.0.0/10"), IPv4Network("198.18.0.0/15"))


@dataclass(frozen=True, kw_only=True)
class Target:
    """A checked address to call: `address` is the IP to connect to, `host` the name that was asked for."""

    url: str
    scheme: str
    host: str
    port: int
    path: str
    address: str

    @property
    def origin(self) -> tuple[str, str, int]:
        """Scheme, host and port; a redirect to another origin gets no credentials."""
        return self.scheme, self.host, self.port

    @property
    def host_header(self) -> str:
        """The Host header, with the port where it is not the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == urls.PORTS[self.scheme] else f"{host}:{self.port}"


def target_of(url: str, *, allow_private: bool) -> Target:
    """Check a URL and resolve its host; raises OutgoingRefused with a `reason`, OutgoingError for an unknown host.

    Reasons: `bad_url`, `scheme`, `userinfo`, `port`, `odd_host`, `not_public`.
    """
    parsed = _parsed(url)
    scheme, host = (parsed.scheme or "").lower(), (parsed.host or "").strip("[]").lower()
    port = parsed.port if parsed.port is not None else urls.PORTS[scheme]
    if (port < 1024 and port not in urls.PORTS.values()) or port in _OTHER_PROTOCOLS:
        raise OutgoingRefused(url=url, reason="port", port=port)
    addresses = _resolved(url, host=host, port=port)
    if not all(is_allowed(address, allow_private=allow_private) for address in addresses):
        raise OutgoingRefused(url=url, reason="not_public", host=host)
    return Target(
        url=url, scheme=scheme, host=host, port=port, path=parsed.request_uri or "/", address=str(addresses[0])
    )


def mail_address(host: str, *, port: int, allow_private: bool) -> str:
    """Return the checked IP address of a mail server; raises OutgoingRefused and OutgoingError like `target_of`."""
    name = host.strip().strip("[]").lower()
    if not name or urls.wrong_character(name) or "/" in name:
        raise OutgoingRefused(url=host[:200], reason="bad_url")
    if (port < 1024 and port not in _MAIL_PORTS) or port in _OTHER_PROTOCOLS or not 0 < port < 65536:
        raise OutgoingRefused(url=host, reason="port", port=port)
    addresses = _resolved(host, host=name, port=port)
    if not all(is_allowed(address, allow_private=allow_private) for address in addresses):
        raise OutgoingRefused(url=host, reason="not_public", host=name)
    return str(addresses[0])


def is_allowed(address: Address, *, allow_private: bool) -> bool:
    """Return True for a public unicast address; with `allow_private` for any but those of metadata services."""
    judged = tuple(_embedded(address))
    if address not in _NAT64:
        judged = (*judged, address)
    return all(_is_allowed(each, allow_private=allow_private) for each in judged)


def _is_allowed(address: Address, *, allow_private: bool) -> bool:
    if address in _METADATA or address.is_multicast:
        return False
    if allow_private:
        return True
    if isinstance(address, IPv4Address) and any(address in network for network in _ALSO_SPECIAL):
        return False
    return address.is_global and not (address.is_reserved or address.is_link_local or address.is_unspecified)


def _embedded(address: Address) -> Iterator[Address]:
    """Yield the IPv4 address that an IPv6 address is translated or tunnelled to."""
    if isinstance(address, IPv4Address):
        return
    number = int(address)
    if address.ipv4_mapped is not None:
        yield address.ipv4_mapped
    elif address in _NAT64 or number >> 32 == 0:
        yield IPv4Address(number & 0xFFFFFFFF)
    elif address in _6TO4:
        yield IPv4Address(number >> 80 & 0xFFFFFFFF)
    elif address in _TEREDO or address in _NAT64_LOCAL:
        yield IPv4Address(0)  # wherever it leads, it is refused


def _parsed(url: str) -> Url:
    try:
        return urls.parse(url)
    except urls.BadUrl as fault:
        reason = "bad_url" if fault.reason == "bad_character" else fault.reason
        raise OutgoingRefused(url=url[:200], reason=reason, host=fault.part) from fault


def _resolved(url: str, *, host: str, port: int) -> tuple[Address, ...]:
    """Return all addresses of a host, in the resolver's order."""
    try:
        return (ip_address(host),)
    except ValueError:
        if urls.is_odd_number(host) or "%" in host:
            raise OutgoingRefused(url=url, reason="odd_host", host=host) from None
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise OutgoingError(url=url, reason="unknown_host", host=host) from error
    return tuple(dict.fromkeys(ip_address(str(entry[4][0]).partition("%")[0]) for entry in found))
