"""Rules that people write for where tickets go, and how far the model may be trusted to route by itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from app.desk.domain.ticket import Priority

Field = Literal[
    "intent", "sentiment", "emotion", "language", "channel", "tier", "priority", "queue", "needs_person",
    "probability", "urgency", "text",
]  # fmt: skip
Operator = Literal["is", "is_not", "at_least", "below", "contains"]

OPERATORS: Mapping[Field, tuple[Operator, ...]] = {
    **dict.fromkeys(
        ("intent", "sentiment", "emotion", "language", "channel", "tier", "priority", "queue", "needs_person"),
        ("is", "is_not"),
    ),
    **dict.fromkeys(("probability", "urgency"), ("at_least", "below")),
    "text": ("contains",),
}


@dataclass(frozen=True, kw_only=True)
class Condition:
    """One thing that must hold; several values with commas between mean any of them."""

    field: Field
    operator: Operator
    value: str


@dataclass(frozen=True, kw_only=True)
class RoutingAction:
    """An action of a rule: `route` (to a queue's slug), `add_tag`, `set_priority`."""

    type: Literal["route", "add_tag", "set_priority"]
    value: str


@dataclass(frozen=True, kw_only=True)
class RoutingRule:
    """All conditions must hold; then the actions are done, and with `is_stop` no later rule is asked."""

    id: int
    name: str
    position: int = 0
    conditions: tuple[Condition, ...] = ()
    actions: tuple[RoutingAction, ...] = ()
    is_stop: bool = True
    is_active: bool = False
    version: int = 1


@dataclass(frozen=True, kw_only=True)
class Facts:
    """The facts of a ticket that conditions are about; `queue` is a slug."""

    queue: str
    intent: str = ""
    sentiment: str = ""
    emotion: str = ""
    language: str = ""
    channel: str = ""
    tier: str = ""
    priority: Priority = "normal"
    needs_person: bool = False
    probability: float = 0.0
    urgency: int = 0
    text: str = ""
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Ruled:
    """A ticket after the rules: its facts now, and the rules that did something, in order."""

    facts: Facts
    hits: tuple[RoutingRule, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Move:
    """One ticket of a simulation: where it came in, where it stands now, where the rules would have put it."""

    ticket_id: int
    subject: str
    arrived_in: str
    stands_in: str
    would_go_to: str
    rules: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Simulation:
    """The effect that rules would have had on the last `n` tickets; `counts` are moves by (from, to)."""

    n: int
    n_hit: int
    moves: tuple[Move, ...] = ()
    counts: Mapping[tuple[str, str], int] = field(default_factory=dict)

    @property
    def n_moved(self) -> int:
        """The number of tickets that would have left the queue they came in."""
        return sum(self.counts.values())


@dataclass(frozen=True, kw_only=True)
class Judged:
    """The predicted intent of a ticket; `is_right` is people's verdict, None without one."""

    task: str
    intent: str
    probability: float
    abstained: bool
    is_right: bool | None


@dataclass(frozen=True, kw_only=True)
class Step:
    """One confidence from which the model would act: `n` tickets at least so sure, `n_right` of `n_judged` right."""

    least: float
    n: int
    n_judged: int
    n_right: int

    @property
    def precision(self) -> float | None:
        """The share that was right; None while nobody has judged any."""
        return self.n_right / self.n_judged if self.n_judged else None


@dataclass(frozen=True, kw_only=True)
class IntentTrust:
    """The trust in one intent; `suggested` is the lowest confidence that keeps the wanted precision."""

    task: str
    intent: str
    steps: tuple[Step, ...]
    suggested: Step | None


@dataclass(frozen=True, kw_only=True)
class TrustReport:
    """Every intent, and the share of all tickets that would be routed without a person at the wanted precision."""

    precision: float
    n: int
    n_judged: int
    intents: tuple[IntentTrust, ...]
    n_automated: int

    @property
    def automated_rate(self) -> float | None:
        """The share of tickets that would have been routed by the model alone."""
        return self.n_automated / self.n if self.n else None
