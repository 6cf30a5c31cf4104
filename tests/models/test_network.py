"""The network's poolings and heads against the same formulas in numpy."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from models.labels import make_task
from models.network import Head, Network, pool


def _hidden() -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    mask = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]])
    return torch.randn(2, 5, 4), mask


def test_mean_leaves_padding_out() -> None:
    hidden, mask = _hidden()
    found = pool(hidden, pooling="mean", mask=mask).numpy()
    expected = np.stack([hidden[0].numpy().mean(axis=0), hidden[1, :3].numpy().mean(axis=0)])
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_span_is_the_target_beside_the_mean() -> None:
    hidden, mask = _hidden()
    found = pool(hidden, pooling="span", mask=mask, spans=torch.tensor([[1, 3], [0, 3]])).numpy()
    mean = pool(hidden, pooling="mean", mask=mask).numpy()
    np.testing.assert_allclose(found[0], np.concatenate([hidden[0, 1:3].numpy().mean(axis=0), mean[0]]), atol=1e-6)
    np.testing.assert_allclose(found[1], np.concatenate([mean[1], mean[1]]), atol=1e-6)
    np.testing.assert_allclose(pool(hidden, pooling="span", mask=mask).numpy()[:, :4], mean, atol=1e-6)


def test_no_mask_means_no_padding() -> None:
    hidden, _ = _hidden()
    full = torch.ones(2, 5, dtype=torch.long)
    torch.testing.assert_close(pool(hidden, pooling="mean"), pool(hidden, pooling="mean", mask=full))


def test_head_with_a_hidden_layer() -> None:
    head = Head(4, labels=3, hidden=2).eval()
    x = torch.randn(5, 4)
    state = {name: value.numpy() for name, value in head.state_dict().items()}
    hidden = np.tanh(x.numpy() @ state["hidden.weight"].T + state["hidden.bias"])
    expected = hidden @ state["output.weight"].T + state["output.bias"]
    np.testing.assert_allclose(head(x).detach().numpy(), expected, atol=1e-5)


def test_heads_are_named_after_their_tasks() -> None:
    single = make_task("a", role="intent", kind="single", pooling="mean", labels=["x", "y"])
    span = make_task("b", role="market_sentiment", kind="single", pooling="span", labels=["x", "y", "z"])
    network = Network(nn.Identity(), tasks={"a": single, "b": span}, width=4, hidden={"b": 6})
    shapes = {name: tuple(value.shape) for name, value in network.heads.state_dict().items()}
    assert shapes == {
        "a.output.weight": (2, 4),
        "a.output.bias": (2,),
        "b.hidden.weight": (6, 8),
        "b.hidden.bias": (6,),
        "b.output.weight": (3, 6),
        "b.output.bias": (3,),
    }
