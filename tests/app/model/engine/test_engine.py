from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from app.core.engine_interface import Request
from app.core.errors import DeadlineExceeded, NotReady, Overloaded, TaskMissing
from app.model.engine.answer_cache import Cache
from app.model.engine.engine import Engine
from models.artifact import Artifact, write
from models.runtime import Input, Run, Runtime
from tests.tiny_artifact import TEXTS


class Watched(Runtime):
    """The real runtime, which notes what it was asked and can be held back."""

    def __init__(self, artifact: Artifact) -> None:
        super().__init__(artifact, threads=1)
        self.runs: list[list[str]] = []
        self.gate = threading.Event()
        self.gate.set()
        self.failure: Exception | None = None

    def run(self, inputs: Sequence[Input | str], *, tasks: Collection[str] | None = None) -> Run:
        self.runs.append([item if isinstance(item, str) else item.text for item in inputs])
        assert self.gate.wait(20)
        if self.failure is not None:
            raise self.failure
        return super().run(inputs, tasks=tasks)

    def wait_for_runs(self, count: int) -> None:
        _until(lambda: len(self.runs) >= count)


def _until(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.002)


@pytest.fixture
def model(tiny: Artifact) -> Watched:
    return Watched(tiny)


@pytest.fixture
def engine(model: Watched) -> Iterator[Engine]:
    made = Engine(model, queue=64, wait_ms=1)
    yield made
    model.gate.set()
    made.close()


def _requests(*texts: str, tasks: tuple[str, ...] | None = ("sentiment",)) -> list[Request]:
    return [Request(text=text, tasks=tasks) for text in texts]


def _start(engine: Engine, *, texts: Sequence[str], lane: str = "interactive") -> tuple[threading.Thread, list[object]]:
    """Ask in a thread of its own; the list gets the results or the error."""
    found: list[object] = []

    def ask() -> None:
        try:
            found.extend(engine.classify(_requests(*texts), lane="bulk" if lane == "bulk" else "interactive"))
        except Exception as error:
            found.append(error)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    return thread, found


def test_results_stand_in_the_order_of_the_requests(engine: Engine, runtime: Runtime) -> None:
    results = engine.classify(_requests(*TEXTS))
    logits = runtime.logits(list(TEXTS), tasks=["sentiment"])["sentiment"]
    labels = [runtime.tasks["sentiment"].labels[at].id for at in logits.argmax(axis=1)]
    assert [result.of("sentiment").label for result in results] == labels
    assert engine.classify([]) == []


def test_a_prediction_says_all_that_is_known(engine: Engine) -> None:
    (result,) = engine.classify([Request(text=TEXTS[0])])
    assert [one.task for one in result.predictions] == list(engine.tasks)
    feeling = result.of("sentiment")
    assert (feeling.model, feeling.role, len(feeling.top)) == ("tiny@1.0", "sentiment", 3)
    assert sum(scored.probability for scored in feeling.top) == pytest.approx(1)
    assert feeling.top[0].label == feeling.label
    assert [scored.probability for scored in feeling.top] == sorted((s.probability for s in feeling.top), reverse=True)
    assert len(result.of("emotion").top) == 7
    assert result.of("emotion").labels
    assert len(result.of("banking_intent").top) == 4
    assert result.n_tokens == result.n_tokens_used > 0


def test_each_request_names_its_tasks(engine: Engine) -> None:
    asked = [Request(text="a bill", tasks=("sentiment",)), Request(text="a bill", tasks=("emotion", "market_topic"))]
    first, second = engine.classify(asked)
    assert [one.task for one in first.predictions] == ["sentiment"]
    assert [one.task for one in second.predictions] == ["emotion", "market_topic"]
    with pytest.raises(TaskMissing) as refused:
        engine.classify([Request(text="a", tasks=("weather",))])
    assert refused.value.params == {"task": "weather"}


def test_the_same_text_is_read_once(engine: Engine, model: Watched) -> None:
    first = engine.classify(_requests("my card", "my  card", "my card"))
    again = engine.classify([Request(text="my card", tasks=("emotion",))])
    assert model.runs == [["my card"]]
    assert [result.is_cached for result in first] == [False, False, False]
    assert again[0].is_cached
    assert engine.cache.n_hits == 1


def test_a_target_makes_another_question(engine: Engine, model: Watched) -> None:
    text, tasks = "apple shares surge, tesla shares drop", ("market_sentiment",)
    asked = [Request(text=text, tasks=tasks, target=span) for span in ((0, 5), (20, 25), None)]
    found = [result.predictions[0].top for result in engine.classify(asked)]
    assert len(set(found)) == 3
    assert len(model.runs) == 1


def test_targets_of_one_text_are_answered_as_if_each_were_asked_alone(engine: Engine) -> None:
    text = "  Acme &amp; Sons rises, see https://acme.example/a while @globex falls"
    targets = (None, (2, 6), (13, 17), (text.index("@globex"), len(text) - 6), (2, 6))
    asked = [Request(text=text, target=target) for target in targets]
    together = [result.predictions for result in engine.classify(asked)]
    engine.cache = Cache(size=0)
    for found, one in zip(together, asked, strict=True):
        (alone,) = engine.classify([one])
        assert [(p.task, p.label) for p in found] == [(p.task, p.label) for p in alone.predictions]
        assert [p.probability for p in found] == pytest.approx([p.probability for p in alone.predictions], abs=0.01)


def test_calls_that_wait_share_the_next_run(engine: Engine, model: Watched) -> None:
    model.gate.clear()
    started = [_start(engine, texts=["first"])]
    model.wait_for_runs(1)
    started += [_start(engine, texts=[f"text {at}"]) for at in range(6)]
    _until(lambda: engine.n_waiting == 7)
    model.gate.set()
    for thread, found in started:
        thread.join(20)
        assert len(found) == 1
    assert [len(run) for run in model.runs] == [1, 6]


def test_an_idle_engine_does_not_wait_for_company(tiny: Artifact) -> None:
    engine = Engine(Runtime(tiny, threads=1), wait_ms=2000)
    started = time.monotonic()
    for at in range(3):
        engine.classify(_requests(f"text {at}"))
    assert time.monotonic() - started < 2
    engine.close()


def test_interactive_calls_overtake_bulk(engine: Engine, model: Watched) -> None:
    model.gate.clear()
    bulk, _ = _start(engine, texts=[f"bulk {at}" for at in range(2000)], lane="bulk")
    model.wait_for_runs(1)
    quick, found = _start(engine, texts=["quick"])
    _until(lambda: engine.n_waiting == 2001)
    model.gate.set()
    quick.join(20)
    bulk.join(20)
    assert len(found) == 1
    assert model.runs[1] == ["quick"]
    assert len(model.runs) > 3


def test_a_full_queue_refuses_and_keeps_what_it_accepted(engine: Engine, model: Watched) -> None:
    model.gate.clear()
    first, accepted = _start(engine, texts=[f"text {at}" for at in range(100)])
    model.wait_for_runs(1)
    with pytest.raises(Overloaded) as refused:
        engine.classify(_requests("one more"))
    assert refused.value.params == {"retry_after": 1}
    model.gate.set()
    first.join(20)
    assert len(accepted) == 100
    assert engine.classify(_requests("one more"))


def test_bulk_waits_for_room(engine: Engine, model: Watched) -> None:
    model.gate.clear()
    first, _ = _start(engine, texts=[f"text {at}" for at in range(100)])
    model.wait_for_runs(1)
    second, found = _start(engine, texts=["patient"], lane="bulk")
    time.sleep(0.05)
    assert found == []
    model.gate.set()
    first.join(20)
    second.join(20)
    assert len(found) == 1


def test_a_deadline_ends_the_wait_and_nobody_reads_the_text(engine: Engine, model: Watched) -> None:
    model.gate.clear()
    first, _ = _start(engine, texts=["first"])
    model.wait_for_runs(1)
    with pytest.raises(DeadlineExceeded):
        engine.classify(_requests("late"), deadline_ms=30)
    model.gate.set()
    first.join(20)
    engine.classify(_requests("after"))
    assert ["late"] not in model.runs
    assert engine.n_waiting == 0


def test_a_failing_run_fails_its_calls_alone(engine: Engine, model: Watched) -> None:
    model.failure = RuntimeError("the graph broke")
    with pytest.raises(RuntimeError, match="the graph broke"):
        engine.classify(_requests("one"))
    model.failure = None
    assert engine.classify(_requests("two"))


def test_ten_thousand_texts_in_one_call(engine: Engine) -> None:
    texts = [f"order {at % 2500} {at % 7}" for at in range(10_000)]
    results = engine.classify(_requests(*texts))
    assert len(results) == 10_000
    assert results[7].predictions == engine.classify(_requests(texts[7]))[0].predictions


def test_a_slow_machine_reads_a_call_of_bulk_to_its_end(engine: Engine, model: Watched) -> None:
    engine._dispatcher._rate.add(1000, seconds=1000)
    texts = [f"{at} {'late and slow ' * 10}" for at in range(40)]
    assert len(engine.classify(_requests(*texts), lane="bulk")) == 40
    assert len(model.runs) > 1


def test_an_empty_text_needs_a_person(engine: Engine) -> None:
    for text in ("", " \x00 ", "\u200b"):
        (result,) = engine.classify(_requests(text))
        assert result.predictions[0].abstained
        assert result.predictions[0].band == "low"


def test_a_swap_is_at_once_and_calls_under_way_finish_on_the_old(
    engine: Engine, model: Watched, tiny: Artifact, tmp_path: Path
) -> None:
    newer = Runtime(_copied(tiny, folder=tmp_path / "tiny-2.0"), threads=1)
    model.gate.clear()
    thread, found = _start(engine, texts=["under way"])
    model.wait_for_runs(1)
    assert engine.swap(newer) is model
    model.gate.set()
    assert engine.classify(_requests("afterwards"))[0].model == "tiny@2.0"
    thread.join(20)
    assert [getattr(result, "model", result) for result in found] == ["tiny@1.0"]


def _copied(tiny: Artifact, *, folder: Path) -> Artifact:
    from dataclasses import replace

    def fill(part: Path) -> None:
        shutil.copytree(tiny.folder, part, dirs_exist_ok=True)
        (part / "manifest.json").unlink()

    return write(folder, manifest=replace(tiny.manifest, version="2.0"), fill=fill)


def test_a_shadow_answers_beside_the_live_model(engine: Engine, runtime: Runtime) -> None:
    with pytest.raises(NotReady):
        engine.classify(_requests("a"), slot="shadow")
    engine.swap(runtime, slot="shadow")
    (result,) = engine.classify(_requests("a"), slot="shadow")
    assert result.predictions[0].is_shadow
    assert not engine.classify(_requests("a"))[0].predictions[0].is_shadow


def test_without_a_model_or_after_closing_it_is_not_ready(runtime: Runtime) -> None:
    engine = Engine()
    assert not engine.is_ready
    with pytest.raises(NotReady):
        engine.classify(_requests("a"))
    with pytest.raises(NotReady):
        engine.embed(["a"])
    engine.swap(runtime)
    assert engine.classify(_requests("a"))
    engine.close()
    with pytest.raises(NotReady):
        engine.classify(_requests("b"))


def test_search_opens_with_the_first_vector(runtime: Runtime) -> None:
    opened: list[Runtime] = []

    def search() -> Runtime:
        opened.append(runtime)
        return runtime

    engine = Engine(search=search)
    assert opened == []
    vectors = engine.embed([f"text {at}" for at in range(70)])
    assert vectors.shape == (70, 32)
    np.testing.assert_allclose(vectors[3], runtime.embed(["text 3"])[0], atol=1e-5)
    engine.embed(["again"])
    assert len(opened) == 1
    engine.close()


def test_an_explanation_weighs_every_word(engine: Engine) -> None:
    text = "my card was stolen, please cancel it"
    found = engine.explain(text, task="banking_intent")
    assert [text[weight.start : weight.end] for weight in found.words] == text.split()
    result = engine.classify([Request(text=text, tasks=("banking_intent",))])[0].predictions[0]
    assert found.label == result.label
    assert found.probability == pytest.approx(result.probability)
    assert any(weight.weight != 0 for weight in found.words)
