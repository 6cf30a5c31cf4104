from __future__ import annotations

import random
import subprocess
import sys
import time

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.artifact import Artifact
from models.decide import probabilities
from models.runtime import Input, Runtime
from tests.tiny_artifact import TEXTS

words = st.lists(st.sampled_from([*" ".join(TEXTS).split(), "😀", "$AAPL", "zürich", "@bob"]), max_size=60).map(
    " ".join
)


def _largest_change(runtime: Runtime, *, one: np.ndarray, other: np.ndarray, task: str) -> float:
    decision = runtime.decisions[task]
    return float(np.abs(probabilities(one, decision=decision) - probabilities(other, decision=decision)).max())


def test_logits_have_a_row_per_input_and_a_column_per_label(runtime: Runtime) -> None:
    found = runtime.logits(list(TEXTS))
    assert {task: rows.shape for task, rows in found.items()} == {
        name: (len(TEXTS), len(task.labels)) for name, task in runtime.tasks.items()
    }
    assert list(runtime.logits([], tasks=["sentiment"])["sentiment"].shape) == [0, 3]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=words, company=st.lists(words, max_size=40), seed=st.integers(0, 99))
def test_an_answer_does_not_depend_on_its_company(runtime: Runtime, text: str, company: list[str], seed: int) -> None:
    batch = [*company, text]
    random.Random(seed).shuffle(batch)
    alone, among = runtime.logits([text]), runtime.logits(batch)
    at = batch.index(text)
    for task in runtime.tasks:
        assert _largest_change(runtime, one=alone[task], other=among[task][at : at + 1], task=task) <= 0.01


@pytest.mark.parametrize(
    "text",
    ["", "   ", "😀😀😀", "\x00\x00\x00", "a" * 100_000, "é" * 50_000, "\ud800 lone", "word " * 20_000, "\u202e\u200b"],
    ids=["empty", "spaces", "emoji", "nulls", "no space", "accents", "surrogate", "long", "invisible"],
)
def test_odd_texts_are_answered(runtime: Runtime, text: str) -> None:
    started = time.monotonic()
    run = runtime.run([text])
    assert all(np.isfinite(rows).all() for rows in run.logits.values())
    assert run.n_used[0] <= run.n_tokens[0]
    assert time.monotonic() - started < 30


def test_a_long_text_is_read_in_windows_and_the_cut_is_reported(runtime: Runtime) -> None:
    run = runtime.run(["order " * 100, "order " * 1000, "order"])
    assert run.n_tokens == (100, 1000, 1)
    assert run.n_used == (100, 8 * 30, 1)


def test_a_long_texts_logits_are_the_mean_of_its_windows(runtime: Runtime) -> None:
    first, second = "card " * 30, "refund " * 30
    both = runtime.logits([first + second], tasks=["sentiment"])["sentiment"][0]
    each = runtime.logits([first, second], tasks=["sentiment"])["sentiment"]
    np.testing.assert_allclose(both, each.mean(axis=0), atol=1e-4)


def test_identical_texts_are_read_once(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    graph, rows = runtime._graphs["main"], []
    hidden = type(graph).hidden

    def counted(self: object, ids: np.ndarray, *, mask: np.ndarray, positions: np.ndarray) -> np.ndarray:
        rows.append(int(mask.max(axis=1).sum()))
        return hidden(graph, ids, mask=mask, positions=positions)

    monkeypatch.setattr(type(graph), "hidden", counted)
    found = runtime.logits(["where is my order?"] * 50 + ["where is  my order?"])["sentiment"]
    assert sum(rows) == 1
    assert (found == found[0]).all()


def test_several_targets_of_one_text_cost_one_row_and_differ(runtime: Runtime) -> None:
    text = "apple shares surge, tesla shares drop"
    inputs = [Input(text, (0, 5)), Input(text, (20, 25)), Input(text)]
    rows = runtime.logits(inputs, tasks=["market_sentiment"])["market_sentiment"]
    alone = [runtime.logits([item], tasks=["market_sentiment"])["market_sentiment"][0] for item in inputs]
    np.testing.assert_allclose(rows, np.stack(alone), atol=1e-4)
    assert np.abs(rows[0] - rows[1]).max() > 1e-3


def test_vectors_are_of_length_one_and_follow_the_text(runtime: Runtime) -> None:
    vectors = runtime.embed(["my card was stolen", "profit is up", "my card was  stolen"])
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(vectors[0], vectors[2], atol=1e-6)
    assert vectors[0] @ vectors[1] < 0.9999


def test_an_unknown_task_is_a_key_error(runtime: Runtime) -> None:
    with pytest.raises(KeyError):
        runtime.logits(["a"], tasks=["weather"])


def test_serving_loads_neither_torch_nor_the_runtimes_telemetry(tiny: Artifact) -> None:
    code = (
        "import sys; from pathlib import Path; import app.model.engine.engine; from models.runtime import Runtime\n"
        "assert not {'torch', 'transformers', 'openvino', 'onnxruntime'} & set(sys.modules)\n"
        f"Runtime.open(Path({str(tiny.folder)!r})).logits(['a'])\n"
        "assert sys.modules['openvino_telemetry'] is None\n"
        "print([m for m in sys.modules if m.split('.')[0] in ('torch', 'transformers', 'onnxruntime')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
