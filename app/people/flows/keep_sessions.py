"""Sessions: begun at a sign-in, looked up at every request, and ended for good at a sign-out."""

from __future__ import annotations

import secrets

from app.core import clock
from app.core.db import Reads, Transaction
from app.core.errors import DatabaseBusy, NotFound
from app.core.events import history
from app.core.permissions import User, Viewer, digest
from app.core.services import Services
from app.people.domain import FAILURES_KEPT_MS, SEEN_EVERY_MS, SESSION_MS, Origin, Session, SignInWay
from app.people.store import failed_sign_ins, sessions, sign_in_links, users


def begin(services: Services, user: User, *, way: SignInWay, origin: Origin) -> str:
    """Sign somebody in; returns the secret for their cookie, of which only the SHA-256 is kept."""
    secret = secrets.token_urlsafe(32)
    with services.db.transaction() as tx:
        sessions.insert(tx, user_id=user.id, hashed=digest(secret), origin=origin, at=clock.now_ms())
        after = {"way": way, "address": origin.address, "device": origin.device}
        actor = ("agent", str(user.id))
        history.record(tx, actor=actor, verb="signed_in", noun="user", noun_id=user.id, after=after)
    return secret


def find(services: Services, secret: str) -> tuple[User, Session] | None:
    """The person and the session with this secret; None once it has ended or the person may not sign in."""
    found = sessions.find_by_hash(services.db, digest(secret), now=clock.now_ms())
    if found is None:
        return None
    user = users.get(services.db, found.user_id)
    return (user, found) if user.is_active else None


def of_user(db: Reads, user_id: int) -> tuple[Session, ...]:
    """The sessions of a user that are in force, the latest seen first."""
    return sessions.of_user(db, user_id, now=clock.now_ms())


def note_seen(services: Services, session: Session, *, origin: Origin) -> None:
    """Write down that a session is in use, once a minute; a busy database does not fail the request."""
    now = clock.now_ms()
    if now - session.last_seen_at < SEEN_EVERY_MS:
        return
    try:
        with services.db.transaction(wait_ms=0) as tx:
            sessions.touch(tx, session.id, origin=origin, at=now)
    except DatabaseBusy:
        return


def end(services: Services, session_id: int, *, user_id: int, viewer: Viewer) -> None:
    """End one session of a user; raises NotFound where it is not theirs or has ended."""
    with services.db.transaction() as tx:
        found = sessions.get(tx, session_id)
        if found.user_id != user_id:
            raise NotFound(noun="session", id=session_id)
        sessions.end(tx, session_id)
        after = {"address": found.address, "device": found.device}
        history.record(tx, actor=history.of(viewer), verb="signed_out", noun="user", noun_id=user_id, after=after)


def end_all(services: Services, user_id: int, *, viewer: Viewer, but: int | None = None) -> int:
    """End the sessions of a user except the one named `but`; returns their number. Raises NotFound."""
    with services.db.transaction() as tx:
        users.get(tx, user_id)
        n_ended = sessions.end_of_user(tx, user_id, but=but)
        if n_ended:
            after = {"n_ended": n_ended}
            history.record(
                tx, actor=history.of(viewer), verb="sessions_ended", noun="user", noun_id=user_id, after=after
            )
    return n_ended


def shut_out(tx: Transaction, user_id: int) -> None:
    """End, within another change, the sessions and the unused sign-in links of a user."""
    sessions.end_of_user(tx, user_id)
    sign_in_links.end(tx, user_id, at=clock.now_ms())


def delete_expired(services: Services) -> int:
    """Delete sessions, links and failed sign-ins whose time is over; returns their number."""
    now = clock.now_ms()
    with services.db.transaction() as tx:
        return (
            sessions.expire(tx, before=now - SESSION_MS)
            + failed_sign_ins.expire(tx, before=now - FAILURES_KEPT_MS)
            + sign_in_links.expire(tx, before=now - SESSION_MS)
        )
