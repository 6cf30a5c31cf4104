"""The worker: rules, feeds, notifications, jobs, waiting texts and upkeep in the background."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from app.alerts.flows import learn_baselines, measure_rules, tick_rules
from app.answers.flows import index_articles
from app.core import clock
from app.core.durations import DAY_MS
from app.core.errors import BellwetherError
from app.core.jobs import job_queue
from app.core.leases import free_dead_claims
from app.core.schema import upgrades
from app.core.services import Services
from app.core.storage import idempotency_keys
from app.desk.flows import erase_customer, file_ticket, note_presence, order_inbox
from app.desk.flows.imports import import_tickets
from app.desk.flows.mail import read_mailbox, send_mail
from app.market.flows import classify_posts, fetch_feeds, read_folders
from app.model.flows import deploy_model, run_shadow
from app.notify.flows import deliver_notifications
from app.people.flows import keep_sessions

LOG = logging.getLogger(__name__)
MINUTE_S = 60.0
COPIES_MS = 14 * DAY_MS
"""How long a copy made before an upgrade is kept: it still holds what was erased since."""


@dataclass(frozen=True, kw_only=True)
class Duty:
    """One kind of work; `do` returns the amount that it did, and is called again at once unless that is 0."""

    name: str
    every_s: float
    do: Callable[[Services], int]


def duties(*, tick_seconds: float) -> tuple[Duty, ...]:
    """Return all duties of a worker; each has its own thread, so that a slow receiver does not delay a rule."""
    return (
        Duty(name="claims of the dead", every_s=5.0, do=_free_dead_claims),
        Duty(name="rules", every_s=tick_seconds, do=_rules),
        Duty(name="feeds", every_s=tick_seconds, do=_feeds),
        Duty(name="folders", every_s=tick_seconds, do=read_folders.read_all),
        Duty(name="letters", every_s=1.0, do=send_mail.send_due),
        Duty(name="mailboxes", every_s=1.0, do=read_mailbox.poll_due),
        # An unreachable receiver keeps a thread waiting, so first deliveries and retries have a duty each.
        Duty(name="notifications", every_s=1.0, do=partial(deliver_notifications.deliver_due, is_first=True)),
        Duty(name="retries", every_s=1.0, do=partial(deliver_notifications.deliver_due, is_first=False)),
        Duty(name="jobs", every_s=1.0, do=job_queue.run_due),
        Duty(name="waiting", every_s=1.0, do=_waiting),
        Duty(name="shadow", every_s=5.0, do=run_shadow.read_on),
        Duty(name="upkeep", every_s=MINUTE_S, do=_upkeep),
    )


class Worker:
    """Threads that do the duties until they are stopped; unfinished work is taken up by the next worker."""

    def __init__(self, services: Services, *, tick_seconds: float = 15.0) -> None:
        self._services = services
        self._duties = duties(tick_seconds=tick_seconds)
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Start the threads."""
        self._stopping.clear()
        for duty in self._duties:
            thread = threading.Thread(target=self._loop, args=(duty,), name=f"worker-{duty.name}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def stop(self, *, wait_s: float = 10.0) -> None:
        """Stop the threads; waits at most `wait_s` seconds for each."""
        self._stopping.set()
        for thread in self._threads:
            thread.join(wait_s)
        self._threads.clear()

    def _loop(self, duty: Duty) -> None:
        try:
            while not self._stopping.is_set():
                n_done = perform(duty, self._services)
                self._stopping.wait(0 if n_done else duty.every_s)
        finally:
            self._services.db.release()


def perform(duty: Duty, services: Services) -> int:
    """Do a duty once and return the amount; an exception is logged and counts as 0."""
    try:
        return int(duty.do(services))
    except BellwetherError as error:
        LOG.info("%s: %s", duty.name, error.code)
    except Exception:
        LOG.exception("%s failed", duty.name)
    return 0


def _free_dead_claims(services: Services) -> int:
    free_dead_claims.free_dead_claims(services)
    # Returns 0: the freed work belongs to other duties, and a second look at once would find nothing.
    return 0


def _rules(services: Services) -> int:
    tick_rules.tick(services)
    # Returns 0: a second evaluation at once would find the same.
    return 0


def _feeds(services: Services) -> int:
    fetch_feeds.fetch_due(services)
    return 0


def _waiting(services: Services) -> int:
    return file_ticket.classify_pending(services) + classify_posts.classify_pending(services)


def _upkeep(services: Services) -> int:
    for step in _UPKEEP:
        perform(step, services)
    return 0


def _delete_old_keys(services: Services) -> int:
    with services.db.transaction() as tx:
        return idempotency_keys.expire(tx, before=clock.now_ms() - DAY_MS)


def _delete_old_copies(services: Services) -> int:
    return upgrades.delete_copies(services.db.path, older_than_ms=clock.now_ms() - COPIES_MS)


# Steps of one duty: short and rare; an exception in one does not stop the others.
_UPKEEP = (
    Duty(name="inbox order", every_s=MINUTE_S, do=order_inbox.refresh),
    Duty(name="live model", every_s=MINUTE_S, do=deploy_model.follow),
    Duty(name="what is usual", every_s=MINUTE_S, do=learn_baselines.refresh),
    Duty(name="article index", every_s=MINUTE_S, do=index_articles.reindex),
    Duty(name="presence", every_s=MINUTE_S, do=note_presence.forget),
    Duty(name="exports left over", every_s=MINUTE_S, do=import_tickets.forget_left_over),
    Duty(name="erased words", every_s=MINUTE_S, do=erase_customer.wipe),
    Duty(name="copies before upgrades", every_s=MINUTE_S, do=_delete_old_copies),
    Duty(name="settled claims", every_s=MINUTE_S, do=free_dead_claims.delete_settled),
    Duty(name="idempotency keys", every_s=MINUTE_S, do=_delete_old_keys),
    Duty(name="sessions", every_s=MINUTE_S, do=keep_sessions.delete_expired),
    Duty(name="rules on history", every_s=MINUTE_S, do=measure_rules.refresh),
)
