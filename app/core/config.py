"""The settings of the app: one table of name, type, default and help; read from BELLWETHER_* in the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any, get_type_hints
from zoneinfo import ZoneInfo

from app.core.errors import SettingError, UnknownSetting
from app.core.outgoing import urls

PREFIX = "BELLWETHER_"
ELSEWHERE = frozenset({PREFIX + name for name in ("DATA", "ENCODER", "RUNS", "THREADS", "TRAINING_MARK")})
"""Names that training and its tools read."""


def _setting(default: Any, text: str, *, least: float = 0, most: float = 1e9) -> Any:
    """A setting with its help; a number has to lie between `least` and `most`."""
    return field(default=default, metadata={"help": text, "least": least, "most": most})


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Every setting with its default; `BELLWETHER_PORT=9000` sets `port`."""

    instance: Path = _setting(Path("instance"), "Folder of the database, attachments and own models.")
    models: Path = _setting(Path("models"), "Folder of the shipped model artifacts.")
    host: str = _setting("127.0.0.1", "Address the server listens on.")
    port: int = _setting(8000, "Port the server listens on.", least=0, most=65535)
    secret_key: str = _setting("", "Signs sessions and links; empty: made once and kept under the instance folder.")
    server_threads: int = _setting(12, "Threads that answer requests.", least=1, most=256)
    connections: int = _setting(1000, "Most connections at once; fewer where the system allows fewer files.", least=1)
    address_connections: int = _setting(
        100, "Most connections at once from one address that is no trusted proxy.", least=1
    )
    stall_seconds: float = _setting(
        30.0, "How long a client may send or take less than 2 kB a second before it is cut off.", least=1
    )
    engine_threads: int = _setting(2, "Threads of one model run.", least=1, most=256)
    engine_queue: int = _setting(
        60_000, "Tokens, about 4 characters each, that may wait for the model before requests get 429.", least=1
    )
    engine_wait_ms: float = _setting(2.0, "How long a text waits for company while the model is busy.")
    engine_cache: int = _setting(20_000, "Answers kept for texts seen before.")
    intent_task: str = _setting("commerce_intent", "Intent task in force where a queue names none.")
    languages: str = _setting("en", "Languages the live model can read, as ISO 639-1 codes with commas between.")
    locale: str = _setting("en", "Language of the interface for people who have not chosen: en or zh.")
    zone: str = _setting("UTC", "Time zone for people who have not chosen.")
    is_routing: bool = _setting(True, "Whether the model's intent moves a ticket to its queue.")
    max_body_bytes: int = _setting(2_000_000, "Largest request body; larger is answered with 413.", least=1000)
    max_upload_bytes: int = _setting(64_000_000, "Largest uploaded file of posts, tickets or mail.", least=1000)
    max_attachment_bytes: int = _setting(10_000_000, "Largest attachment that is kept.")
    max_batch: int = _setting(1000, "Most texts in one API call.", least=1)
    sla_first_response_hours: float = _setting(8.0, "Hours until the first response of a normal ticket is due.")
    sla_resolution_hours: float = _setting(48.0, "Hours until the resolution of a normal ticket is due.")
    tick_seconds: float = _setting(15.0, "How often rules are evaluated and due feeds fetched.", least=0.01)
    fetch_minutes: int = _setting(10, "How often an RSS or Atom feed is fetched.", least=1)
    mail_poll_seconds: float = _setting(60.0, "How often a mailbox is looked into.", least=0.01)
    is_fetching_private: bool = _setting(False, "Whether feeds, webhooks and mail servers may have private addresses.")
    is_secure_cookie: bool = _setting(False, "Whether the session cookie is sent over HTTPS only.")
    stream_clients: int = _setting(4, "Most live streams at once in one process.")
    base_url: str = _setting("", "Public address used in notifications; empty: http://host:port.")
    trusted_proxies: str = _setting(
        "", "Addresses or networks of reverse proxies whose X-Forwarded-For is believed, with commas between."
    )

    @property
    def database(self) -> Path:
        """The SQLite file."""
        return self.instance / "bellwether.sqlite"

    @property
    def proxy_networks(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """The networks of `trusted_proxies`; ValueError where one is none."""
        return tuple(ip_network(name.strip()) for name in self.trusted_proxies.split(",") if name.strip())

    @property
    def public_url(self) -> str:
        """The beginning of links in notifications, without a trailing slash."""
        return (self.base_url or f"http://{self.host}:{self.port}").rstrip("/")


_EXPECTED = {int: "whole number", float: "number", bool: "truth value (1 or 0)", Path: "path", str: "text"}
_BOOLEANS = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}


def _parsed(kind: Any, text: str) -> Any:
    if kind is bool:
        if text.strip().lower() not in _BOOLEANS:
            raise ValueError(text)
        return _BOOLEANS[text.strip().lower()]
    return kind(text)


def load(environment: Mapping[str, str] | None = None, **overrides: Any) -> Settings:
    """Settings from the environment, then `overrides`; a value that cannot be used raises SettingError."""
    source = os.environ if environment is None else environment
    kinds = get_type_hints(Settings)
    _check_names(source)
    values: dict[str, Any] = {}
    for entry in fields(Settings):
        text = source.get(PREFIX + entry.name.upper())
        if text is None or entry.name in overrides:
            continue
        try:
            values[entry.name] = _parsed(kinds[entry.name], text)
        except ValueError:
            raise _refused(entry.name, value=text, expected=_EXPECTED[kinds[entry.name]]) from None
    settings = Settings(**{**values, **overrides})
    _check(settings)
    return settings


def _check_names(source: Mapping[str, str]) -> None:
    """A name that is nearly a setting's would be ignored without a word; its value may be a secret and is not told."""
    known = [entry.name.upper() for entry in fields(Settings)]
    for name in sorted(source):
        bare = name.removeprefix(PREFIX)
        if name.startswith(PREFIX) and bare not in known and name not in ELSEWHERE:
            meant = get_close_matches(bare, known, n=1)
            raise UnknownSetting(name=name, nearest=PREFIX + meant[0] if meant else "")


def _check(settings: Settings) -> None:
    for entry in fields(Settings):
        value, least, most = getattr(settings, entry.name), entry.metadata["least"], entry.metadata["most"]
        if isinstance(value, int | float) and not least <= value <= most:
            raise _refused(entry.name, value=value, expected=f"number from {least:g} to {most:g}")
    try:
        ZoneInfo(settings.zone)
    except (KeyError, ValueError, OSError):
        raise _refused("zone", value=settings.zone, expected="time zone") from None
    try:
        if settings.base_url:
            urls.parse(settings.base_url)
    except urls.BadUrl:
        raise _refused("base_url", value=settings.base_url, expected="address such as https://desk.example") from None
    try:
        _ = settings.proxy_networks
    except ValueError:
        expected = "list of addresses or networks"
        raise _refused("trusted_proxies", value=settings.trusted_proxies, expected=expected) from None


def _refused(name: str, *, value: object, expected: str) -> SettingError:
    return SettingError(name=PREFIX + name.upper(), value=value, expected=expected)


def table() -> list[tuple[str, str, str, str]]:
    """Rows of name, type, default and help, for app/README.md and `flask settings`."""
    kinds = get_type_hints(Settings)
    return [
        (PREFIX + entry.name.upper(), kinds[entry.name].__name__, str(entry.default), entry.metadata["help"])
        for entry in fields(Settings)
    ]
