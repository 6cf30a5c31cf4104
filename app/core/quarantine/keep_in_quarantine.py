"""Each item that comes in is handled alone: one that cannot be filed goes into quarantine, and the next is read.

A fault on this side (a busy database, a full disk, a model that is not ready) puts nothing there: it is raised, and
the item is read again later.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from app.core import clock
from app.core.db import Transaction
from app.core.errors import BellwetherError, InputError, NotReady, OutgoingError, Overloaded
from app.core.events import history
from app.core.events.event import Fields
from app.core.permissions import SYSTEM, Viewer
from app.core.quarantine import quarantine_rows
from app.core.quarantine.arrival import Arrival, Quarantined
from app.core.services import Services
from app.core.text.cleaning import tidy
from app.core.text.decoding import decoded

LOG = logging.getLogger(__name__)
MOST_OF_A_FILE = 100
"""Rows of one file or fetch that are kept; a fault of the whole file shows in its first rows too."""

MOST_BYTES = 1_000_000_000
"""Size of all raw forms together; beyond it only the first `HEAD` bytes of an item are kept."""

HEAD = 64_000
_TRANSIENT = (NotReady, Overloaded, OutgoingError, OSError, MemoryError)
_LONGEST_PARAM = 300


def is_transient(error: BaseException) -> bool:
    """Return True for a fault on this side or on the way here, and not in the item."""
    return isinstance(error, _TRANSIENT)


@contextmanager
def isolating_item() -> Iterator[None]:
    """Raise InputError `unreadable` for an unforeseen exception, so that it costs one item; transient faults pass."""
    try:
        yield
    except (BellwetherError, *_TRANSIENT):
        raise
    except Exception as error:
        raise _unreadable(error) from error


@contextmanager
def isolating_parser() -> Iterator[None]:
    """Raise InputError `unreadable` for any exception of code that only reads what was sent."""
    try:
        yield
    except BellwetherError:
        raise
    except Exception as error:
        raise _unreadable(error) from error


def _unreadable(error: Exception) -> InputError:
    LOG.exception("an item that came in could not be read")
    return InputError("unreadable", error=repr(error)[:_LONGEST_PARAM])


def put(services: Services, arrivals: Sequence[tuple[Arrival, BellwetherError]]) -> int:
    """Put arrivals into quarantine, each with its error; returns the number of new ones."""
    if not arrivals:
        return 0
    with services.db.transaction() as tx:
        return sum(put_one(tx, arrival, error=error, services=services) for arrival, error in arrivals)


def put_one(tx: Transaction, arrival: Arrival, *, error: BellwetherError, services: Services) -> bool:
    """Put one arrival into quarantine; returns False where it was there before."""
    code, params = reason(error)
    kept = _kept(tx, arrival.raw, limit=services.policy.max_mail_bytes)
    item_id = quarantine_rows.insert(
        tx, arrival, key=_key(arrival), kept=kept, code=code, params=params, at=clock.now_ms()
    )
    if item_id is not None:
        after = {"kind": arrival.kind, "source": arrival.source, "code": code}
        _record(tx, "quarantined", item_id, viewer=SYSTEM, after=after)
    return item_id is not None


def _kept(tx: Transaction, raw: bytes | None, *, limit: int) -> bytes | None:
    if raw is None:
        return None
    is_room = len(raw) <= limit and quarantine_rows.n_bytes(tx) + len(raw) <= MOST_BYTES
    return raw if is_room else raw[:HEAD]


def _key(arrival: Arrival) -> str:
    if arrival.raw is None:
        return f"{arrival.place}:{arrival.uid_validity}:{arrival.uid}"
    return f"{arrival.place}:{hashlib.sha256(arrival.raw).hexdigest()}"


def reason(error: BellwetherError) -> tuple[str, dict[str, int | str]]:
    """Return code and parameters of an error: those of the first fault where several are listed."""
    code, params = error.code, dict(error.params)
    if error.fields and code == InputError.code:
        code, params = error.fields[0].code, dict(error.fields[0].params)
    shown = {name: value if isinstance(value, int) else str(value) for name, value in params.items()}
    return code, {name: value[:_LONGEST_PARAM] if isinstance(value, str) else value for name, value in shown.items()}


def row_error(code: str, params: Mapping[str, object]) -> InputError:
    """Return the error for the fault of a row."""
    error = InputError(code)
    error.params = dict(params)
    return error


def text_of(services: Services, item: Quarantined) -> str:
    """Return the beginning of the raw form as text, without characters that would change how a page is read."""
    return tidy(decoded(quarantine_rows.raw(services.db, item.id, most=HEAD)))


def discard(services: Services, item_id: int, *, viewer: Viewer) -> None:
    """Discard an item for good; raises NotFound for one that waits no longer."""
    item = quarantine_rows.get(services.db, item_id)
    with services.db.transaction() as tx:
        if quarantine_rows.close(tx, item_id, state="discarded"):
            before = {"kind": item.kind, "source": item.source, "code": item.code}
            _record(tx, "discarded", item_id, viewer=viewer, before=before)


def release(services: Services, item: Quarantined, *, viewer: Viewer, filed_as: Fields) -> None:
    """Take an item out of quarantine that was filed after all."""
    with services.db.transaction() as tx:
        if quarantine_rows.close(tx, item.id, state="filed"):
            before = {"kind": item.kind, "source": item.source, "code": item.code}
            _record(tx, "released", item.id, viewer=viewer, before=before, after=filed_as)


def _record(
    tx: Transaction,
    verb: str,
    item_id: int,
    *,
    viewer: Viewer,
    before: Fields | None = None,
    after: Fields | None = None,
) -> None:
    history.record(
        tx, actor=history.of(viewer), verb=verb, noun="quarantine", noun_id=item_id, before=before, after=after
    )
