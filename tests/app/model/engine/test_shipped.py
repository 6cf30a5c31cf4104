"""The shipped artifact in the engine: answers that depend on nothing but the text, on any processor, whatever comes."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core.engine_interface import Request
from app.core.errors import ArtifactDamaged
from app.model.engine import loader
from app.model.engine.engine import Engine
from models.decide import probabilities
from models.runtime import Runtime
from tests import shipped
from tests.architecture import ROOT

_WORDS = """where is my order card stolen please cancel refund never arrived twice charged app crashes thanks great
awful shares plunge profit warns upgrade $AAPL Fed raises rates why @bob https://x.y/z 😀 not don't café 3,50 !!!
&amp;"""
WORDS = _WORDS.split()
SENTENCES = (
    "I still have not received my new card, when will it arrive?",
    "Please cancel my order and give me my money back",
    "The app crashed again and nobody answers, this is the worst service ever",
    "Apple shares surge after record profit while Tesla slumps",
    "Fed holds rates steady, markets shrug",
    "How do I change my PIN?",
    "thank you so much, you made my day 😀",
    "I was charged twice for the same transfer",
)
texts = st.one_of(st.sampled_from(SENTENCES), st.lists(st.sampled_from(WORDS), max_size=200).map(" ".join))


@pytest.fixture(scope="module")
def model() -> Runtime:
    made = Runtime.open(shipped.newest(), threads=2)
    made.hasten()
    return made


@pytest.fixture(scope="module")
def engine(model: Runtime) -> Iterator[Engine]:
    made = Engine(model, cache=0, queue=20_000)
    yield made
    made.close()


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=texts, company=st.lists(texts, max_size=24), seed=st.integers(0, 99))
def test_an_answer_does_not_depend_on_its_company(model: Runtime, text: str, company: list[str], seed: int) -> None:
    batch = [*company, text]
    random.Random(seed).shuffle(batch)
    alone, among, at = model.logits([text]), model.logits(batch), batch.index(text)
    for task, decision in model.decisions.items():
        one = probabilities(alone[task], decision=decision)[0]
        other = probabilities(among[task][at : at + 1], decision=decision)[0]
        assert np.abs(one - other).max() <= 0.01
        best, second = np.sort(one)[::-1][:2]
        assert one.argmax() == other.argmax() or best - second <= 0.01


_LABELS = """
import json, sys
from pathlib import Path
from models.runtime import Runtime
model = Runtime.open(Path(sys.argv[1]), threads=1)
found = model.logits(json.loads(sys.stdin.read()))
print(json.dumps({task: rows.argmax(axis=1).tolist() for task, rows in found.items()}))
"""


@pytest.mark.parametrize("isa", ["AVX2", "AVX512_CORE"])
def test_a_processor_without_int8_instructions_gives_the_same_labels(model: Runtime, isa: str) -> None:
    given = [f"{text} {word}" for text in SENTENCES for word in WORDS[:6]]
    done = subprocess.run(
        [sys.executable, "-c", _LABELS, str(shipped.newest())], input=json.dumps(given), text=True, check=True,
        capture_output=True, cwd=ROOT, env={**os.environ, "ONEDNN_MAX_CPU_ISA": isa},
    )  # fmt: skip
    elsewhere, here = json.loads(done.stdout), model.logits(given)
    for task, decision in model.decisions.items():
        rows = np.sort(probabilities(here[task], decision=decision), axis=1)
        # Where the two best are this close another rounding may turn them round.
        is_clear = rows[:, -1] - rows[:, -2] > 0.05
        same = here[task].argmax(axis=1) == np.asarray(elsewhere[task])
        assert same[is_clear].all()
        assert is_clear.mean() >= 0.5


@pytest.mark.parametrize(
    "text",
    ["😀😀😀", "\x00\x00\x00", "a" * 100_000, "é" * 50_000, "\ud800 lone", "\u202e\u200b", "", "?" * 5000],
    ids=["emoji", "nulls", "no space", "accents", "surrogate", "invisible", "empty", "marks"],
)
def test_odd_texts_are_answered(engine: Engine, text: str) -> None:
    beside, (odd,) = engine.classify([Request(text=SENTENCES[0])]), engine.classify([Request(text=text)])
    both = engine.classify([Request(text=text), Request(text=SENTENCES[0])])
    assert all(np.isfinite(one.probability) for one in odd.predictions)
    assert [one.label for one in both[1].predictions] == [one.label for one in beside[0].predictions]
    assert odd.n_tokens_used <= odd.n_tokens


def test_ten_thousand_texts_in_one_call(engine: Engine) -> None:
    results = engine.classify([Request(text=f"order {at % 500} is late", tasks=("sentiment",)) for at in range(10_000)])
    assert len(results) == 10_000
    assert [r.predictions for r in results[:500]] == [r.predictions for r in results[-500:]]


@pytest.mark.parametrize("file", ["int8/main.bin", "heads.safetensors", "tokenizer.json", "decision.json"])
def test_a_damaged_file_is_refused_by_name(tmp_path: Path, file: str) -> None:
    folder = tmp_path / shipped.newest().name
    shutil.copytree(shipped.newest(), folder)
    content = bytearray((folder / file).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / file).write_bytes(content)
    with pytest.raises(ArtifactDamaged) as refused:
        loader.load(folder)
    assert (refused.value.params["file"], refused.value.params["reason"]) == (file, "damaged_file")


def test_a_swap_under_load_answers_everybody(model: Runtime) -> None:
    """Calls run on while two models are swapped back and forth; each is answered whole, by one of them."""
    other, engine = Runtime.open(shipped.newest(), threads=1), Engine(model, cache=0)
    # A busy machine swaps slowly: what counts is how often, not for how long.
    n_swaps, done = 4, Event()

    def ask(client: int) -> int:
        n_answered = 0
        while not done.is_set():
            found = engine.classify([Request(text=f"{text} {client} {n_answered}") for text in SENTENCES[:3]])
            assert [len(result.predictions) for result in found] == [len(model.tasks)] * 3
            n_answered += len(found)
        return n_answered

    with ThreadPoolExecutor(6) as pool:
        asked = [pool.submit(ask, client) for client in range(6)]
        live = other
        for _ in range(n_swaps):
            before = engine.swap(live)
            assert isinstance(before, Runtime)
            live = before
        done.set()
        assert min(one.result() for one in asked) > 0
    assert engine.n_waiting == 0
    engine.close()
