"""Webhooks of events: queued with the change that they tell of, in its transaction."""

from __future__ import annotations

from collections.abc import Sequence

from app.core.db import Transaction
from app.core.events.event import Event
from app.core.events.history import Announced
from app.notify.decide.receiver_payloads import wants
from app.notify.decide.webhook_payloads import event_body
from app.notify.store import notifications, receivers

ANNOUNCED = frozenset({"ticket", "model", "job"})
"""Nouns whose events go to webhooks; alerts have a flow of their own, with the figures that explain them."""

ANNOUNCED_OF_ALERTS = frozenset({"acknowledged"})


def queue_webhooks(tx: Transaction, announced: Sequence[Announced]) -> None:
    """Queue a notification for every receiver that wants one of these events."""
    told = [one for one in announced if _is_announced(one.event)]
    listening = receivers.every(tx) if told else ()
    for one in told:
        for receiver in listening:
            if wants(receiver, noun=one.event.noun, verb=one.event.verb):
                notifications.insert(
                    tx,
                    receiver_id=receiver.id,
                    verb=one.event.verb,
                    noun=one.event.noun,
                    noun_id=one.event.noun_id,
                    dedup_key=f"msg_{one.event.id}_{receiver.id}",
                    body=event_body(one.event, data=one.data),
                    at=one.event.at,
                )


def _is_announced(event: Event) -> bool:
    return event.noun in ANNOUNCED or (event.noun == "alert" and event.verb in ANNOUNCED_OF_ALERTS)
