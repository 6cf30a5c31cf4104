"""Receivers as administrators keep them: their addresses and secrets, their routes, and a test message."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import get_args
from zoneinfo import available_timezones

from app.core import clock
from app.core.db import Transaction
from app.core.durations import DAY_MS
from app.core.errors import FieldError, InputError
from app.core.events import history
from app.core.nouns import Fields, Noun
from app.core.outgoing import urls
from app.core.permissions import Viewer
from app.core.services import Services
from app.notify.decide.alert_routes import DAY_MINUTES, checked_matchers, parsed_matchers
from app.notify.decide.webhook_signing import new_secret
from app.notify.domain.notification import GroupBy, Notification, Receiver, ReceiverKind
from app.notify.sources.notification_sender import checked_apprise, shown_apprise
from app.notify.store import notifications, receivers

_MOST = {
    "group_wait_ms": DAY_MS,
    "repeat_ms": 30 * DAY_MS,
    "escalate_ms": 7 * DAY_MS,
    "quiet_from": DAY_MINUTES - 1,
    "quiet_until": DAY_MINUTES - 1,
    "digest_at": DAY_MINUTES - 1,
}
_LOCALES = ("", "en", "zh")


class ReceiverNoun(Noun[Receiver]):
    """Receivers with their routes; each keeps its kind, and its signing secret is made when it is added."""

    name = "receiver"
    permission = "receivers:write"
    fields = frozenset(
        {
            "name", "kind", "url", "verbs", "is_active", "matchers", "group_by", "group_wait_ms", "repeat_ms",
            "escalate_ms", "zone", "quiet_from", "quiet_until", "digest_at", "locale",
        }
    )  # fmt: skip
    needed = ("name",)
    titles = ("name", "kind")
    secrets = frozenset({"url", "secret"})
    never_undone = frozenset({"gone"})

    def make(self, row: sqlite3.Row) -> Receiver:
        """Return a receiver from its row."""
        return receivers.as_receiver(row)

    def check(self, tx: Transaction, given: Fields, was: Receiver | None) -> Fields:
        """Return the fields of a receiver; raise InputError with the fields at fault."""
        found = dict(given) if was is not None else {"kind": "", "url": "", **given}
        kind = found["kind"] if was is None else was.kind
        if found.get("kind", kind) != kind:
            raise InputError("unknown_field", field="kind")
        if kind not in get_args(ReceiverKind):
            raise InputError("unknown_value", fields=[FieldError(pointer="/kind", code="unknown_value")], field="kind")
        if was is not None and found.get("url") == shown_url(was):
            # Who sends back the masked address means to keep the real one.
            del found["url"]
        if "url" in found:
            found["url"] = checked_apprise(found["url"]) if kind == "apprise" else urls.check(found["url"])
        if "verbs" in found:
            found["verbs"] = tuple(found["verbs"])
        if "matchers" in found:
            read = parsed_matchers if isinstance(found["matchers"], str) else checked_matchers
            found["matchers"] = read(found["matchers"])
        faults = [*_out_of_bounds(found), *_unknown(found)]
        if found.get("digest_at") is not None and kind != "apprise":
            faults.append(FieldError(pointer="/digest_at", code="only_apprise"))
        if faults:
            raise InputError(fields=faults)
        return found

    def consequences(self, tx: Transaction, was: Receiver, wanted: Fields, *, is_undo: bool) -> Fields:
        """Begin the first digest now."""
        begins = wanted.get("digest_at") is not None and was.digest_at is None
        return {"digested_at": clock.now_ms()} if begins else {}

    def insert(self, tx: Transaction, columns: Fields) -> int:
        """Add a receiver with a new signing secret; return its id."""
        return super().insert(tx, {**columns, "secret": new_secret(), "digested_at": clock.now_ms()})


RECEIVER = ReceiverNoun()


def _out_of_bounds(given: Fields) -> Iterator[FieldError]:
    for name, most in _MOST.items():
        if given.get(name) is not None and not 0 <= given[name] <= most:
            yield FieldError(pointer=f"/{name}", code="too_small" if given[name] < 0 else "too_large")


def _unknown(given: Fields) -> Iterator[FieldError]:
    if given.get("group_by", "alert") not in get_args(GroupBy):
        yield FieldError(pointer="/group_by", code="unknown_value")
    if given.get("zone", "UTC") not in available_timezones():
        yield FieldError(pointer="/zone", code="unknown_zone", params=(("value", str(given["zone"])),))
    if given.get("locale", "") not in _LOCALES:
        yield FieldError(pointer="/locale", code="unknown_value")


def queue_test(services: Services, receiver_id: int, *, viewer: Viewer) -> Notification:
    """Queue a message that alarms nobody, to see that the receiver is reached; raise NotFound."""
    with services.db.transaction() as tx:
        receiver = RECEIVER.get(tx, receiver_id, viewer=viewer)
        event = history.record(tx, actor=history.of(viewer), verb="tested", noun="receiver", noun_id=receiver_id)
        notification_id = notifications.insert(
            tx,
            receiver_id=receiver.id,
            verb="test",
            noun="receiver",
            noun_id=receiver.id,
            dedup_key=f"msg_test_{event.id}_{receiver.id}",
            body={},
            at=clock.now_ms(),
        )
        return notifications.get(tx, notification_id or 0)


def shown_url(receiver: Receiver) -> str:
    """Return a receiver's address with its secrets masked: a chat's webhook has them in its path, Apprise anywhere."""
    return shown_apprise(receiver.url) if receiver.kind == "apprise" else urls.mask(receiver.url)
