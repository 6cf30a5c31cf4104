"""Micro-batching: calls from many threads share runs of the model.

A small call that finds the engine idle is read at once, in the caller's own thread. Otherwise one thread takes what is
waiting, interactive calls before bulk, and runs it in slices; while it runs, the next slice gathers by itself. Only
when the last slice held several calls does it wait a moment (`wait_ms`) for those callers to come back. A call larger
than a slice is read slice by slice, and others come in between.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from threading import Condition, Event, Thread
from time import monotonic
from typing import Protocol

import numpy as np

from app.core.engine_interface import Lane
from app.core.errors import DeadlineExceeded, NotReady, Overloaded
from app.model.engine.answer_cache import Row
from app.model.engine.workload import Rate, tokens_of
from models.artifact import Artifact
from models.decide import Decision
from models.labels import Task
from models.runtime import Input, Run
from models.spelling import Slip

# In tokens as estimated from the length of the texts; a slice of bulk is what an interactive call may have to wait for.
SLICES: dict[Lane, int] = {"interactive": 4000, "bulk": 1900}
# On a slow or busy machine a slice of bulk is smaller, so that it takes no longer than this.
BULK_S, LEAST_SLICE = 0.2, 256


class Model(Protocol):
    """The runtime that answers: the int8 graph, or 8-bit weights on a GPU."""

    artifact: Artifact
    tasks: dict[str, Task]
    decisions: dict[str, Decision]

    def run(self, inputs: Sequence[Input | str], *, tasks: Collection[str] | None = None) -> Run:
        """Return the logits of every input for every task asked for."""

    def slips(self, item: Input) -> tuple[Slip, ...]:
        """Return the misspelt words of a text, and the words that they are read as."""

    def hasten(self) -> None:
        """Compile once what makes single short texts faster."""


@dataclass(eq=False)
class Call:
    """The inputs of one caller in the queue; `rows` fill in order, `done` is set when all are there or one failed.

    A patient caller waits for room where a lane is full.
    """

    model: Model
    tasks: tuple[str, ...]
    inputs: Sequence[Input]
    lane: Lane
    expires: float | None
    is_patient: bool = False
    rows: list[Row] = field(default_factory=list)
    error: Exception | None = None
    is_dropped: bool = False
    done: Event = field(default_factory=Event)

    @property
    def n_waiting(self) -> int:
        """The number of inputs that are not read yet."""
        return len(self.inputs) - len(self.rows)

    @property
    def n_tokens_waiting(self) -> int:
        """The estimated number of tokens that are not read yet."""
        return sum(self._sizes[len(self.rows) :])

    @cached_property
    def _sizes(self) -> list[int]:
        texts = [item.text for item in self.inputs]
        # A text that is asked about several targets is read once.
        return [0 if at and texts[at - 1] == text else tokens_of(text) for at, text in enumerate(texts)]

    def next_inputs(self, room: int) -> tuple[Sequence[Input], int]:
        """Return the next unread inputs of about `room` tokens, one at least, and the room that is left.

        A text that is asked about several targets is read once: those that follow it cost nothing.
        """
        end = start = len(self.rows)
        while end < len(self.inputs):
            is_read = end > start and self.inputs[end].text == self.inputs[end - 1].text
            if not is_read and room <= 0 and end > start:
                break
            room -= 0 if is_read else tokens_of(self.inputs[end].text)
            end += 1
        return self.inputs[start:end], room

    @property
    def is_over(self) -> bool:
        """True once nobody waits for it any more."""
        return self.is_dropped or (self.expires is not None and monotonic() > self.expires)


class Dispatcher:
    """A queue with two lanes and the one thread that empties it; a lane with `limit` tokens waiting is full."""

    def __init__(self, *, limit: int, wait_ms: float) -> None:
        self._limit, self._wait = limit, wait_ms / 1000
        self._lanes: dict[Lane, deque[Call]] = {"interactive": deque(), "bulk": deque()}
        self._changed = Condition()
        self._is_closed = False
        self._is_reading = False
        self._company = 0
        self._until = 0.0
        self._rate = Rate()
        self.n_slices = 0
        self.n_inputs = 0
        self._thread = Thread(target=self._serve, name="engine", daemon=True)
        self._thread.start()

    @property
    def n_waiting(self) -> int:
        """The number of inputs in both lanes."""
        return sum(call.n_waiting for lane in self._lanes.values() for call in lane)

    def _waiting(self, lane: Lane) -> int:
        return sum(call.n_tokens_waiting for call in self._lanes[lane])

    def check(self, lane: Lane) -> None:
        """Raise Overloaded if the lane is full, before any work is done for a call that would be refused."""
        with self._changed:
            if self._waiting(lane) >= self._limit and not self._is_closed:
                raise Overloaded(retry_after=self._rate.seconds_for(sum(map(self._waiting, self._lanes))))

    def submit(self, call: Call) -> list[Row]:
        """Queue a call, wait for its rows and return them.

        A full lane refuses a call (Overloaded, with the seconds until what waits will have been read) and lets a
        patient one wait; a call of any size is accepted when there is room at all. After its deadline
        DeadlineExceeded is raised.
        """
        with self._changed:
            self._admit(call)
            is_alone = self._is_idle() and len(call.next_inputs(SLICES[call.lane])[0]) == len(call.inputs)
            self._lanes[call.lane].append(call)
            self._is_reading |= is_alone
            self._changed.notify_all()
        if is_alone:
            self._turn([call])
        # A slow machine reads only a slice of bulk in that turn; the thread reads the rest.
        if not call.done.wait(_left(call)):
            call.is_dropped = True
            raise DeadlineExceeded
        if call.error is not None:
            raise call.error
        return call.rows

    def close(self) -> None:
        """Stop the thread; waiting calls are refused."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
        self._thread.join(timeout=10)

    def _admit(self, call: Call) -> None:
        while self._waiting(call.lane) >= self._limit and not self._is_closed:
            if not call.is_patient:
                self.check(call.lane)
            if not self._changed.wait(_left(call)):
                raise DeadlineExceeded
        if self._is_closed:
            raise NotReady

    def _is_idle(self) -> bool:
        """Return True if no call is read or waits, and none is about to come back."""
        is_quiet = self._company <= 1 or monotonic() >= self._until
        return is_quiet and not self._is_reading and not any(self._lanes.values())

    def _serve(self) -> None:
        while calls := self._next():
            self._turn(calls)

    def _turn(self, calls: Sequence[Call]) -> None:
        taken = self._slices(calls)
        try:
            self._read(taken)
        except Exception as error:
            _fail([call for call, _ in taken], error=error)
        with self._changed:
            self._is_reading = False
            self._until = monotonic() + self._wait
            self._tidy()
            self._changed.notify_all()

    def _next(self) -> list[Call]:
        """Return the calls for the next slice, of one model and set of tasks; none when closed."""
        with self._changed:
            while not self._is_closed and (self._is_reading or not any(self._lanes.values())):
                self._changed.wait()
            if self._company > 1:
                self._changed.wait_for(self._is_company_back, timeout=max(0.0, self._until - monotonic()))
            if self._is_closed:
                _fail([call for lane in self._lanes.values() for call in lane], error=NotReady())
                return []
            self._is_reading = True
            lane = self._lanes["interactive"] or self._lanes["bulk"]
            first = lane[0]
            calls = [call for call in lane if call.model is first.model and call.tasks == first.tasks]
            # A single text is not kept waiting by a call of many.
            return sorted(calls, key=_tokens_waiting) if first.lane == "interactive" else calls

    def _is_company_back(self) -> bool:
        return self._is_closed or sum(map(len, self._lanes.values())) >= self._company

    def _slices(self, calls: Sequence[Call]) -> list[tuple[Call, Sequence[Input]]]:
        room = SLICES[calls[0].lane]
        if calls[0].lane == "bulk":
            room = min(room, max(self._rate.tokens_in(BULK_S), LEAST_SLICE))
        taken: list[tuple[Call, Sequence[Input]]] = []
        for call in calls:
            if room <= 0:
                break
            if not call.is_over:
                inputs, room = call.next_inputs(room)
                taken.append((call, inputs))
        return taken

    def _read(self, taken: Sequence[tuple[Call, Sequence[Input]]]) -> None:
        self._company = len(taken)
        if not taken:
            return
        first = taken[0][0]
        inputs = [item for _, part in taken for item in part]
        started = monotonic()
        rows = read(first.model, inputs=inputs, tasks=first.tasks)
        self._rate.add(sum(tokens_of(item.text) for item in inputs), seconds=monotonic() - started)
        self.n_slices += 1
        self.n_inputs += len(inputs)
        at = 0
        for call, part in taken:
            call.rows += rows[at : at + len(part)]
            at += len(part)

    def _tidy(self) -> None:
        for lane in self._lanes.values():
            for call in [call for call in lane if call.n_waiting == 0 or call.error is not None or call.is_over]:
                lane.remove(call)
                if call.n_waiting == 0 or call.error is not None:
                    call.done.set()


def read(model: Model, *, inputs: Sequence[Input], tasks: tuple[str, ...]) -> list[Row]:
    """Return the rows of inputs, straight from the model."""
    run = model.run(inputs, tasks=tasks)
    logits = np.concatenate([run.logits[task] for task in tasks], axis=1)
    return [
        Row(logits[at].copy(), n_tokens, n_used)
        for at, (n_tokens, n_used) in enumerate(zip(run.n_tokens, run.n_used, strict=True))
    ]


def _tokens_waiting(call: Call) -> int:
    return call.n_tokens_waiting


def _left(call: Call) -> float | None:
    return None if call.expires is None else max(0.0, call.expires - monotonic())


def _fail(calls: Sequence[Call], *, error: Exception) -> None:
    for call in calls:
        call.error = error
        call.done.set()
