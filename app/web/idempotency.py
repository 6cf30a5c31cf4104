"""`Idempotency-Key`: the same request sent twice is done once (draft-ietf-httpapi-idempotency-key-header-07)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import Response, make_response, request

from app import clock
from app.errors import InputError
from app.store import idempotency as kept
from app.web import auth

HEADER = "Idempotency-Key"
MAX_KEY = 255
KEPT_HEADERS = ("Content-Type", "ETag", "Location")


def once(view: Callable[..., Any]) -> Callable[..., Any]:
    """Answer a repeated key with the first answer; a request that failed may be sent again with its key."""

    @wraps(view)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        key = _key()
        if key is None:
            return view(*args, **kwargs)
        actor = _actor()
        earlier = _begin(actor, key)
        if earlier is not None:
            return earlier
        try:
            answer = make_response(view(*args, **kwargs))
        except BaseException:
            _forget(actor, key)
            raise
        if answer.status_code < 400:
            _finish(actor, key, answer)
        else:
            _forget(actor, key)
        return answer

    return wrapper


def _key() -> str | None:
    given = request.headers.get(HEADER)
    if given is None:
        return None
    key = given.strip().strip('"')
    if not 0 < len(key) <= MAX_KEY:
        raise InputError("idempotency_key_invalid")
    return key


def _actor() -> str:
    viewer = auth.viewer()
    return f"{viewer.actor_kind}:{viewer.actor_id or viewer.user_id}"


def _fingerprint() -> str:
    body = hashlib.sha256(request.get_data()).hexdigest()
    return hashlib.sha256(f"{request.method} {request.full_path} {body}".encode()).hexdigest()


def _begin(actor: str, key: str) -> Response | None:
    with auth.services().db.transaction() as tx:
        found = kept.begin(tx, actor=actor, key=key, fingerprint=_fingerprint(), at=clock.now_ms())
    if found is None:
        return None
    answer = Response(found.body, status=found.status, headers=dict(found.headers))
    answer.headers["Idempotency-Replayed"] = "true"
    return answer


def _finish(actor: str, key: str, answer: Response) -> None:
    headers = {name: answer.headers[name] for name in KEPT_HEADERS if name in answer.headers}
    # Read before the transaction: an answer that is streamed does its work while it is read.
    body = answer.get_data()
    with auth.services().db.transaction() as tx:
        kept.finish(tx, actor=actor, key=key, status=answer.status_code, headers=headers, body=body)


def _forget(actor: str, key: str) -> None:
    with auth.services().db.transaction() as tx:
        kept.forget(tx, actor=actor, key=key)
