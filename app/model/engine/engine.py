"""The engine: texts to calibrated predictions, from any thread, with no torch in the process.

Answers seen before come from the cache; the rest shares runs of the model with whoever else is asking. Which model
answers can be swapped at any time: calls that are under way finish on the one they began with.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from math import ceil
from threading import Thread
from time import monotonic

import numpy as np
from numpy.typing import NDArray

from app.core.config import Settings
from app.core.engine_interface import LONGEST, Explanation, Lane, Request, Result, Slot, Word
from app.core.errors import NotReady, TaskMissing
from app.model.engine.answer_cache import Cache, Row, key
from app.model.engine.answers import predictions_of
from app.model.engine.dispatch import Call, Dispatcher, Model
from app.model.engine.search_encoder import SearchEncoder
from models.explain import explain
from models.labels import Task
from models.packing import LENGTHS
from models.runtime import Input, Runtime
from models.text import Normalised, normalise


class Engine:
    """The engine of a process; every method may be called from any thread.

    `search` opens the encoder of the knowledge base when the first vector is wanted; `queue` are the tokens that may
    wait in a lane before callers are refused.
    """

    def __init__(
        self, model: Model | None = None, *, search: Callable[[], Runtime] | None = None,
        queue: int = Settings.engine_queue, wait_ms: float = Settings.engine_wait_ms,
        cache: int = Settings.engine_cache,
    ) -> None:  # fmt: skip
        self._slots: dict[Slot, Model | None] = {"live": model, "shadow": None}
        self._search = SearchEncoder(search, limit=queue)
        self._dispatcher = Dispatcher(limit=queue, wait_ms=wait_ms)
        self.cache = Cache(size=cache)

    @property
    def is_ready(self) -> bool:
        """True while a live model is open."""
        return self._slots["live"] is not None

    @property
    def n_waiting(self) -> int:
        """The number of texts in the queue."""
        return self._dispatcher.n_waiting

    def model(self, slot: Slot = "live") -> Model:
        """Return the model in a slot; raise NotReady when it is empty."""
        found = self._slots[slot]
        if found is None:
            raise NotReady
        return found

    @property
    def tasks(self) -> dict[str, Task]:
        """The tasks of the live model by name; raises NotReady."""
        return self.model().tasks

    def swap(self, model: Model | None, *, slot: Slot = "live") -> Model | None:
        """Put an open model into a slot and return the one before; None empties the shadow slot."""
        if model is not None:
            warm(model)
        before, self._slots[slot] = self._slots[slot], model
        if model is not None and slot == "live":
            Thread(target=model.hasten, name="hasten").start()
        return before

    def close(self) -> None:
        """Stop; calls that wait are refused."""
        self._dispatcher.close()

    def classify(
        self, requests: Sequence[Request], *, lane: Lane = "interactive", deadline_ms: float | None = None,
        slot: Slot = "live", is_patient: bool = True,
    ) -> list[Result]:  # fmt: skip
        """Read texts and answer in their order; a patient caller waits for room where the bulk lane is full.

        Raises Overloaded (lane full), DeadlineExceeded (after `deadline_ms`), TaskMissing, NotReady.
        """
        model = self.model(slot)
        if lane == "bulk" and not is_patient:
            self._dispatcher.check(lane)
        asked = [_tasks(request, model=model) for request in requests]
        passes = {tasks: _pass(tasks, model=model) for tasks in set(asked)}
        expires = None if deadline_ms is None else monotonic() + deadline_ms / 1000
        results: dict[int, Result] = {}
        for one_pass in dict.fromkeys(passes[tasks] for tasks in asked):
            numbers = [at for at, tasks in enumerate(asked) if passes[tasks] == one_pass]
            inputs = _prepared([requests[at] for at in numbers])
            call = partial(Call, model, one_pass, lane=lane, expires=expires, is_patient=is_patient and lane == "bulk")
            rows, cached = self._rows(inputs, call=call, model=model, tasks=one_pass)
            for kind in {(asked[at], requests[at].n_top) for at in numbers}:
                same = [k for k, at in enumerate(numbers) if (asked[at], requests[at].n_top) == kind]
                found = _results(
                    [rows[k] for k in same],
                    cached=[cached[k] for k in same],
                    model=model,
                    layout=one_pass,
                    wanted=kind[0],
                    n_top=kind[1],
                    is_shadow=slot == "shadow",
                )
                results |= {numbers[k]: result for k, result in zip(same, found, strict=True)}
        return [_whole(results[at], text=request.text) for at, request in enumerate(requests)]

    def _rows(
        self, inputs: Sequence[Normalised], *, call: Callable[..., Call], model: Model, tasks: tuple[str, ...]
    ) -> tuple[list[Row], list[bool]]:
        """Return the rows of inputs from the cache or the model, with True for those from the cache."""
        artifact = model.artifact.sha256
        keys = [key(item, artifact=artifact, tasks=tasks) for item in inputs]
        kept = {wanted: self.cache.get(wanted) for wanted in dict.fromkeys(keys)}
        fresh = {wanted: item for wanted, item in zip(keys, inputs, strict=True) if kept[wanted] is None}
        by_length = sorted(fresh, key=lambda wanted: -len(fresh[wanted].text))
        new: dict[bytes, Row] = {}
        if by_length:
            read = self._dispatcher.submit(call(inputs=[_input(fresh[wanted]) for wanted in by_length]))
            new = dict(zip(by_length, read, strict=True))
            for wanted, row in new.items():
                self.cache.put(wanted, row=row)
        rows = [kept[wanted] or new[wanted] for wanted in keys]
        return rows, [wanted not in new for wanted in keys]

    def explain(
        self, text: str, *, task: str, target: tuple[int, int] | None = None, deadline_ms: float | None = None
    ) -> Explanation:
        """Return the words behind the live model's answer, found by leaving words out; see models/explain.py."""
        request = Request(text=text, tasks=(task,), target=target, n_top=1000)
        label = self.classify([request], deadline_ms=deadline_ms)[0].predictions[0].label

        def score(texts: Sequence[Input]) -> NDArray[np.float64]:
            asked = [replace(request, text=item.text, target=item.target) for item in texts]
            found = self.classify(asked, deadline_ms=deadline_ms)
            return np.asarray([{s.label: s.probability for s in r.predictions[0].top}[label] for r in found])

        item = Input(text, target)
        found = explain(item, score=score, label=label)
        return Explanation(
            label=label,
            probability=found.probability,
            words=tuple(Word(start=one.start, end=one.end, weight=one.weight) for one in found.weights),
            fidelity=found.fidelity,
            slips=tuple((slip.typed, slip.meant) for slip in self.model().slips(item)),
        )

    def embed(self, texts: Sequence[str], *, is_patient: bool = True) -> NDArray[np.float32]:
        """Return L2-normalised vectors [n, width] of the search encoder; raise NotReady when there is none.

        Raises Overloaded where too much waits for it, unless the caller is patient.
        """
        return self._search.embed([text[:LONGEST] for text in texts], is_patient=is_patient)


def warm(model: Model) -> None:
    """Compile the shapes that single texts need, so that the first reader does not wait for them."""
    for length in LENGTHS:
        if length <= model.artifact.manifest.max_length:
            model.run([Input("a " * (length - 2))])


def _prepared(requests: Sequence[Request]) -> list[Normalised]:
    """Return every request's text, normalised, with its target; a text with several targets is normalised once."""
    targets: dict[str, dict[tuple[int, int], int]] = {}
    for request in requests:
        known = targets.setdefault(request.text, {})
        if request.target:
            known.setdefault(request.target, len(known))
    ready = {text: normalise(text[:LONGEST], spans=list(known)) for text, known in targets.items()}
    return [
        Normalised(
            ready[request.text].text,
            (ready[request.text].spans[targets[request.text][request.target]],) if request.target else (),
        )
        for request in requests
    ]


def _whole(result: Result, *, text: str) -> Result:
    """Return the result with the tokens of the whole text, estimated for a text that was cut."""
    if len(text) <= LONGEST:
        return result
    return replace(result, n_tokens=ceil(result.n_tokens * len(text) / LONGEST))


def _input(ready: Normalised) -> Input:
    return Input(ready.text, ready.spans[0] if ready.spans else None, is_normalised=True)


def _tasks(request: Request, *, model: Model) -> tuple[str, ...]:
    if request.tasks is None:
        return tuple(model.tasks)
    for task in request.tasks:
        if task not in model.tasks:
            raise TaskMissing(task=task)
    return request.tasks


def _pass(tasks: tuple[str, ...], *, model: Model) -> tuple[str, ...]:
    """Return every task of the encoders of `tasks`: further heads cost next to nothing once the text is read."""
    encoders = model.artifact.manifest.encoders
    return tuple(name for entry in encoders if set(entry.tasks) & set(tasks) for name in entry.tasks)


def _results(
    rows: Sequence[Row], *, cached: Sequence[bool], model: Model, layout: tuple[str, ...], wanted: tuple[str, ...],
    n_top: int, is_shadow: bool,
) -> list[Result]:  # fmt: skip
    name = model.artifact.manifest.id
    answers = predictions_of(
        rows,
        layout=[model.tasks[task] for task in layout],
        decisions=model.decisions,
        wanted=wanted,
        model=name,
        n_top=n_top,
    )
    return [
        Result(
            predictions=tuple(replace(one, is_shadow=True) for one in found) if is_shadow else found,
            model=name, n_tokens=row.n_tokens, n_tokens_used=row.n_used, is_cached=hit,
        )
        for found, row, hit in zip(answers, rows, cached, strict=True)
    ]  # fmt: skip
