"""Explanations checked against gradients, on a tiny network whose int8 twin serves."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from models.artifact import Artifact
from models.network import Network
from models.runtime import Input, Runtime
from tests.tiny import tiny_encoder
from tests.tiny_artifact import TEXTS, tiny_tasks
from training.evaluate.attribution import FloatNetwork, check_explanations, deletion_and_insertion, rank_correlation
from training.network.load_network import TrainedNetwork, load_encoder
from training.run.run_folder import BaseEncoder


@pytest.fixture(scope="module")
def twin(tiny: Artifact, tmp_path_factory: pytest.TempPathFactory) -> FloatNetwork:
    """The float32 network of the tiny artifact: the same seeded encoder, the same heads."""
    folder = tiny_encoder(tmp_path_factory.mktemp("twin"))
    network = Network(load_encoder(str(folder)), tasks=tiny_tasks(), width=32)
    network.heads.load_state_dict(load_file(tiny.path("heads.safetensors")))
    base = BaseEncoder(name="tiny", path=str(folder), sha256="")
    return FloatNetwork(TrainedNetwork(network.eval(), Path(folder / "tokenizer.json"), 32, base))


@pytest.mark.parametrize(("task", "target"), [("sentiment", None), ("emotion", None), ("market_sentiment", (0, 5))])
def test_weights_sum_to_what_the_text_adds_to_its_baseline(
    twin: FloatNetwork, task: str, target: tuple[int, int] | None
) -> None:
    item = Input("apple forecast a drop in sales", target)
    words = [(0, 5), (6, 14), (15, 16), (17, 21), (22, 24), (25, 30)]
    found = twin.gradients(item, words=words, task=task, column=1)
    assert found.gap < 0.01
    encoded = twin.tokenizer.encode(item.text)
    base = [token if special else twin.pad for token, special in
            zip(encoded.ids, encoded.special_tokens_mask, strict=True)]  # fmt: skip
    spans = torch.tensor([[1, 2] if target else [0, len(base)]])
    with torch.no_grad():
        text, blank = (twin.network(torch.tensor([ids]), task=task, spans=spans) for ids in (encoded.ids, base))
    link = torch.sigmoid if task == "emotion" else torch.nn.Softmax(dim=-1)
    assert sum(found.weights) == pytest.approx(float(link(text)[0, 1] - link(blank)[0, 1]), abs=0.01)


def test_both_methods_are_measured_on_the_served_model(twin: FloatNetwork, runtime: Runtime) -> None:
    found = check_explanations(runtime, twin=twin, items=[Input(text) for text in TEXTS], task="sentiment")
    assert found["n"] == len(TEXTS)
    assert found["gap"] < 0.02
    assert found["rank_correlation"] > 0
    assert found["deletion_occlusion"] < found["deletion_random"]
    assert check_explanations(runtime, twin=twin, items=[Input("hello")], task="sentiment") == {"n": 0}


def test_the_right_order_of_words_loses_and_finds_the_label_first() -> None:
    item, words = Input("a b key c d"), [(0, 1), (2, 3), (4, 7), (8, 9), (10, 11)]

    def score(inputs: Sequence[Input]) -> np.ndarray:
        return np.asarray([float("key" in one.text) for one in inputs])

    assert deletion_and_insertion(item, words=words, order=[2, 0, 1, 3, 4], score=score) == (0, 1)
    assert deletion_and_insertion(item, words=words, order=[0, 1, 3, 4, 2], score=score) == (1, 0)


def test_rank_correlation_by_hand() -> None:
    assert rank_correlation([1, 2, 3], second=[10, 20, 30]) == pytest.approx(1)
    assert rank_correlation([1, 2, 3], second=[3, 2, 1]) == pytest.approx(-1)
    assert rank_correlation([1, 1, 1], second=[3, 2, 1]) == 0
