"""Silences: nobody is told about a subject's alerts for a while; the alerts themselves go on."""

from __future__ import annotations

import sqlite3

from app.alerts.domain.alert import Silence
from app.alerts.store import silences
from app.core import changes, clock
from app.core.db import Database, Transaction
from app.core.errors import FieldError, InputError
from app.core.events import history
from app.core.nouns import Changed, Fields, Noun
from app.core.permissions import Viewer
from app.core.services import Services


class SilenceNoun(Noun[Silence]):
    """Silences, which are begun and ended and never edited; one without a subject covers every alert."""

    name = "silence"
    permission = "alerts:write"
    fields = frozenset({"subject_kind", "subject_id", "until", "comment"})
    titles = ("subject_kind", "subject_id", "until", "comment")
    never_undone = frozenset({"ended"})

    def make(self, row: sqlite3.Row) -> Silence:
        """Return a silence from its row."""
        return silences.as_silence(row)

    def check(self, tx: Transaction, given: Fields, was: Silence | None) -> Fields:
        """Return the fields of a silence; raise InputError `until_past` for an end that has passed."""
        if given.get("until", clock.now_ms() + 1) <= clock.now_ms():
            raise InputError("until_past", fields=[FieldError(pointer="/until", code="past")])
        return dict(given)


SILENCE = SilenceNoun()


def begin_silence(db: Database | Transaction, given: Fields, *, viewer: Viewer) -> Changed[Silence]:
    """Begin a silence in the viewer's name; raise NotAllowed for a viewer who is no person, InputError."""
    columns = {"since": clock.now_ms(), "user_id": viewer.person_id(permission="alerts:write")}
    return changes.add(db, SILENCE, given, viewer=viewer, columns=columns)


def end_silence(services: Services, silence_id: int, *, viewer: Viewer) -> None:
    """End a silence now, unless it is over; raise NotFound."""
    with services.db.transaction() as tx:
        was = SILENCE.get(tx, silence_id, viewer=viewer)
        if silences.end(tx, silence_id, at=clock.now_ms()):
            before = {"until": was.until}
            history.record(
                tx, actor=history.of(viewer), verb="ended", noun="silence", noun_id=silence_id, before=before
            )


def silences_in_force(services: Services) -> tuple[Silence, ...]:
    """Return the silences that hold now, newest first."""
    return silences.every(services.db, at=clock.now_ms())
