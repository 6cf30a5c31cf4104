"""The demo as a newcomer gets it, read by the shipped model: one alert fires, on the surge, and none elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.alerts.store import alerts
from app.core.config import load as settings_of
from app.core.errors import Conflict
from app.core.permissions import SYSTEM
from app.core.services import Services
from app.demo import story
from app.demo.load import DemoSummary, load
from app.desk.domain.ticket import TicketFilter
from app.desk.store import inbox_query, messages, queues
from app.lazy_services import LazyServices
from app.market.store import companies


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    """A new installation with the shipped models."""
    opened = LazyServices(settings_of({}, instance=Path(tmp_path_factory.mktemp("demo"))))
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def summary(services: Services) -> DemoSummary:
    """The story, loaded."""
    return load(services)


def test_everything_arrives(services: Services, summary: DemoSummary) -> None:
    everything = inbox_query.page(services.db, TicketFilter(status=()), viewer=SYSTEM, limit=1)
    assert everything.total == summary.n_tickets == sum(1 for _ in story.rows("tickets"))
    assert messages.n_pending(services.db) == 0


def test_one_alert_fires_on_the_surge_and_none_elsewhere(services: Services, summary: DemoSummary) -> None:
    found = alerts.page(services.db, limit=50).items
    surging = companies.find_by_ticker(services.db, "NWHL")
    assert summary.n_posts > 0
    assert surging is not None
    assert [(alert.state, alert.subject_kind, alert.subject_id) for alert in found] == [
        ("firing", "entity", str(surging.id))
    ]


def test_most_tickets_are_routed_and_the_rest_wait_for_a_person(services: Services, summary: DemoSummary) -> None:
    intake = {queue.id for queue in queues.every(services.db) if queue.slug.endswith("-intake")}
    rows = list(inbox_query.each(services.db, TicketFilter(status=()), viewer=SYSTEM))
    waiting = [row for row in rows if row.queue_id in intake]
    assert len(waiting) < len(rows) / 2
    assert all(row.needs_person or row.intent == "out_of_scope" for row in waiting if row.status == "new")
    assert {row.language for row in rows if row.needs_person} >= {"de", "es", "fr", "zh"}


def test_a_second_story_is_refused(services: Services, summary: DemoSummary) -> None:
    with pytest.raises(Conflict) as refused:
        load(services)
    assert refused.value.code == "not_empty"
