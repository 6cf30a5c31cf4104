"""The client behind a reverse proxy: X-Forwarded-For and X-Forwarded-Proto are accepted only from the networks of
`trusted_proxies`, under every WSGI server alike."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

MOST_HOPS = 64
"""Entries of the header that are read; real chains of proxies are shorter."""


class ForwardedClient:
    """A WSGI application behind proxies, which sees REMOTE_ADDR and the scheme of the client.

    A request whose peer is no trusted proxy is passed on unchanged.
    """

    def __init__(self, application: Any, *, networks: Sequence[Network]) -> None:
        self._application = application
        self._networks = tuple(networks)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer the request of the client behind the proxies."""
        if is_within(environ.get("REMOTE_ADDR", ""), networks=self._networks):
            client = client_of(environ.get("HTTP_X_FORWARDED_FOR", ""), networks=self._networks)
            if client:
                environ["REMOTE_ADDR"] = environ["REMOTE_HOST"] = client
            scheme = environ.get("HTTP_X_FORWARDED_PROTO", "").rpartition(",")[2].strip().lower()
            if scheme in ("http", "https"):
                environ["wsgi.url_scheme"] = scheme
        answer: Iterable[bytes] = self._application(environ, start_response)
        return answer


def client_of(header: str, *, networks: Sequence[Network]) -> str:
    """Return the client in X-Forwarded-For: the last entry that is no trusted proxy, else the first; "" for none.

    Only entries written by a trusted proxy count; those before an entry that is no address may be forged.
    """
    client = ""
    for entry in reversed(header.split(",")[-MOST_HOPS:]):
        found = parse_address(entry)
        if found is None:
            break
        client = str(found)
        if not is_within(client, networks=networks):
            break
    return client


def is_within(address: str, *, networks: Sequence[Network]) -> bool:
    """Return True for an address in one of the networks."""
    found = parse_address(address) if networks else None
    return found is not None and any(found in network for network in networks)


def parse_address(entry: str) -> Address | None:
    """Return the address of an entry such as `192.0.2.1`, `192.0.2.1:80`, `"[2001:db8::1]:80"`; None without one.

    An IPv4-mapped IPv6 address is returned as the IPv4 address.
    """
    bare = entry.strip().strip('"')
    if bare.startswith("["):
        bare = bare[1:].partition("]")[0]
    elif bare.count(":") == 1:
        bare = bare.partition(":")[0]
    try:
        found = ip_address(bare)
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found
