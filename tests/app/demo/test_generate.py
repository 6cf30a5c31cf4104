"""A generated desk is a desk like any other: counted, ordered, found, shown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

from app.core.db import open_database
from app.core.errors import InputError
from app.core.permissions import SYSTEM
from app.core.services import Services
from app.demo.generate import generate
from app.desk.domain.ticket import TicketFilter
from app.desk.flows import file_ticket, order_inbox
from app.desk.store import inbox_query
from app.desk.store import tickets as rows
from app.people.store import users
from tests.app.fake_engine import FakeEngine
from tests.app.policies import make_policy

N = 1500


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    """Fifteen hundred tickets."""
    db = open_database(tmp_path_factory.mktemp("generated") / "desk.sqlite")
    made = Services(db=db, engine=FakeEngine(), policy=make_policy())
    done: list[int] = []
    generate(made, n_tickets=N, on_progress=done.append)
    assert sum(done) == N
    yield made
    db.close()


def test_every_ticket_is_there_and_counted(services: Services) -> None:
    everything = list(inbox_query.each(services.db, TicketFilter(status=()), viewer=SYSTEM))
    assert len(everything) == N
    counted = rows.status_counts(services.db, viewer=SYSTEM)
    assert {key: n for key, n in counted.items() if n} == Counter(one.status for one in everything)
    assert sum(one.status == "closed" for one in everything) > N / 2
    assert {one.language for one in everything} >= {"en", "de"}
    assert len(users.every(services.db)) > 20


def test_it_can_be_searched_shown_and_refreshed(services: Services) -> None:
    found = inbox_query.page(services.db, TicketFilter(query="order number", status=()), viewer=SYSTEM)
    assert found.items
    view = file_ticket.show(services, found.items[0].id, viewer=SYSTEM)
    assert [event.verb for event in view.events][:2] == ["created", "triaged"]
    assert view.ticket.n_messages == len(view.messages)
    assert {one.prediction.role for one in view.predictions[view.messages[0].id]} == {"intent", "sentiment", "emotion"}
    order_inbox.refresh(services)
    page = inbox_query.page(services.db, TicketFilter(), viewer=SYSTEM)
    assert [one.risk for one in page.items] == sorted((one.risk for one in page.items), reverse=True)


def test_more_can_be_added_but_not_any_number(services: Services) -> None:
    with pytest.raises(InputError, match="out_of_bounds"):
        generate(services, n_tickets=0)
    generate(services, n_tickets=3, seed=8)
    assert inbox_query.count(services.db, TicketFilter(status=()), viewer=SYSTEM) == (N + 3, False)
