"""Reports: every figure from what really happened, through the flows; taken back where it was taken back."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from app.core import changes, clock
from app.core.durations import DAY_MS, HOUR_MS
from app.core.errors import InputError
from app.core.events import event_log
from app.core.permissions import SYSTEM, Viewer
from app.core.services import Services
from app.desk.domain.report import Figures, Report
from app.desk.domain.ticket import TicketDraft
from app.desk.flows import act_on_ticket, file_ticket, report_desk
from app.intents.flows import correct_prediction
from app.model.store import predictions
from tests.app.conftest import Desk

START = round(datetime(2026, 3, 2, 1, tzinfo=UTC).timestamp() * 1000)
MONDAY, TUESDAY = date(2026, 3, 2), date(2026, 3, 3)


def asked(
    services: Services,
    *,
    viewer: Viewer = SYSTEM,
    first: date = MONDAY,
    last: date = TUESDAY,
    zone: str = "UTC",
    queue_id: int | None = None,
) -> Report:
    return report_desk.report(services, viewer=viewer, first=first, last=last, zone=zone, queue_id=queue_id)


def file(services: Services, body: str = "hmm", *, queue: str = "intake") -> int:
    return file_ticket.receive(
        services, TicketDraft(subject="", body=body, channel="form", queue=queue), viewer=SYSTEM
    ).ticket.id


def test_a_day_of_the_desk(services: Services, people: Desk) -> None:
    with clock.frozen(START) as advance:
        one, two = file(services), file(services)
        file(services, "I want my refund")
        advance(2 * HOUR_MS)
        act_on_ticket.reply(services, one, viewer=people.shop_agent, body="Hello", status="solved")
        advance(16 * HOUR_MS)
        act_on_ticket.reply(services, two, viewer=people.card_agent, body="Sorry")
        advance(DAY_MS - 18 * HOUR_MS)
        act_on_ticket.edit(services, one, viewer=people.shop_agent, changes={"status": "open"})
        act_on_ticket.edit(services, two, viewer=people.card_agent, changes={"status": "solved"})
        found = asked(services)
    monday, tuesday = found.steps
    assert (monday.figures.n_arrived, monday.figures.n_first, monday.figures.n_solved) == (3, 2, 0)
    assert (monday.figures.mean_first_ms, monday.figures.n_first_late) == (10 * HOUR_MS, 1)
    assert (tuesday.figures.n_solved, tuesday.figures.n_reopened) == (1, 1)
    assert (monday.backlog, tuesday.backlog, found.n_open) == (3, 2, 2)
    assert found.total.automation_rate == pytest.approx(1 / 3)
    assert found.total.solved_met_rate == 1.0
    by_person = {agent.user_id: (agent.n_replies, agent.n_solved) for agent in found.agents}
    assert by_person == {people.shop_agent.user_id: (1, 1), people.card_agent.user_id: (1, 1)}


def test_what_is_taken_back_is_taken_off(services: Services, people: Desk) -> None:
    with clock.frozen(START) as advance:
        ticket = file(services)
        act_on_ticket.reply(services, ticket, viewer=people.shop_agent, body="Hello", status="solved")
        advance(3000)
        said = [event for event in event_log.of(services.db, "ticket", ticket) if event.verb == "replied"]
        changes.undo(services, said[-1].id, viewer=people.shop_agent)
        found = asked(services)
    assert found.total == Figures(n_arrived=1)
    assert [agent.n_replies for agent in found.agents] == [0]


def test_a_move_by_hand_after_the_rule_s_is_no_automation(services: Services, people: Desk) -> None:
    with clock.frozen(START):
        ticket = file(services, "I want my refund")
        assert asked(services).total.n_routed == 1
        act_on_ticket.edit(services, ticket, viewer=people.admin, changes={"queue_id": people.cards})
        found = asked(services)
    assert (found.total.n_routed, found.total.n_rerouted, found.total.automation_rate) == (1, 1, 0.0)
    refunds = asked(services, queue_id=people.refunds)
    assert (refunds.total.n_moved_in, refunds.total.n_moved_out, refunds.n_open, refunds.steps[0].backlog) == (
        1,
        1,
        0,
        0,
    )
    assert asked(services, queue_id=people.cards).steps[0].backlog == 1


def test_corrections_count_once_per_prediction(services: Services, people: Desk) -> None:
    with clock.frozen(START):
        ticket = file(services, "I want my refund")
        message = file_ticket.show(services, ticket, viewer=SYSTEM).messages[0]
        stored = predictions.of_messages(services.db, [message.id])
        read = next(one for one in stored if one.prediction.role == "intent")
        for label in ("complaint", "track_order"):
            correct_prediction.correct(services, viewer=people.admin, label=label, prediction_id=read.id)
        (once,) = asked(services).intents
        assert (once.intent, once.n_read, once.n_corrected, once.correction_rate) == ("get_refund", 1, 1, 1.0)
        made = [event for event in event_log.of(services.db, "ticket", ticket) if event.verb == "corrected"]
        for event in reversed(made):
            changes.undo(services, event.id, viewer=people.admin)
        assert asked(services).intents[0].n_corrected == 0


def test_agents_see_their_queues_and_their_own_line(services: Services, people: Desk) -> None:
    with clock.frozen(START):
        theirs = file(services, queue="cards")
        act_on_ticket.reply(services, theirs, viewer=people.card_agent, body="Hello")
        mine = asked(services, viewer=people.shop_agent)
        yours = asked(services, viewer=people.card_agent)
    assert (mine.total.n_arrived, mine.n_open, mine.agents) == (0, 0, ())
    assert [agent.user_id for agent in yours.agents] == [people.card_agent.user_id]
    nobody = replace(people.shop_agent, queue_ids=frozenset())
    assert asked(services, viewer=nobody, queue_id=people.cards).total == Figures()


@pytest.mark.parametrize(
    ("zone", "day", "n"), [("UTC", MONDAY, 1), ("Asia/Shanghai", TUESDAY, 1), ("America/New_York", MONDAY, 1)]
)
def test_days_are_the_reader_s(services: Services, people: Desk, zone: str, day: date, n: int) -> None:
    with clock.frozen(START + 18 * HOUR_MS):
        file(services)
    assert asked(services, first=day, last=day, zone=zone).total.n_arrived == n


@pytest.mark.parametrize(("first", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25)])
def test_days_of_the_clock_change_have_their_own_length(services: Services, first: date, hours: int) -> None:
    (step,) = asked(services, first=first, last=first, zone="Europe/Dublin").steps
    assert step.until - step.since == hours * HOUR_MS


def test_a_long_report_is_told_in_weeks_and_one_without_end_is_refused(services: Services) -> None:
    year = asked(services, first=date(2025, 3, 4), last=TUESDAY)
    assert (len(year.steps), year.steps[0].until - year.steps[0].since) == (53, DAY_MS)
    with pytest.raises(InputError) as backwards:
        asked(services, first=TUESDAY, last=MONDAY)
    assert backwards.value.code == "bad_period"
    with pytest.raises(InputError) as endless:
        asked(services, first=date(1970, 1, 1))
    assert endless.value.code == "too_long"
