"""Who is let in while much waits for the model: by tokens, and with the time after which there is room again."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from app.core.engine_interface import LONGEST, Lane, Request
from app.core.errors import Overloaded
from app.model.engine.engine import Engine
from app.model.engine.workload import LONGEST_WAIT_S, Rate, tokens_of
from models.artifact import Artifact
from models.runtime import Input, Run, Runtime

LONG = " ".join(f"order {at} has not come" for at in range(60))
"""About 280 tokens."""


class Gated(Runtime):
    """The real runtime, which can be held back and notes what it read."""

    def __init__(self, artifact: Artifact) -> None:
        super().__init__(artifact, threads=1)
        self.gate = threading.Event()
        self.gate.set()
        self.runs: list[list[str]] = []

    def run(self, inputs: Sequence[Input | str], *, tasks: Collection[str] | None = None) -> Run:
        self.runs.append([item if isinstance(item, str) else item.text for item in inputs])
        assert self.gate.wait(20)
        return super().run(inputs, tasks=tasks)

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        assert self.gate.wait(20)
        return super().embed(texts)


@pytest.fixture
def model(tiny: Artifact) -> Gated:
    return Gated(tiny)


@pytest.fixture
def engine(model: Gated) -> Iterator[Engine]:
    made = Engine(model, search=lambda: model, queue=1000, wait_ms=1)
    yield made
    model.gate.set()
    made.close()


def _asked(texts: Sequence[str]) -> list[Request]:
    return [Request(text=text, tasks=("sentiment",)) for text in texts]


def _started(work: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def _until(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.002)


def _long(n_texts: int) -> list[str]:
    return [f"{at} {LONG}" for at in range(n_texts)]


@pytest.mark.parametrize("lane", ["interactive", "bulk"])
def test_few_long_texts_fill_the_queue_that_many_short_ones_do_not(engine: Engine, model: Gated, lane: Lane) -> None:
    model.gate.clear()
    short = _started(lambda: engine.classify(_asked([f"text {at}" for at in range(100)]), lane=lane))
    _until(lambda: engine.n_waiting == 100)
    long = _started(lambda: engine.classify(_asked(_long(10)), lane=lane, is_patient=False))
    _until(lambda: engine.n_waiting == 110)
    with pytest.raises(Overloaded) as refused:
        engine.classify(_asked(["one more"]), lane=lane, is_patient=False)
    assert 1 <= int(str(refused.value.params["retry_after"])) <= LONGEST_WAIT_S
    model.gate.set()
    short.join(20)
    long.join(20)
    assert engine.classify(_asked(["one more"]), lane=lane, is_patient=False)


def test_a_patient_bulk_call_waits_for_room(engine: Engine, model: Gated) -> None:
    model.gate.clear()
    first = _started(lambda: engine.classify(_asked(_long(10)), lane="bulk"))
    _until(lambda: engine.n_waiting == 10)
    found: list[object] = []
    second = _started(lambda: found.extend(engine.classify(_asked(["patient"]), lane="bulk")))
    time.sleep(0.05)
    assert found == []
    model.gate.set()
    first.join(20)
    second.join(20)
    assert len(found) == 1


def test_a_single_text_passes_a_call_of_many_in_its_own_lane(model: Gated) -> None:
    engine = Engine(model, wait_ms=1)
    model.gate.clear()
    _started(lambda: engine.classify(_asked(["first"])))
    _until(lambda: len(model.runs) == 1)
    many = _started(lambda: engine.classify(_asked(_long(16))))
    _until(lambda: engine.n_waiting == 17)
    single = _started(lambda: engine.classify(_asked(["single"])))
    _until(lambda: engine.n_waiting == 18)
    model.gate.set()
    single.join(20)
    many.join(20)
    engine.close()
    assert model.runs[1][0] == "single"


def test_vectors_are_let_in_by_tokens_too(engine: Engine, model: Gated) -> None:
    model.gate.clear()
    first = _started(lambda: engine.embed(_long(5), is_patient=False))
    _until(lambda: engine._search._n_waiting > 1000)
    with pytest.raises(Overloaded):
        engine.embed(["one more"], is_patient=False)
    patient = _started(lambda: engine.embed(["patient"]))
    model.gate.set()
    first.join(20)
    patient.join(20)
    assert engine.embed(["one more"], is_patient=False).shape == (1, 32)


def test_a_text_is_looked_at_as_far_as_any_model_reads(engine: Engine, model: Gated) -> None:
    (result,) = engine.classify(_asked(["word " * LONGEST]))
    assert max(len(text) for run in model.runs for text in run) <= LONGEST
    assert result.is_truncated
    (part,) = engine.classify(_asked(["word " * (LONGEST // 5)]))
    assert result.n_tokens == 5 * part.n_tokens


def test_the_time_to_come_back_follows_the_work() -> None:
    assert tokens_of("word " * 20) == 27
    rate = Rate()
    for _ in range(50):
        rate.add(1000, seconds=1.0)
    assert 90 <= rate.seconds_for(100_000) <= 110
    assert (rate.seconds_for(0), rate.seconds_for(10**9)) == (1, LONGEST_WAIT_S)
