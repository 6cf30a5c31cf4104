"""Macros, articles and routing rules: saved, deleted and moved, and all of it taken back."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from app.answers.domain import MacroAction
from app.answers.flows import keep_articles, search_articles
from app.answers.flows.keep_articles import ARTICLE
from app.answers.flows.keep_macros import MACRO
from app.answers.store import articles, macros, suggestion_outcomes
from app.core import changes
from app.core.errors import Conflict, InputError, NotAllowed, NotFound
from app.core.events import event_log
from app.core.events.event import Event
from app.core.permissions import SYSTEM
from app.core.services import Services
from app.desk.domain.routing_rule import Condition, RoutingAction
from app.desk.domain.ticket import TicketDraft
from app.desk.flows import act_on_ticket, file_ticket, keep_queues, keep_routing_rules
from app.desk.flows.keep_routing_rules import ROUTING_RULE
from app.desk.store import queues
from app.desk.store import routing_rule_rows as rules
from app.notify.flows.keep_receivers import RECEIVER
from tests.app.conftest import Desk


def last(services: Services, noun: str, number: int) -> Event:
    """The newest event of a thing."""
    return event_log.of(services.db, noun, number)[-1]


def undone(services: Services, people: Desk, event: Event) -> None:
    """Take it back."""
    assert changes.is_undoable(event)
    changes.undo(services, event.id, viewer=people.admin)


@pytest.fixture
def macro_id(services: Services, people: Desk) -> int:
    """A macro that does something, and was used once."""
    made = changes.add(
        services.db,
        MACRO,
        {
            "name": "Refund: on its way",
            "body": "Hi {{ customer.name }}",
            "intents": ("get_refund",),
            "actions": (MacroAction(type="set_status", value="solved"), MacroAction(type="add_tag", value="refund")),
        },
        viewer=people.admin,
    ).row
    ticket = file_ticket.receive(
        services, TicketDraft(subject="", body="I want a refund", channel="api"), viewer=SYSTEM
    ).ticket
    act_on_ticket.reply(services, ticket.id, viewer=people.shop_agent, body="Hi Ana", macro_id=made.id)
    return made.id


@pytest.fixture
def rule_ids(services: Services, people: Desk) -> list[int]:
    """Three rules in their order, the first one on."""
    found = []
    for name in ("first", "second", "third"):
        made = changes.add(
            services.db,
            ROUTING_RULE,
            {
                "name": name,
                "conditions": [Condition(field="intent", operator="is", value="get_refund")],
                "actions": [RoutingAction(type="add_tag", value=name)],
                "is_stop": False,
            },
            viewer=people.admin,
        ).row
        found.append(made.id)
    changes.change(services.db, ROUTING_RULE, found[0], {"is_active": True}, viewer=people.admin)
    return found


def order(services: Services) -> list[str]:
    """The rules' names in the order they are asked."""
    return [rule.name for rule in rules.every(services.db)]


def test_a_deleted_macro_comes_back_with_all_that_became_of_it(services: Services, people: Desk, macro_id: int) -> None:
    before, tallies = macros.get(services.db, macro_id), suggestion_outcomes.of_macros(services.db)
    assert tallies[macro_id].n_accepted + tallies[macro_id].n_edited == 1
    changes.remove(services.db, MACRO, macro_id, viewer=people.admin)
    assert macros.every(services.db) == ()
    undone(services, people, last(services, "macro", macro_id))
    after = macros.get(services.db, macro_id)
    assert (after.name, after.body, after.intents, after.actions, after.n_used) == (
        before.name,
        before.body,
        before.intents,
        before.actions,
        before.n_used,
    )
    assert suggestion_outcomes.of_macros(services.db) == tallies
    # That it came back can be taken back too.
    undone(services, people, last(services, "macro", macro_id))
    assert macros.every(services.db) == ()


def test_an_added_macro_is_taken_back_and_an_edit_stands_in_the_way(services: Services, people: Desk) -> None:
    made = changes.add(services.db, MACRO, {"name": "Hello", "body": "Hello"}, viewer=people.admin).row
    added = last(services, "macro", made.id)
    changes.change(services.db, MACRO, made.id, {"body": "Hello there"}, viewer=people.admin)
    with pytest.raises(Conflict, match="changed_since"):
        changes.undo(services, added.id, viewer=people.admin)
    undone(services, people, last(services, "macro", made.id))
    assert macros.get(services.db, made.id).body == "Hello"
    other = changes.add(services.db, MACRO, {"name": "Other", "body": "Other"}, viewer=people.admin).row
    undone(services, people, last(services, "macro", other.id))
    assert [one.name for one in macros.every(services.db)] == ["Hello"]


def test_a_name_that_was_given_away_meanwhile_is_told(services: Services, people: Desk) -> None:
    made = changes.add(services.db, MACRO, {"name": "Hello", "body": "Hello"}, viewer=people.admin).row
    keeper = changes.add(services.db, MACRO, {"name": "Keeper", "body": "Hello"}, viewer=people.admin).row
    assert keeper.id > made.id
    changes.remove(services.db, MACRO, made.id, viewer=people.admin)
    deleted = last(services, "macro", made.id)
    changes.add(services.db, MACRO, {"name": "Hello", "body": "Another"}, viewer=people.admin)
    with pytest.raises(Conflict, match="name_taken"):
        changes.undo(services, deleted.id, viewer=people.admin)


def test_a_deleted_article_comes_back_and_is_found(services: Services, people: Desk) -> None:
    made = keep_articles.add_article(
        services,
        {"slug": "cards", "title": "Lost cards", "body": "Block it at once.", "tags": ("card",)},
        viewer=people.admin,
    ).row
    changes.remove(services.db, ARTICLE, made.id, viewer=people.admin)
    assert search_articles.search(services, "block") == ()
    undone(services, people, last(services, "article", made.id))
    assert articles.get(services.db, made.id).tags == ("card",)
    assert [hit.article_id for hit in search_articles.search(services, "block")] == [made.id]


@pytest.mark.parametrize(
    ("act", "expected"),
    [
        (lambda s, v, ids: keep_routing_rules.move_rule(s.db, ids[2], viewer=v, by=-1), ["first", "third", "second"]),
        (lambda s, v, ids: changes.remove(s.db, ROUTING_RULE, ids[1], viewer=v), ["first", "third"]),
        (lambda s, v, ids: keep_routing_rules.put_rule(s.db, ids[0], viewer=v, place=3), ["second", "third", "first"]),
    ],
)
def test_the_order_of_rules_is_as_it_was(
    services: Services, people: Desk, rule_ids: list[int], act: Callable[..., Any], expected: list[str]
) -> None:
    before = rules.every(services.db)
    act(services, people.admin, rule_ids)
    assert order(services) == expected
    newest = max((last(services, "routing_rule", one) for one in rule_ids), key=lambda event: event.id)
    undone(services, people, newest)
    after = rules.every(services.db)
    assert [(one.id, one.name, one.conditions, one.actions, one.is_stop, one.is_active) for one in after] == [
        (one.id, one.name, one.conditions, one.actions, one.is_stop, one.is_active) for one in before
    ]


def test_a_saved_rule_is_as_it_was(services: Services, people: Desk, rule_ids: list[int]) -> None:
    before = rules.get(services.db, rule_ids[0])
    changes.change(
        services.db,
        ROUTING_RULE,
        rule_ids[0],
        {
            "name": "Changed",
            "conditions": [Condition(field="text", operator="contains", value="x")],
            "actions": [RoutingAction(type="route", value="cards")],
        },
        viewer=people.admin,
    )
    undone(services, people, last(services, "routing_rule", rule_ids[0]))
    after = rules.get(services.db, rule_ids[0])
    assert (after.name, after.conditions, after.actions) == (before.name, before.conditions, before.actions)


def test_moving_past_the_end_changes_nothing_and_tells_nothing(
    services: Services, people: Desk, rule_ids: list[int]
) -> None:
    newest = event_log.last_id(services.db)
    keep_routing_rules.move_rule(services.db, rule_ids[0], viewer=people.admin, by=-1)
    assert (order(services), event_log.last_id(services.db)) == (["first", "second", "third"], newest)


def test_a_rule_that_would_close_a_circle_is_not_put_back(services: Services, people: Desk) -> None:
    def from_to(name: str, here: str, there: str) -> int:
        rule = changes.add(
            services.db,
            ROUTING_RULE,
            {
                "name": name,
                "conditions": [Condition(field="queue", operator="is", value=here)],
                "actions": [RoutingAction(type="route", value=there)],
                "is_stop": False,
            },
            viewer=people.admin,
        ).row
        changes.change(services.db, ROUTING_RULE, rule.id, {"is_active": True}, viewer=people.admin)
        return rule.id

    rule_id = from_to("there", "intake", "cards")
    other = from_to("aside", "refunds", "cards")
    assert other > rule_id
    changes.remove(services.db, ROUTING_RULE, rule_id, viewer=people.admin)
    deleted = last(services, "routing_rule", rule_id)
    from_to("back", "cards", "intake")
    with pytest.raises(InputError, match="rules_in_circle"):
        changes.undo(services, deleted.id, viewer=people.admin)


def test_trust_in_one_intent_is_taken_back_and_another_does_not_stand_in_the_way(
    services: Services, people: Desk
) -> None:
    distrust = partial(
        keep_queues.set_trust, services.db, viewer=people.admin, task="commerce_intent", is_trusted=False
    )
    distrust(intent="get_refund")
    event = last(services, "queue", people.refunds)
    distrust(intent="complaint")
    undone(services, people, event)
    found = {one.intent: one.is_trusted for one in queues.route_rules(services.db, task="commerce_intent")}
    assert found == {"get_refund": True, "complaint": False}


def test_nobody_learns_by_an_undo_what_happened_out_of_sight(services: Services, people: Desk) -> None:
    draft = TicketDraft(subject="", body="hello there", channel="api", queue="refunds")
    ticket = file_ticket.receive(services, draft, viewer=SYSTEM).ticket
    act_on_ticket.edit(services, ticket.id, viewer=people.admin, changes={"queue_id": people.cards, "subject": "A"})
    first = last(services, "ticket", ticket.id)
    act_on_ticket.edit(services, ticket.id, viewer=people.admin, changes={"subject": "B"})
    with pytest.raises(Conflict, match="changed_since"):
        changes.undo(services, first.id, viewer=people.card_agent)
    with pytest.raises(NotFound):
        changes.undo(services, first.id, viewer=people.shop_agent)
    with pytest.raises(NotAllowed):
        changes.undo(services, first.id, viewer=people.analyst)


def test_an_edit_that_replaced_a_secret_is_not_half_undone(services: Services, people: Desk) -> None:
    given = {"name": "Ops", "kind": "webhook", "url": "https://hooks.example.com/in"}
    made = changes.add(services.db, RECEIVER, given, viewer=people.admin).row
    for wanted, can_undo in (
        ({"name": "Night"}, True),
        ({"name": "Day", "url": "https://hooks.example.com/other"}, False),
    ):
        event = changes.change(services.db, RECEIVER, made.id, wanted, viewer=people.admin).event
        assert event is not None
        assert changes.is_undoable(event) is can_undo
        assert "hooks" not in str((event.before, event.after))
