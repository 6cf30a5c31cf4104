"""Loads the demo organisation's story into an empty installation, through the same flows as real work.

The clock is set to the time of each ticket, reply and post, so histories, SLA clocks and series look as if those weeks
had happened.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby
from operator import itemgetter
from typing import Any

from app.alerts.flows import learn_baselines, tick_rules
from app.core import clock
from app.core.durations import DAY_MS, HOUR_MS
from app.core.errors import Conflict
from app.core.permissions import SYSTEM, User
from app.core.services import Services
from app.demo import setting, story
from app.desk.domain.ticket import Ticket, TicketDraft
from app.desk.flows import act_on_ticket, file_ticket
from app.market.domain.market import PostDraft
from app.market.flows import ingest_posts
from app.people.flows import find_viewer, keep_accounts

Progress = Callable[[int], None]
Row = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Step:
    """One event of the story at its time."""

    at: int
    do: Callable[[], object]


@dataclass(frozen=True, kw_only=True)
class DemoSummary:
    """The numbers of tickets and posts that were loaded, and the administrator."""

    n_tickets: int
    n_posts: int
    admin: User


class Play:
    """The story as steps in time; steps of one ticket find it in `_tickets`."""

    def __init__(self, services: Services, *, now: int) -> None:
        self._services = services
        self._now = now
        self._tickets: dict[str, int] = {}
        start = now - 43 * DAY_MS
        with clock.frozen(start):
            self.people = setting.people(services)
            setting.queues(services)
            setting.answers(services)
            self._feed_ids = setting.companies(services)

    def steps(self) -> list[Step]:
        """Return all steps, in the order of time."""
        found = [*self._of_tickets(), *self._of_posts(), *self._of_rules()]
        return sorted(found, key=lambda step: step.at)

    def _of_tickets(self) -> Iterator[Step]:
        for row in story.rows("tickets"):
            yield Step(at=story.moment(row, now=self._now), do=partial(self._arrive, row))
            for ordinal, entry in enumerate(row.get("thread", ())):
                yield Step(
                    at=story.moment(entry, now=self._now), do=partial(self._continue, row, entry, ordinal=ordinal)
                )
            yield Step(at=self._last_at(row) + 1, do=partial(self._settle, row))

    def _last_at(self, row: Row) -> int:
        return max(story.moment(entry, now=self._now) for entry in (row, *row.get("thread", ())))

    def _of_posts(self) -> Iterator[Step]:
        for (hour, slug), group in groupby(_in_hours(story.rows("posts"), now=self._now), key=itemgetter(0, 1)):
            drafts = [self._draft(row) for _, _, row in group]
            last = max(draft.occurred_at or 0 for draft in drafts)
            yield Step(at=max(last, hour), do=partial(self._publish, self._feed_ids[slug], drafts))

    def _of_rules(self) -> Iterator[Step]:
        """Yield evaluations of the rules, twice a day, and every hour of the last day."""
        hours = [*range(40 * 24, 24, -12), *range(24, 0, -1)]
        for at in (self._now - hour * HOUR_MS for hour in hours):
            yield Step(at=at, do=partial(self._evaluate, at))

    def _evaluate(self, at: int) -> None:
        learn_baselines.refresh(self._services, now=at)
        tick_rules.tick(self._services, now=at)

    def _draft(self, row: Row) -> PostDraft:
        return PostDraft(
            external_id=row["external_id"],
            title=row["title"],
            body=row.get("body") or "",
            url=row.get("url"),
            author=row.get("author"),
            occurred_at=story.moment(row, now=self._now),
        )

    def _publish(self, feed_id: int, drafts: list[PostDraft]) -> None:
        ingest_posts.receive(self._services, feed_id, drafts, viewer=SYSTEM)

    def _arrive(self, row: Row) -> None:
        received = file_ticket.receive(self._services, _ticket_draft(row), viewer=SYSTEM)
        self._tickets[row["external_id"]] = received.ticket.id

    def _continue(self, row: Row, entry: Row, *, ordinal: int) -> None:
        ticket_id = self._tickets[row["external_id"]]
        if entry["kind"] == "incoming":
            draft = _ticket_draft({**row, "body": entry["body"]})
            message_id = f"<{row['external_id']}.{ordinal}@example.com>"
            reply: Row = {"external_id": None, "message_id": message_id, "in_reply_to": _message_id(row)}
            file_ticket.receive(self._services, replace(draft, **reply), viewer=SYSTEM)
            return
        viewer = find_viewer.viewer_for(self._services, self._agent(row, entry))
        act = act_on_ticket.reply if entry["kind"] == "outgoing" else act_on_ticket.note
        act(self._services, ticket_id, viewer=viewer, body=entry["body"])

    def _settle(self, row: Row) -> None:
        """Set the agent and the status that the ticket has at the end of the story."""
        ticket_id = self._tickets[row["external_id"]]
        agent = self.people.get(row.get("agent") or "")
        if agent is None and row["status"] in {"new", "open"}:
            return
        viewer = find_viewer.viewer_for(self._services, agent or self.people["admin"])
        ticket: Ticket | None = None
        if agent is not None:
            ticket = act_on_ticket.edit(self._services, ticket_id, viewer=viewer, changes={"assignee_id": agent.id}).row
        if ticket is None or ticket.status != row["status"]:
            act_on_ticket.edit(self._services, ticket_id, viewer=viewer, changes={"status": row["status"]})

    def _agent(self, row: Row, entry: Row) -> User:
        return self.people.get(entry.get("agent") or row.get("agent") or "") or self.people["admin"]


def load(services: Services, *, on_start: Progress | None = None, on_progress: Progress | None = None) -> DemoSummary:
    """Load the story; raises Conflict `not_empty` where there are users already.

    `on_start` is called with the number of steps, `on_progress` with 1 after each step.
    """
    if not keep_accounts.needs_first_admin(services):
        raise Conflict("not_empty")
    now = clock.now_ms()
    play = Play(services, now=now)
    steps = play.steps()
    if on_start is not None:
        on_start(len(steps))
    for step in steps:
        with clock.frozen(step.at):
            step.do()
        if on_progress is not None:
            on_progress(1)
    tick_rules.tick(services, now=now)
    return DemoSummary(
        n_tickets=sum(1 for _ in story.rows("tickets")),
        n_posts=sum(1 for _ in story.rows("posts")),
        admin=play.people["admin"],
    )


def _message_id(row: Mapping[str, Any]) -> str:
    return f"<{row['external_id']}@example.com>"


def _ticket_draft(row: Row) -> TicketDraft:
    customer = row["customer"]
    body = row["body"]
    return TicketDraft(
        subject=row["subject"],
        body=body,
        channel=row["channel"],
        customer_name=customer["name"],
        customer_email=customer["email"],
        customer_tier=customer["tier"],
        queue=row["intake"],
        external_id=row["external_id"],
        message_id=_message_id(row),
        is_html=body.lstrip().startswith("<"),
    )


def _in_hours(rows: Iterator[Row], *, now: int) -> list[tuple[int, str, Row]]:
    """Return posts with their hour and feed, sorted by both, so that each call ingests one hour of one feed."""
    placed = [(story.moment(row, now=now) // HOUR_MS * HOUR_MS, row["feed"], row) for row in rows]
    return sorted(placed, key=itemgetter(0, 1))
