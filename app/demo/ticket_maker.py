"""Makes the tickets of a generated desk, with messages, predictions and history."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from random import Random
from typing import Any

from app.core import clock
from app.core.durations import DAY_MS, HOUR_MS
from app.core.events.event import Event, Fields
from app.core.events.history import Actor
from app.core.permissions import User
from app.core.prediction import Band, Prediction, Role, Scored
from app.core.services import Services
from app.core.storage import bulk_load
from app.demo.prose import Prose
from app.desk.decide import deadlines
from app.desk.domain.ticket import Status, Ticket, Urgency, UrgencyPart
from app.desk.store import queues
from app.people.store import teams, users

SPAN_MS = 365 * DAY_MS
MODEL = "generated@1.0"

# Status by age: (days, chances of new, open, pending, solved, closed).
_LIVES = (
    (1, (45, 35, 12, 8, 0)),
    (7, (4, 12, 10, 62, 12)),
    (400, (0.2, 0.7, 0.6, 8, 90.5)),
)
_STATUSES = ("new", "open", "pending", "solved", "closed")
_LANGUAGES = (("en", 94), ("de", 2), ("fr", 2), ("es", 1), ("zh", 1))
_SENTIMENTS = (("negative", 45), ("neutral", 40), ("positive", 15))
_EMOTIONS = (("neutral", 50), ("anger", 22), ("sadness", 10), ("joy", 8), ("fear", 6), ("surprise", 3), ("disgust", 1))
_FEELINGS: tuple[tuple[Role, Sequence[tuple[str, float]]], ...] = (
    ("sentiment", _SENTIMENTS),
    ("emotion", _EMOTIONS),
)
_BANDS = (("high", 70), ("medium", 20), ("low", 10))
_TIERS = (("standard", 80), ("plus", 14), ("business", 6))
_CHANNELS = (("email", 60), ("chat", 20), ("form", 15), ("api", 5))
_PRIORITIES = ((70, "urgent"), (45, "high"), (20, "normal"), (0, "low"))


class Draw:
    """Draws one of several weighted values."""

    def __init__(self, weighted: Sequence[tuple[Any, float]]) -> None:
        self._values = [value for value, _ in weighted]
        self._sums = list(accumulate(weight for _, weight in weighted))

    def __call__(self, rng: Random) -> Any:
        return self._values[bisect(self._sums, rng.random() * self._sums[-1])]


@dataclass(frozen=True, kw_only=True)
class Side:
    """Half of the desk: its intent task, where its tickets arrive, and its intents with queue and base urgency."""

    name: str
    task: str
    intake: int
    intents: Draw
    queue_of: dict[str, int]
    urgency_of: dict[str, int]
    top: dict[str, tuple[str, str]]


@dataclass
class Chunk:
    """The rows of one transaction by table, with their predictions and events."""

    rows: dict[str, list[tuple[Any, ...]]] = field(default_factory=lambda: {name: [] for name in bulk_load.COLUMNS})
    said: list[tuple[str, int, Prediction, int]] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)

    def add(self, table: str, *values: Any) -> None:
        """Add a row with values in the order of `bulk_load.COLUMNS`."""
        self.rows[table].append(values)


@dataclass(frozen=True, kw_only=True)
class Case:
    """One invented ticket: its texts, labels, times and people."""

    side: Side
    language: str
    intent: str
    band: Band
    is_unsure: bool
    status: Status
    sentiment: str
    emotion: str
    customer_id: int
    name: str
    at: int
    body: str
    probability: float
    queue_id: int
    urgency: Urgency
    agent: User | None
    answered_at: int | None
    solved_at: int | None


def _scored(*pairs: tuple[str, float]) -> tuple[Scored, ...]:
    return tuple(Scored(label=label, probability=chance) for label, chance in pairs)


def _side(services: Services, name: str, *, rng: Random) -> Side:
    intake = queues.find_by_slug(services.db, f"{name}-intake") or queues.every(services.db)[0]
    routes = [rule for rule in queues.route_rules(services.db, task=intake.intent_task) if rule.queue_id]
    intents = [rule.intent for rule in routes] or ["out_of_scope"]
    # A few intents make up most of a desk's work.
    weights = [1 / (rank + 2) for rank in range(len(intents))]
    rng.shuffle(weights)
    return Side(
        name=name,
        task=intake.intent_task,
        intake=intake.id,
        intents=Draw(list(zip(intents, weights, strict=True))),
        queue_of={rule.intent: rule.queue_id or intake.id for rule in routes},
        urgency_of={rule.intent: rule.urgency for rule in routes},
        top={one: ((intents * 3)[at + 1], (intents * 3)[at + 2]) for at, one in enumerate(intents)},
    )


def _agents(services: Services) -> dict[int, list[User]]:
    """Return the agents who may be assigned tickets of each queue."""
    db = services.db
    agents = [user for user in users.every(db, is_active=True) if user.role == "agent"]
    sights = {user.id: queues.visible_ids(db, [team.id for team in teams.of_user(db, user.id)]) for user in agents}
    return {queue.id: [user for user in agents if queue.id in sights[user.id]] for queue in queues.every(db)}


class Maker:
    """Makes tickets in the order of their arrival."""

    def __init__(self, services: Services, *, n_tickets: int, seed: int) -> None:
        db, self._rng = services.db, Random(seed)
        self._prose = Prose(self._rng)
        self._sides = [_side(services, name, rng=self._rng) for name in ("card", "shop")]
        self._agents = _agents(services)
        self._now, self._policy = clock.now_ms(), services.policy
        self._step, self._at = SPAN_MS / n_tickets, float(self._now - SPAN_MS)
        self._ticket, self._message = bulk_load.last_id(db, "ticket"), bulk_load.last_id(db, "message")
        self._customer = self._first_customer = bulk_load.last_id(db, "customer")
        self._lives = [(days * DAY_MS, Draw(list(zip(_STATUSES, chances, strict=True)))) for days, chances in _LIVES]
        self._draws = {
            name: Draw(weighted)
            for name, weighted in {
                "language": _LANGUAGES, "sentiment": _SENTIMENTS, "emotion": _EMOTIONS, "band": _BANDS,
                "tier": _TIERS, "channel": _CHANNELS,
            }.items()
        }  # fmt: skip

    def chunk(self, size: int) -> Chunk:
        """Return the next tickets with their messages, predictions and events."""
        chunk = Chunk()
        for _ in range(size):
            self._one(chunk)
        return chunk

    def _drawn(self, name: str) -> Any:
        return self._draws[name](self._rng)

    def _one(self, chunk: Chunk) -> None:
        self._ticket += 1
        self._at += self._step
        case = self._case(chunk)
        n_messages, reply_id = self._thread(chunk, case)
        self._history(chunk, case, reply_id=reply_id)
        self._row(chunk, case, n_messages=n_messages)

    def _customer_of(self, chunk: Chunk) -> tuple[int, str, str]:
        # Two tickets in five come from a known customer.
        if self._customer > self._first_customer and self._rng.random() < 0.4:
            known = self._first_customer + 1 + int(self._rng.random() * (self._customer - self._first_customer))
            return known, self._prose.name(), "standard"
        self._customer += 1
        name, tier = self._prose.name(), self._drawn("tier")
        chunk.add(
            "customer", self._customer, name, f"{name.lower().replace(' ', '.')}.{self._customer}@example.com", tier
        )
        return self._customer, name, tier

    def _case(self, chunk: Chunk) -> Case:
        rng = self._rng
        side = self._sides[rng.random() < 0.5]
        language = self._drawn("language")
        intent, band = side.intents(rng), self._drawn("band")
        is_unsure = language != "en" or (band == "low" and rng.random() < 0.5)
        age = self._now - self._at
        status: Status = next(draw for days, draw in self._lives if age < days)(rng) if age < 399 * DAY_MS else "closed"
        sentiment = self._drawn("sentiment")
        queue_id = side.intake if is_unsure else side.queue_of.get(intent, side.intake)
        customer_id, name, tier = self._customer_of(chunk)
        return Case(
            side=side, language=language, intent=intent, band=band, is_unsure=is_unsure, status=status,
            sentiment=sentiment, emotion=self._drawn("emotion"), customer_id=customer_id, name=name, at=int(self._at),
            body=self._prose.asked(side.name, language=language),
            probability={"high": 0.93, "medium": 0.74, "low": 0.47}[band] + rng.random() * 0.06,
            queue_id=queue_id,
            urgency=self._urgency(side.urgency_of.get(intent, 10), sentiment=sentiment, tier=tier),
            agent=None if status == "new" or (status == "open" and rng.random() < 0.3) else self._agent(queue_id),
            answered_at=None if status == "new" else self._within(9 * HOUR_MS),
            solved_at=self._within(60 * HOUR_MS) if status in ("solved", "closed") else None,
        )  # fmt: skip

    def _within(self, span_ms: int) -> int:
        return min(self._now, int(self._at + self._rng.random() * span_ms))

    def _agent(self, queue_id: int) -> Any:
        among = self._agents[queue_id]
        return among[int(self._rng.random() * len(among))] if among else None

    def _urgency(self, base: int, *, sentiment: str, tier: str) -> Urgency:
        parts = [UrgencyPart(code="intent", points=base)]
        if sentiment == "negative":
            parts.append(UrgencyPart(code="sentiment_negative", points=5 + int(self._rng.random() * 10)))
        if self._rng.random() < 0.15:
            parts.append(UrgencyPart(code="words_urgent", points=10))
        if tier != "standard":
            parts.append(UrgencyPart(code=f"tier_{tier}", points=5 if tier == "plus" else 10))
        points = sum(part.points for part in parts)
        priority: Any = next(name for least, name in _PRIORITIES if points >= least)
        return Urgency(points=points, priority=priority, parts=tuple(parts))

    def _thread(self, chunk: Chunk, case: Case) -> tuple[int, int | None]:
        """Add the messages of a ticket; returns their number and the id of the reply."""
        self._predict(chunk, case, message_id=self._said(chunk, case, kind="incoming", body=case.body, at=case.at))
        if case.answered_at is None:
            return 1, None
        reply_id = self._said(chunk, case, kind="outgoing", body=self._prose.answered(), at=case.answered_at)
        if self._rng.random() >= 0.2:
            return 2, reply_id
        body = self._prose.asked(case.side.name, language=case.language)
        at = min(self._now, case.answered_at + HOUR_MS)
        self._predict_feelings(chunk, case, message_id=self._said(chunk, case, kind="incoming", body=body, at=at))
        return 3, reply_id

    def _said(self, chunk: Chunk, case: Case, *, kind: str, body: str, at: int) -> int:
        self._message += 1
        is_theirs, agent = kind == "incoming", case.agent
        author = case.name if is_theirs else "Bellwether" if agent is None else agent.name
        user_id = None if is_theirs or agent is None else agent.id
        kinds = (kind, "customer" if is_theirs else "agent", author, user_id)
        language = case.language if is_theirs else "en"
        chunk.add("message", self._message, self._ticket, *kinds, body, at, at, language, language == "en")
        return self._message

    def _predict(self, chunk: Chunk, case: Case, *, message_id: int) -> None:
        chance, (second, third) = round(case.probability, 4), case.side.top.get(case.intent, ("", ""))
        rest = round((1 - chance) * 0.6, 4)
        top = _scored((case.intent, chance), (second, rest), (third, round((1 - chance) * 0.2, 4)))
        precision = {"high": 0.96, "medium": 0.82, "low": 0.55}[case.band]
        intent = Prediction(
            task=case.side.task, role="intent", model=MODEL, label=case.intent, probability=chance, top=top,
            abstained=case.is_unsure, band=case.band, band_precision=precision,
        )  # fmt: skip
        chunk.said.append(("message", message_id, intent, case.at))
        self._predict_feelings(chunk, case, message_id=message_id)

    def _predict_feelings(self, chunk: Chunk, case: Case, *, message_id: int) -> None:
        for role, labels in _FEELINGS:
            best = case.sentiment if role == "sentiment" else case.emotion
            chance = round(0.6 + self._rng.random() * 0.39, 4)
            rest = round((1 - chance) / (len(labels) - 1), 4)
            top = _scored((best, chance), *((label, rest) for label, _ in labels if label != best))
            feeling = Prediction(
                task=role, role=role, model=MODEL, label=best, probability=chance, top=top,
                abstained=case.language != "en", band="high" if chance > 0.8 else "medium", band_precision=0.9,
            )  # fmt: skip
            chunk.said.append(("message", message_id, feeling, case.at))

    def _history(self, chunk: Chunk, case: Case, *, reply_id: int | None) -> None:
        at, side, agent = case.at, case.side, case.agent
        intent = None if case.is_unsure else case.intent
        who = ("system", "system") if agent is None else ("agent", str(agent.id))

        def happened(actor: Actor, verb: str, before: Fields, after: Fields, at: int) -> None:
            chunk.events.append(
                Event(
                    actor_kind=actor[0], actor_id=actor[1], verb=verb, noun="ticket", noun_id=self._ticket,
                    before=before, after=after, at=at,
                )
            )  # fmt: skip

        happened(("system", "system"), "created", {}, {"queue_id": side.intake, "channel": "email"}, at)
        read = {
            "intent": intent, "sentiment": case.sentiment, "emotion": case.emotion, "priority": case.urgency.priority,
            "urgency": case.urgency.points,
        }  # fmt: skip
        happened(("model", MODEL), "triaged", {"intent": None, "priority": "normal"}, read, at + 40)
        if case.queue_id != side.intake:
            after = {"queue_id": case.queue_id, "reason": "rule"}
            happened(("rule", "route:1"), "routed", {"queue_id": side.intake}, after, at + 40)
        if agent is not None:
            happened(who, "assigned", {"assignee_id": None}, {"assignee_id": agent.id}, at + 600_000)
        if case.answered_at is not None:
            replied = {"message_id": reply_id, "status": "open"}
            happened(who, "replied", {"status": "new"}, replied, case.answered_at)
        if case.solved_at is not None:
            happened(who, "resolved", {"status": "open"}, {"status": "solved"}, case.solved_at)

    def _row(self, chunk: Chunk, case: Case, *, n_messages: int) -> None:
        ticket = self._as_ticket(case)
        at = deadlines.place(ticket, now=self._now)
        risk = at.risk or deadlines.risk(ticket, now=case.solved_at or self._now)
        agent, urgency, unsure = case.agent, case.urgency, case.is_unsure
        abstained = case.language != "en"
        score = {"negative": -0.7, "neutral": 0.0, "positive": 0.7}[case.sentiment]
        chunk.add(
            "ticket", ticket.id, ticket.subject, ticket.channel, ticket.status, urgency.priority, ticket.queue_id,
            ticket.customer_id, ticket.created_at, ticket.updated_at, None if agent is None else agent.id, None,
            case.side.task, None if unsure else case.intent, case.probability, case.band,
            *((None, None, None) if abstained else (case.sentiment, score, case.emotion)),
            unsure, case.language, urgency.points, [(one.code, one.points) for one in urgency.parts], risk,
            at.sla, at.refresh_at, ticket.first_response_due_at, ticket.resolution_due_at, ticket.first_responded_at,
            ticket.solved_at, case.body[:160], n_messages,
        )  # fmt: skip

    def _as_ticket(self, case: Case) -> Ticket:
        factor = {"low": 2.0, "normal": 1.0, "high": 0.5, "urgent": 0.25}[case.urgency.priority]
        first = int(self._policy.sla_first_response_hours * factor * HOUR_MS)
        last = int(self._policy.sla_resolution_hours * factor * HOUR_MS)
        return Ticket(
            id=self._ticket,
            subject=case.body.split(". ")[0][:80],
            channel=self._drawn("channel"),
            status=case.status,
            priority=case.urgency.priority,
            queue_id=case.queue_id,
            customer_id=case.customer_id,
            created_at=case.at,
            updated_at=case.solved_at or case.answered_at or case.at,
            urgency=case.urgency,
            first_response_due_at=case.at + first,
            resolution_due_at=case.at + last,
            first_responded_at=case.answered_at,
            solved_at=case.solved_at,
        )
