"""Signing in: by password, slowed for who guesses, or by a link that opens once."""

from __future__ import annotations

import secrets
from functools import cache
from ipaddress import IPv6Address, ip_address

from werkzeug.security import check_password_hash, generate_password_hash

from app.core import clock
from app.core.db import Reads, Transaction
from app.core.durations import HOUR_MS
from app.core.errors import Overloaded
from app.core.events import history
from app.core.permissions import SYSTEM, User, digest
from app.core.services import Services
from app.people.domain import PATIENCE, Origin, is_told
from app.people.store import failed_sign_ins, sign_in_links, users
from app.people.store.failed_sign_ins import Failures

MOST_TOLD_AN_HOUR = 100
"""Addresses of which the history tells in an hour that they tried accounts which do not exist."""

_Keys = dict[str, str]


def with_password(services: Services, *, email: str, password: str, origin: Origin) -> User | None:
    """The person with this e-mail address and password, or None.

    Raises Overloaded `sign_in_slowed` while too many have failed for the account or from the address. Answers, waits
    and times are the same whether or not there is such an account.
    """
    user, now = users.find_by_email(services.db, email), clock.now_ms()
    keys = _keys(email, user=user, origin=origin)
    # Looked at twice: who is refused must not keep the database's writers waiting.
    _check(services.db, keys, now=now)
    with services.db.transaction() as tx:
        _check(tx, keys, now=now)
        counts = {kind: _counted(tx, key, kind=kind, now=now) for kind, key in keys.items()}
    known = user.password_hash if user is not None and user.is_active else None
    is_right = check_password_hash(known or _nobody(), password) and known is not None
    with services.db.transaction() as tx:
        if is_right:
            _forgive(tx, keys)
        else:
            _tell(tx, user, keys=keys, counts=counts, origin=origin)
    return user if is_right else None


def with_link(services: Services, secret: str) -> User | None:
    """Use a sign-in link up; None when it is unknown, expired or used, or the person may not sign in."""
    with services.db.transaction() as tx:
        user_id = sign_in_links.claim(tx, digest(secret), at=clock.now_ms())
        user = None if user_id is None else users.get(tx, user_id)
    return user if user is not None and user.is_active else None


def _keys(email: str, *, user: User | None, origin: Origin) -> _Keys:
    """Under which keys failures are counted: the account and the address.

    A browser in which the account's owner signed in before is counted by itself, so that strangers who guess cannot
    keep the owner out.
    """
    if user is not None and user.id == origin.known_for:
        return {"account": _key("device", f"{user.id} {origin.mark}")}
    keys = {"account": _key("account", email.strip().lower())}
    return {**keys, "address": _key("address", _network(origin.address))} if origin.address else keys


def _key(kind: str, value: str) -> str:
    return f"{kind}:{digest(value)}"


def _network(address: str) -> str:
    """What one customer of a network provider has: an IPv4 address, or 64 bits of an IPv6 one."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    return str(IPv6Address(int(found) >> 64 << 64)) if isinstance(found, IPv6Address) else str(found)


def _check(db: Reads, keys: _Keys, *, now: int) -> None:
    wait_ms = max(failed_sign_ins.get(db, key, now=now).wait_until for key in keys.values()) - now
    if wait_ms > 0:
        raise Overloaded("sign_in_slowed", retry_after=-(-wait_ms // 1000))


def _counted(tx: Transaction, key: str, *, kind: str, now: int) -> int:
    """Count an attempt as failed before the password is looked at, so that guesses made at once count one by one."""
    n_failed = failed_sign_ins.get(tx, key, now=now).n_failed + 1
    found = Failures(n_failed=n_failed, wait_until=now + PATIENCE[kind].wait_ms(n_failed))
    failed_sign_ins.put(tx, key, found, at=now)
    return n_failed


def _forgive(tx: Transaction, keys: _Keys) -> None:
    failed_sign_ins.clear(tx, keys["account"])
    if "address" in keys:
        # Who has one account here must not clear what they do to others.
        failed_sign_ins.forgive(tx, keys["address"])


def _tell(tx: Transaction, user: User | None, *, keys: _Keys, counts: dict[str, int], origin: Origin) -> None:
    """Note a failure in the history, less and less often, so that a flood of them does not fill it."""
    kind = "address" if user is None and "address" in keys else "account"
    now = clock.now_ms()
    is_heard = user is not None or failed_sign_ins.n_told(tx, since=now - HOUR_MS) < MOST_TOLD_AN_HOUR
    is_noted = is_heard and is_told(counts[kind])
    failed_sign_ins.note_told(tx, keys[kind], at=now if is_noted else None)
    if is_noted:
        # What was typed is not kept: people type their passwords there.
        after = {"n_failed": counts[kind], "address": origin.address, "device": origin.device}
        actor, number = history.of(SYSTEM), 0 if user is None else user.id
        history.record(tx, actor=actor, verb="sign_in_failed", noun="user", noun_id=number, after=after)


@cache
def _nobody() -> str:
    # Checked for unknown addresses, so that an answer takes as long for them as for known ones.
    return generate_password_hash(secrets.token_urlsafe(16), method="scrypt")
