"""Signing in: with a password, slowed down for those who guess, or with a link that opens once."""

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
from app.people.domain import THROTTLES, Origin, is_recorded
from app.people.store import failed_sign_ins, sign_in_links, users
from app.people.store.failed_sign_ins import Failures

MOST_RECORDED_AN_HOUR = 100
"""Keys without an account of which history records failures within an hour."""

_Keys = dict[str, str]


def with_password(services: Services, *, email: str, password: str, origin: Origin) -> User | None:
    """Return the person with this e-mail address and password, or None.

    Raises Overloaded `sign_in_slowed` after too many failures of the account or from the address. Answers, waits and
    times do not tell whether there is such an account.
    """
    user, now = users.find_by_email(services.db, email), clock.now_ms()
    keys = _keys(email, user=user, origin=origin)
    # Checked before the transaction too: a refused sign-in must not keep the database's writers waiting.
    _check_wait(services.db, keys, now=now)
    with services.db.transaction() as tx:
        _check_wait(tx, keys, now=now)
        counts = {kind: _count_attempt(tx, key, kind=kind, now=now) for kind, key in keys.items()}
    known = user.password_hash if user is not None and user.is_active else None
    is_right = check_password_hash(known or _decoy_hash(), password) and known is not None
    with services.db.transaction() as tx:
        if is_right:
            _clear_failures(tx, keys)
        else:
            _record_failure(tx, user, keys=keys, counts=counts, origin=origin)
    return user if is_right else None


def with_link(services: Services, secret: str) -> User | None:
    """Use a sign-in link up; returns its person, None where it is unknown, expired or used or they may not sign in."""
    with services.db.transaction() as tx:
        user_id = sign_in_links.claim(tx, digest(secret), at=clock.now_ms())
        user = None if user_id is None else users.get(tx, user_id)
    return user if user is not None and user.is_active else None


def _keys(email: str, *, user: User | None, origin: Origin) -> _Keys:
    """Return the keys that failures are counted under: the account and the address.

    A browser with which the account's owner signed in before has a count of its own, so that strangers who guess
    cannot keep the owner out.
    """
    if user is not None and user.id == origin.known_for:
        return {"account": _key("device", f"{user.id} {origin.mark}")}
    keys = {"account": _key("account", email.strip().lower())}
    return {**keys, "address": _key("address", _network(origin.address))} if origin.address else keys


def _key(kind: str, value: str) -> str:
    return f"{kind}:{digest(value)}"


def _network(address: str) -> str:
    """Return what one customer of a network provider has: an IPv4 address, or 64 bits of an IPv6 address."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    return str(IPv6Address(int(found) >> 64 << 64)) if isinstance(found, IPv6Address) else str(found)


def _check_wait(db: Reads, keys: _Keys, *, now: int) -> None:
    wait_ms = max(failed_sign_ins.get(db, key, now=now).wait_until for key in keys.values()) - now
    if wait_ms > 0:
        raise Overloaded("sign_in_slowed", retry_after=-(-wait_ms // 1000))


def _count_attempt(tx: Transaction, key: str, *, kind: str, now: int) -> int:
    """Count an attempt as failed before its password is checked, so that simultaneous guesses count one by one."""
    n_failed = failed_sign_ins.get(tx, key, now=now).n_failed + 1
    found = Failures(n_failed=n_failed, wait_until=now + THROTTLES[kind].wait_ms(n_failed))
    failed_sign_ins.put(tx, key, found, at=now)
    return n_failed


def _clear_failures(tx: Transaction, keys: _Keys) -> None:
    failed_sign_ins.clear(tx, keys["account"])
    if "address" in keys:
        # The owner of one account must not clear their guesses at others.
        failed_sign_ins.take_one_back(tx, keys["address"])


def _record_failure(tx: Transaction, user: User | None, *, keys: _Keys, counts: dict[str, int], origin: Origin) -> None:
    """Record a failure in the history, less and less often, so that a flood of them does not fill it."""
    kind = "address" if user is None and "address" in keys else "account"
    now = clock.now_ms()
    has_room = user is not None or failed_sign_ins.n_recorded(tx, since=now - HOUR_MS) < MOST_RECORDED_AN_HOUR
    is_due = has_room and is_recorded(counts[kind])
    failed_sign_ins.note_recorded(tx, keys[kind], at=now if is_due else None)
    if is_due:
        # The text that was typed is not kept: people type passwords there.
        after = {"n_failed": counts[kind], "address": origin.address, "device": origin.device}
        actor, user_id = history.of(SYSTEM), 0 if user is None else user.id
        history.record(tx, actor=actor, verb="sign_in_failed", noun="user", noun_id=user_id, after=after)


@cache
def _decoy_hash() -> str:
    # Checked for unknown addresses, so that their answer takes as long as that of known ones.
    return generate_password_hash(secrets.token_urlsafe(16), method="scrypt")
