"""Filing an item of quarantine after all: its raw form takes the way that it came."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from app.core import clock, viewers
from app.core.errors import BellwetherError, Conflict, InputError
from app.core.permissions import Viewer
from app.core.quarantine import keep_in_quarantine
from app.core.quarantine import quarantine_rows as items
from app.core.quarantine.arrival import Quarantined
from app.core.registry import Registry
from app.core.services import Services
from app.core.text.file_rows import RowFault

T = TypeVar("T")
_ABSENT = frozenset({"mail_gone", "raw_not_kept"})
"""Codes of an item that cannot be tried again; they do not replace the reason why it was not filed."""


@dataclass(frozen=True, kw_only=True)
class Filed:
    """The ticket or post that an item of quarantine has become."""

    noun: str
    id: int


FILERS: Registry[Callable[[Services, Quarantined, Viewer], Filed]] = Registry()
"""The function that files items of each kind, for the viewer who tries it again."""


def try_again(services: Services, item_id: int, *, viewer: Viewer) -> Filed:
    """File an item of quarantine and release it; where that fails it stays, with the new reason.

    Raises NotFound for an item that waits no longer, and what filing raises.
    """
    item = items.get(services.db, item_id)
    try:
        with keep_in_quarantine.isolating_item():
            filed = FILERS[item.kind](services, item, viewer)
    except BellwetherError as error:
        if not keep_in_quarantine.is_transient(error):
            _note_failure(services, item, error=error)
        raise
    keep_in_quarantine.release(services, item, viewer=viewer, filed_as={f"{filed.noun}_id": filed.id})
    return filed


def _note_failure(services: Services, item: Quarantined, *, error: BellwetherError) -> None:
    # A mail that is gone from its mailbox still could not be read for the first reason.
    code, params = (item.code, item.params) if error.code in _ABSENT else keep_in_quarantine.reason(error)
    with services.db.transaction() as tx:
        items.note_try(tx, item.id, code=code, params=params, at=clock.now_ms())


def raw_form(services: Services, item: Quarantined) -> bytes:
    """The raw form of an item; raises Conflict where it was not kept whole."""
    if not item.is_whole:
        raise Conflict("raw_not_kept")
    return items.raw(services.db, item.id)


def sender_of(services: Services, item: Quarantined, viewer: Viewer) -> Viewer:
    """The viewer who sent the item in, so that it arrives where it would have; `viewer` where they are gone."""
    found = None if item.user_id is None else viewers.of_active_user(services, item.user_id)
    return found or viewer


def only_row(rows: Iterable[T | RowFault]) -> T:
    """The one row that a raw form holds; raises InputError with the fault of the row."""
    found = next(iter(rows), None)
    if found is None:
        raise InputError("empty_text")
    if isinstance(found, RowFault):
        raise keep_in_quarantine.row_error(found.code, found.params)
    return found
