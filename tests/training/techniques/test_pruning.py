"""Pruning's algebra: pruned = masked, a kept piece keeps its answers, shared layers are stored once."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import pytest
import torch
from tokenizers import Tokenizer
from torch import Tensor, nn

from tests.tiny import tiny_encoder
from training.data import load_data
from training.fit import fit
from training.network.encoder_surgery import largest_indices, layers_of, open_encoder, save_encoder
from training.network.load_network import load_encoder, restore_run
from training.recipe import PruneRecipe, RecipeError, load_recipe
from training.run.run_folder import Run
from training.techniques.pruning import (
    Importance,
    choose_pieces,
    first_order_importance,
    magnitude_importance,
    prune,
    prune_vocabulary,
    share_layers,
)

_IDS = torch.tensor([[2, 40, 41, 42, 3, 0], [2, 50, 51, 52, 53, 3]])
_MASK = torch.tensor([[1, 1, 1, 1, 1, 0], [1, 1, 1, 1, 1, 1]])


@pytest.fixture(scope="module")
def deep(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An encoder of four layers."""
    return tiny_encoder(tmp_path_factory.mktemp("deep"), layers=4)


def _hidden(model: nn.Module) -> Tensor:
    with torch.no_grad():
        hidden: Tensor = model(input_ids=_IDS, attention_mask=_MASK).last_hidden_state
    return hidden[_MASK == 1]


@contextmanager
def _masked(encoder: nn.Module, *, importance: Importance, recipe: PruneRecipe) -> Iterator[None]:
    """Multiply the outputs of the unimportant heads and neurons by zero instead of removing them."""
    hooks = []
    for at, layer in enumerate(layers_of(encoder)):
        parts = cast(Any, layer)
        size = int(parts.attention.self.attention_head_size)
        heads = _kept(importance.heads[at], share=recipe.heads).repeat_interleave(size)
        neurons = _kept(importance.neurons[at], share=recipe.neurons)
        hooks += [
            _multiply_input(parts.attention.output.dense, mask=heads),
            _multiply_input(parts.output.dense, mask=neurons),
        ]
    yield
    for hook in hooks:
        hook.remove()


def _kept(values: Tensor, *, share: float) -> Tensor:
    mask = torch.zeros(len(values))
    mask[largest_indices(values, n=max(1, round(len(values) * share)))] = 1.0
    return mask


def _multiply_input(module: nn.Module, *, mask: Tensor) -> Any:
    return module.register_forward_pre_hook(lambda _, given: (given[0] * mask, *given[1:]))


def test_pruned_equals_masked(deep: Path) -> None:
    encoder = load_encoder(str(deep)).eval()
    known, recipe = magnitude_importance(encoder), PruneRecipe(heads=0.5, neurons=0.25)
    small = copy.deepcopy(encoder)
    prune(small, importance=known, recipe=recipe)
    assert layers_of(small)[0].get_submodule("intermediate.dense").weight.shape == (32, 32)
    with _masked(encoder, importance=known, recipe=recipe):
        torch.testing.assert_close(_hidden(small), _hidden(encoder), atol=1e-5, rtol=1e-4)
    assert (_hidden(small) - _hidden(encoder)).abs().max() > 1e-3


def test_nothing_pruned_changes_nothing(deep: Path) -> None:
    encoder = load_encoder(str(deep)).eval()
    same = copy.deepcopy(encoder)
    prune(same, importance=magnitude_importance(encoder), recipe=PruneRecipe())
    torch.testing.assert_close(_hidden(same), _hidden(encoder))


def test_first_order_sees_what_the_loss_depends_on(deep: Path) -> None:
    encoder = load_encoder(str(deep)).eval()
    unused = layers_of(encoder)[1].get_submodule("output.dense")
    with torch.no_grad():
        unused.weight[:, :7] = 0  # type: ignore[operator]
    target = torch.randn(11, 32, generator=torch.Generator().manual_seed(0))

    def loss() -> Tensor:
        hidden: Tensor = encoder(input_ids=_IDS, attention_mask=_MASK).last_hidden_state
        return (hidden[_MASK == 1] - target).square().mean()

    found = first_order_importance(encoder, next_loss=loss, batches=2)
    assert found.neurons[1][:7].abs().max() == 0
    assert found.neurons[1][7:].min() > 0
    assert [len(heads) for heads in found.heads] == [2] * 4
    assert all(parameter.grad is None for parameter in encoder.parameters())


def test_the_least_important_layer_goes(deep: Path) -> None:
    encoder = load_encoder(str(deep))
    ones = (torch.ones(2),) * 4
    neurons = tuple(torch.full((128,), value) for value in (3.0, 1.0, 2.0, 4.0))
    second = layers_of(encoder)[2]
    prune(encoder, importance=Importance(ones, neurons), recipe=PruneRecipe(layers=0.75))
    assert len(layers_of(encoder)) == 3
    assert layers_of(encoder)[1] is second


def test_pruned_and_shared_encoders_come_back(deep: Path, tmp_path: Path) -> None:
    encoder = load_encoder(str(deep)).eval()
    prune(encoder, importance=magnitude_importance(encoder), recipe=PruneRecipe(heads=0.5, neurons=0.5))
    whole = tmp_path / "whole.safetensors"
    save_encoder(encoder, path=whole)
    torch.testing.assert_close(_hidden(open_encoder(whole).eval()), _hidden(encoder), atol=1e-5, rtol=1e-4)
    share_layers(encoder, group=2)
    save_encoder(encoder, path=tmp_path / "shared.safetensors")
    again = open_encoder(tmp_path / "shared.safetensors").eval()
    torch.testing.assert_close(_hidden(again), _hidden(encoder), atol=1e-5, rtol=1e-4)
    assert (tmp_path / "shared.safetensors").stat().st_size < 0.75 * whole.stat().st_size
    first, second = layers_of(again)[0], layers_of(again)[1]
    assert all(a is b for a, b in zip(first.parameters(), second.parameters(), strict=True))


def test_kept_pieces_keep_their_answers(deep: Path) -> None:
    tokenizer = Tokenizer.from_file(str(deep / "tokenizer.json"))
    encoder = load_encoder(str(deep)).eval()
    texts = ["my card was stolen", "profit is up", "where is the order"]
    rows = [tokenizer.encode(text).ids for text in texts]
    kept = choose_pieces(tokenizer, rows=rows, at_least=1)
    small = copy.deepcopy(encoder)
    smaller = prune_vocabulary(small, tokenizer=tokenizer, kept=kept)
    assert smaller.get_vocab_size() == len(kept) < tokenizer.get_vocab_size()
    for text, row in zip(texts, rows, strict=True):
        own = smaller.encode(text)
        assert own.tokens == tokenizer.encode(text).tokens
        with torch.no_grad():
            exact = encoder(input_ids=torch.tensor([row])).last_hidden_state
            found = small(input_ids=torch.tensor([own.ids])).last_hidden_state
        assert torch.equal(found, exact)
    spelled = smaller.encode("tesla!")
    assert spelled.tokens == ["[CLS]", "t", "##e", "##s", "##l", "##a", "!", "[SEP]"]


def test_a_run_is_pruned_learns_on_and_comes_back(deep: Path, corpora: Path, tmp_path: Path) -> None:
    smoke = load_recipe("smoke")
    tasks = tuple(task for task in smoke.tasks if task.name in ("banking_intent", "emotion"))
    first = dataclasses.replace(smoke, encoder=str(deep), tasks=tasks, max_steps=3, batch_tokens=128)
    data = load_data(first, root=corpora)[0]
    fit(first, data=data, run=Run(tmp_path / "whole"), root=corpora)
    wanted = PruneRecipe(heads=0.5, neurons=0.5, layers=0.5, batches=2, vocabulary=1)
    for method in ("lora", "full"):
        recipe = dataclasses.replace(first, start="whole", prune=wanted, method=method)
        run = Run(tmp_path / method)
        fit(recipe, data=data, run=run, root=corpora)
        network, tokenizer, _ = restore_run(run)
        assert len(layers_of(network.encoder)) == 2
        assert tokenizer.get_vocab_size() == network.encoder.get_input_embeddings().weight.shape[0]  # type: ignore
        assert run.encoder_file.is_file()
    blind = dataclasses.replace(first, prune=PruneRecipe(neurons=0.5, by="magnitude"))
    fit(blind, data=data, run=Run(tmp_path / "blind"), root=corpora)
    with pytest.raises(RecipeError, match="first_order needs a finished network to begin with"):
        fit(dataclasses.replace(first, prune=wanted), data=data, run=Run(tmp_path / "no"), root=corpora)
