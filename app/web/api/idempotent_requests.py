"""`Idempotency-Key`: the same request sent twice is done once (draft-ietf-httpapi-idempotency-key-header-07).

A request with a key is one unit of work: the writes of its view, the key and the answer are committed at once. When the
process is killed before that commit, the request has left nothing and is done when it comes again; after it, the answer
is there. Nothing is reserved before the work, so a crash leaves nothing to release: two processes that get the same
request at the same time both begin it, and the second one to write finds the answer of the first.

Work that is committed in pieces (`in_rows`) has no such transaction. Each of its rows has an external id, so a request
that was interrupted goes on where it stopped when it comes again, and answers `unchanged` for rows that were stored.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from threading import Lock
from typing import Any

from flask import Flask, Response, current_app, make_response, request

from app.core import clock
from app.core.db import Transaction
from app.core.errors import Conflict, InputError
from app.core.storage import idempotency_keys as answers
from app.core.storage.idempotency_keys import KeptAnswer
from app.web import access

HEADER = "Idempotency-Key"
MAX_KEY = 255
KEPT_HEADERS = ("Content-Type", "ETag", "Location")


class Answering:
    """The keys of requests that this process is answering; a repeated one is refused at once instead of waiting."""

    def __init__(self) -> None:
        self._keys: set[tuple[str, str]] = set()
        self._guard = Lock()

    @contextmanager
    def one(self, actor: str, key: str) -> Iterator[None]:
        """Hold a key while its request is answered; raises Conflict `idempotency_in_progress` for a held one."""
        with self._guard:
            if (actor, key) in self._keys:
                raise Conflict("idempotency_in_progress", key=key)
            self._keys.add((actor, key))
        try:
            yield
        finally:
            with self._guard:
                self._keys.remove((actor, key))


class _FailedAnswer(Exception):
    """The view answered with an error: its writes are rolled back, and the request may be sent again."""

    def __init__(self, answer: Response) -> None:
        self.answer = answer


class _AnsweredElsewhere(Exception):
    """Another process has answered the request."""

    def __init__(self, kept: KeptAnswer) -> None:
        self.kept = kept


@dataclass(frozen=True, kw_only=True)
class _Request:
    """A request with its key and the hash of its content."""

    actor: str
    key: str
    fingerprint: str

    def find(self, tx: Transaction | None = None) -> KeptAnswer | None:
        """Return the answer that was kept; None without one."""
        reads = access.services().db if tx is None else tx
        return answers.find(reads, actor=self.actor, key=self.key, fingerprint=self.fingerprint)

    def check(self, tx: Transaction) -> None:
        """Raise _AnsweredElsewhere where another process has answered meanwhile."""
        kept = self.find(tx)
        if kept is not None:
            raise _AnsweredElsewhere(kept)

    def keep(self, answer: Response) -> None:
        """Keep an answer."""
        headers = {name: answer.headers[name] for name in KEPT_HEADERS if name in answer.headers}
        kept = KeptAnswer(status=answer.status_code, headers=headers, body=answer.get_data())
        with access.services().db.transaction() as tx:
            answers.keep(tx, kept, actor=self.actor, key=self.key, fingerprint=self.fingerprint, at=clock.now_ms())


def install(app: Flask) -> None:
    """Add the set of keys that are being answered."""
    app.extensions["bellwether.answering"] = Answering()


def once(view: Callable[..., Any], *, in_rows: bool = False) -> Callable[..., Any]:
    """Wrap a view so that a repeated key gets the first answer; a failed request may be sent again with its key.

    With `in_rows` the view commits rows in pieces, each with its external id.
    """

    @wraps(view)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        asked = _keyed_request()
        if asked is None:
            return view(*args, **kwargs)
        with current_app.extensions["bellwether.answering"].one(asked.actor, asked.key):
            earlier = asked.find()
            if earlier is not None:
                return _replay(earlier)
            answer = _answer_in_rows if in_rows else _answer_in_unit
            return answer(asked, lambda: view(*args, **kwargs))

    return wrapper


def _answer_in_unit(asked: _Request, view: Callable[[], Any]) -> Response:
    try:
        with access.services().db.unit_of_work(begin=asked.check):
            answer = _run_view(view)
            if answer.status_code >= 400:
                raise _FailedAnswer(answer)
            asked.keep(answer)
    except _FailedAnswer as failed:
        return failed.answer
    except _AnsweredElsewhere as answered:
        return _replay(answered.kept)
    return answer


def _answer_in_rows(asked: _Request, view: Callable[[], Any]) -> Response:
    answer = _run_view(view)
    if answer.status_code < 400:
        asked.keep(answer)
    return answer


def _run_view(view: Callable[[], Any]) -> Response:
    answer = make_response(view())
    # A streamed answer does its work while it is read.
    answer.get_data()
    return answer


def _replay(kept: KeptAnswer) -> Response:
    answer = Response(kept.body, status=kept.status, headers=dict(kept.headers))
    answer.headers["Idempotency-Replayed"] = "true"
    return answer


def _keyed_request() -> _Request | None:
    given = request.headers.get(HEADER)
    if given is None:
        return None
    key = given.strip().strip('"')
    if not 0 < len(key) <= MAX_KEY:
        raise InputError("idempotency_key_invalid")
    viewer = access.viewer()
    return _Request(
        actor=f"{viewer.actor_kind}:{viewer.actor_id or viewer.user_id}", key=key, fingerprint=_fingerprint()
    )


def _fingerprint() -> str:
    body = hashlib.sha256(request.get_data()).hexdigest()
    return hashlib.sha256(f"{request.method} {request.full_path} {body}".encode()).hexdigest()
