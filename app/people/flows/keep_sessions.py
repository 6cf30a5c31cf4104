"""Sessions: begun at a sign-in, asked at every request, and ended for good at a sign-out."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from app.core import clock
from app.core.db import Transaction
from app.core.errors import DatabaseBusy, NotFound
from app.core.events import history
from app.core.permissions import User, Viewer, digest
from app.core.services import Services
from app.people.domain import FORGOTTEN_MS, LASTS_MS, SEEN_MS, Origin, Session, SignInWay
from app.people.store import failed_sign_ins, sessions, sign_in_links, users


def begin(services: Services, user: User, *, way: SignInWay, origin: Origin) -> str:
    """Sign somebody in; returns the secret that their cookie holds, of which only the SHA-256 is kept."""
    secret = secrets.token_urlsafe(32)
    with services.db.transaction() as tx:
        sessions.insert(tx, user_id=user.id, hashed=digest(secret), origin=origin, at=clock.now_ms())
        after = {"way": way, "address": origin.address, "device": origin.device}
        _record(tx, user.id, actor=("agent", str(user.id)), verb="signed_in", after=after)
    return secret


def find(services: Services, secret: str) -> tuple[User, Session] | None:
    """Whose session this is; None when it has ended, or when the person may not sign in."""
    found = sessions.find_by_hash(services.db, digest(secret), now=clock.now_ms())
    if found is None:
        return None
    user = users.get(services.db, found.user_id)
    return (user, found) if user.is_active else None


def note_seen(services: Services, session: Session, *, origin: Origin) -> None:
    """Write down that a session is in use, once a minute; a busy database must not cost anyone their page."""
    now = clock.now_ms()
    if now - session.last_seen_at < SEEN_MS:
        return
    try:
        with services.db.transaction(wait_ms=0) as tx:
            sessions.touch(tx, session.id, origin=origin, at=now)
    except DatabaseBusy:
        return


def end(services: Services, session_id: int, *, user_id: int, viewer: Viewer) -> None:
    """End one of somebody's sessions; raises NotFound when it is not theirs or has ended."""
    with services.db.transaction() as tx:
        found = sessions.get(tx, session_id)
        if found.user_id != user_id:
            raise NotFound(noun="session", id=session_id)
        sessions.end(tx, session_id)
        after = {"address": found.address, "device": found.device}
        _record(tx, user_id, actor=history.of(viewer), verb="signed_out", after=after)


def end_all(services: Services, user_id: int, *, viewer: Viewer, but: int | None = None) -> int:
    """End somebody's sessions, all but one where one is named; how many."""
    with services.db.transaction() as tx:
        users.get(tx, user_id)
        n_ended = sessions.end_of_user(tx, user_id, but=but)
        if n_ended:
            _record(tx, user_id, actor=history.of(viewer), verb="sessions_ended", after={"n_ended": n_ended})
    return n_ended


def shut_out(tx: Transaction, user_id: int, *, but: int | None = None) -> None:
    """End, within another change, what would still let somebody in: sessions and sign-in links that were not used."""
    sessions.end_of_user(tx, user_id, but=but)
    sign_in_links.end(tx, user_id, at=clock.now_ms())


def forget(services: Services) -> int:
    """Forget sessions, links and failed sign-ins whose time is over; how many."""
    now = clock.now_ms()
    with services.db.transaction() as tx:
        return (
            sessions.expire(tx, before=now - LASTS_MS)
            + failed_sign_ins.expire(tx, before=now - FORGOTTEN_MS)
            + sign_in_links.expire(tx, before=now - LASTS_MS)
        )


def _record(tx: Transaction, user_id: int, *, actor: history.Actor, verb: str, after: Mapping[str, Any]) -> None:
    history.record(tx, actor=actor, verb=verb, noun="user", noun_id=user_id, after=after)
