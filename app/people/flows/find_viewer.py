"""The viewer of a person or of an API token: permissions, and the queues and feeds in sight."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from app.core.db import Reads
from app.core.errors import NotSignedIn
from app.core.permissions import PERMISSIONS, TOKEN_SCOPES, User, Viewer
from app.core.registry import Registry
from app.core.services import Services
from app.core.viewers import Person
from app.people.flows import keep_tokens
from app.people.store import teams, users

SIGHTS: Registry[Callable[[Reads, Sequence[int]], frozenset[int]]] = Registry()
"""For `queues` and `feeds`: the ids of those that the people of these teams see."""


def viewer_for(services: Services, user: User) -> Viewer:
    """The viewer of a person: the role's permissions, and the queues and feeds of their teams and of no team."""
    return _viewer(services, user, permissions=PERMISSIONS[user.role], actor_kind="agent", actor_id=user.id)


def viewer_for_token(services: Services, secret: str) -> Viewer:
    """The viewer of a token: its scopes within its owner's role; raises NotSignedIn where it is not in force."""
    token = keep_tokens.in_force(services, secret)
    user = users.get(services.db, token.user_id)
    if not user.is_active:
        raise NotSignedIn("bad_token")
    keep_tokens.note_used(services, token)
    granted = frozenset[str]().union(*(TOKEN_SCOPES.get(scope, frozenset()) for scope in token.scopes))
    allowed = PERMISSIONS[user.role]
    permissions = granted if "*:*" in allowed else allowed if "*:*" in granted else granted & allowed
    return _viewer(services, user, permissions=permissions, actor_kind="token", actor_id=token.id)


def find_person(services: Services, user_id: int) -> Person:
    """The person with this user id, as a viewer; raises NotFound."""
    user = users.get(services.db, user_id)
    return Person(viewer=viewer_for(services, user), is_active=user.is_active)


def _viewer(
    services: Services,
    user: User,
    *,
    permissions: frozenset[str],
    actor_kind: Literal["agent", "token"],
    actor_id: int,
) -> Viewer:
    team_ids = [team.id for team in teams.of_user(services.db, user.id)]
    is_admin = user.role == "admin"
    return Viewer(
        user_id=user.id,
        name=user.name,
        role=user.role,
        permissions=permissions,
        queue_ids=None if is_admin else SIGHTS["queues"](services.db, team_ids),
        feed_ids=None if is_admin else SIGHTS["feeds"](services.db, team_ids),
        locale=user.locale,
        zone=user.zone,
        actor_kind=actor_kind,
        actor_id=str(actor_id),
    )
