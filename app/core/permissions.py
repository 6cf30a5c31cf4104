"""Users, viewers, tokens and teams, and the permissions of each role and token scope."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal

from app.core.errors import NotAllowed

UserRole = Literal["agent", "analyst", "admin"]

PERMISSIONS: dict[UserRole, frozenset[str]] = {
    "agent": frozenset({
        "tickets:read", "tickets:write", "messages:write", "macros:read", "routing:read", "articles:read",
        "reports:read", "predictions:make", "models:read", "account:write", "jobs:read", "stream:read",
    }),
    "analyst": frozenset({
        "posts:read", "posts:write", "market:read", "alerts:read", "alerts:write", "rules:read", "rules:write",
        "receivers:read", "feeds:read", "feeds:write", "predictions:make", "recommendations:read", "feedback:write",
        "dashboards:write", "models:read", "account:write", "jobs:read", "stream:read",
    }),
    "admin": frozenset({"*:*"}),
}  # fmt: skip

TOKEN_SCOPES: dict[str, frozenset[str]] = {
    "predict": frozenset({"predictions:make", "models:read"}),
    "messages:write": frozenset({"messages:write"}),
    "tickets:read": frozenset(
        {"tickets:read", "macros:read", "routing:read", "articles:read", "stream:read", "jobs:read"}
    ),
    "tickets:write": frozenset({"tickets:read", "tickets:write", "messages:write"}),
    "posts:read": frozenset({"posts:read", "market:read", "feeds:read", "recommendations:read", "stream:read"}),
    "posts:write": frozenset({"posts:read", "posts:write", "feedback:write", "dashboards:write", "jobs:read"}),
    "alerts:read": frozenset({"alerts:read", "rules:read", "receivers:read", "stream:read"}),
    "alerts:write": frozenset({"alerts:read", "alerts:write", "rules:read", "rules:write", "receivers:read"}),
    "admin": frozenset({"*:*"}),
}


@dataclass(frozen=True, kw_only=True)
class User:
    """A person who signs in; an Agent is a user of role agent. `password_hash` never leaves the sign-in."""

    id: int
    name: str
    email: str
    role: UserRole
    locale: str = "en"
    zone: str = "UTC"
    is_active: bool = True
    password_hash: str | None = None
    version: int = 1


@dataclass(frozen=True, kw_only=True)
class Viewer:
    """The reader or actor of a query: permissions, and the queues and feeds in sight (None: all of them).

    `actor_kind` and `actor_id` are shown in events and the audit trail.
    """

    user_id: int | None
    name: str
    role: UserRole
    permissions: frozenset[str]
    queue_ids: frozenset[int] | None = None
    feed_ids: frozenset[int] | None = None
    locale: str = "en"
    zone: str = "UTC"
    actor_kind: Literal["agent", "token", "rule", "model", "system"] = "agent"
    actor_id: str = ""

    def may(self, permission: str) -> bool:
        """Return True where `noun:verb` is among the permissions; `*:*` is everything."""
        return "*:*" in self.permissions or permission in self.permissions

    def person_id(self, *, permission: str) -> int:
        """Return the id of the person who acts; raises NotAllowed for a viewer who is none."""
        if self.user_id is None:
            raise NotAllowed(permission=permission)
        return self.user_id

    def sees_queue(self, queue_id: int | None) -> bool:
        """Return True where a queue, with its tickets, is in sight."""
        return self.queue_ids is None or queue_id in self.queue_ids

    def sees_feed(self, feed_id: int | None) -> bool:
        """Return True where a feed, with its posts, is in sight."""
        return self.feed_ids is None or feed_id in self.feed_ids


SYSTEM = Viewer(
    user_id=None,
    name="Bellwether",
    role="admin",
    permissions=frozenset({"*:*"}),
    actor_kind="system",
    actor_id="system",
)


@dataclass(frozen=True, kw_only=True)
class Token:
    """An API token: only its SHA-256 is kept; a list shows the `prefix`."""

    id: int
    user_id: int
    name: str
    prefix: str
    scopes: tuple[str, ...]
    created_at: int
    expires_at: int | None = None
    last_used_at: int | None = None
    revoked_at: int | None = None
    version: int = 1


@dataclass(frozen=True, kw_only=True)
class Team:
    """People who own queues and feeds together."""

    id: int
    name: str
    version: int = 1
    user_ids: tuple[int, ...] = ()


def digest(secret: str) -> str:
    """Return the SHA-256 of the secret of a token, a sign-in link or a session, which is kept in its place."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
