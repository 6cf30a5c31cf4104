"""LoRA's algebra: fused = PEFT's own = merged, forward and backward; the saved adapter is PEFT's."""

from __future__ import annotations

import copy
import dataclasses
from pathlib import Path
from typing import Any, cast

import pytest
import torch
from peft import PeftModel
from torch import Tensor, nn

from training.data import load_data
from training.fit import fit
from training.network.load_network import load_encoder, restore_run
from training.recipe import LoraRecipe, RecipeError, load_recipe
from training.run.run_folder import Run
from training.techniques.lora import attach_adapter, fuse_layers

_IDS = torch.tensor([[2, 40, 41, 42, 3, 0], [2, 50, 51, 52, 53, 3]])
_MASK = torch.tensor([[1, 1, 1, 1, 1, 0], [1, 1, 1, 1, 1, 1]])


def _adapted(encoder: Path, *, recipe: LoraRecipe) -> nn.Module:
    """An adapter that has learned something: B is zero at first, and then nothing could differ."""
    torch.manual_seed(0)
    model = attach_adapter(load_encoder(str(encoder)), recipe=recipe)
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            nn.init.normal_(parameter, std=0.05)
    return cast(nn.Module, model).eval()


def _hidden(model: nn.Module, *, mask: Tensor | None = _MASK) -> Tensor:
    hidden: Tensor = model(input_ids=_IDS, attention_mask=mask).last_hidden_state
    return hidden


@pytest.mark.parametrize("recipe", [LoraRecipe(rank=4, alpha=8.0), LoraRecipe(rank=4, alpha=8.0, rslora=True)])
def test_fused_equals_peft_forward_and_backward(encoder: Path, recipe: LoraRecipe) -> None:
    plain = _adapted(encoder, recipe=recipe)
    fused = copy.deepcopy(plain)
    assert fuse_layers(fused) == 12
    torch.testing.assert_close(_hidden(fused), _hidden(plain), atol=1e-5, rtol=1e-4)
    for model in (plain, fused):
        torch.autograd.backward(_hidden(model).square().sum())
    learned = dict(fused.named_parameters())
    for name, parameter in plain.named_parameters():
        if parameter.grad is not None:
            torch.testing.assert_close(learned[name].grad, parameter.grad, atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize("recipe", [LoraRecipe(rank=4, alpha=8.0), LoraRecipe(rank=4, alpha=8.0, dora=True)])
def test_merged_equals_adapter(encoder: Path, recipe: LoraRecipe) -> None:
    model = _adapted(encoder, recipe=recipe)
    adapted = _hidden(model).detach()
    base = _hidden(load_encoder(str(encoder)).eval())
    assert (adapted - base).abs().max() > 0.01
    merged = cast(Any, model).merge_and_unload()
    torch.testing.assert_close(_hidden(merged), adapted, atol=1e-4, rtol=1e-4)


def test_peft_opens_what_was_saved(encoder: Path, tmp_path: Path) -> None:
    model = _adapted(encoder, recipe=LoraRecipe(rank=4, alpha=8.0))
    fuse_layers(model)
    cast(Any, model).save_pretrained(str(tmp_path))
    opened = cast(nn.Module, PeftModel.from_pretrained(cast(Any, load_encoder(str(encoder))), str(tmp_path)))
    torch.testing.assert_close(_hidden(opened.eval()), _hidden(model), atol=1e-5, rtol=1e-4)


def test_only_the_adapter_learns_and_in_float32(encoder: Path) -> None:
    model = attach_adapter(load_encoder(str(encoder)).to(torch.bfloat16), recipe=LoraRecipe(rank=4))
    learning = {name: value.dtype for name, value in model.named_parameters() if value.requires_grad}
    assert len(learning) == 24
    assert all("lora_" in name for name in learning)
    assert set(learning.values()) == {torch.float32}


def test_layers_with_dropout_or_dora_stay_pefts(encoder: Path) -> None:
    assert fuse_layers(attach_adapter(load_encoder(str(encoder)), recipe=LoraRecipe(rank=4, dropout=0.1))) == 0
    assert fuse_layers(attach_adapter(load_encoder(str(encoder)), recipe=LoraRecipe(rank=4, dora=True))) == 0


def test_targets_choose_layers(encoder: Path) -> None:
    model = attach_adapter(load_encoder(str(encoder)), recipe=LoraRecipe(rank=4, targets=("query", "value")))
    assert fuse_layers(model) == 4
    with pytest.raises(RecipeError, match="match no linear layer"):
        attach_adapter(load_encoder(str(encoder)), recipe=LoraRecipe(targets=("qkv",)))


def test_attention_equals_the_encoders_own(encoder: Path) -> None:
    from transformers import AutoModel

    own = AutoModel.from_pretrained(str(encoder), attn_implementation="eager").eval()
    ours = load_encoder(str(encoder)).eval()
    real = _MASK.bool()
    torch.testing.assert_close(_hidden(ours)[real], _hidden(own)[real], atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(_hidden(ours, mask=None), _hidden(own, mask=None), atol=1e-5, rtol=1e-4)


def test_an_eight_bit_base_learns_by_its_adapter_and_is_merged_in_float32(
    encoder: Path, corpora: Path, tmp_path: Path
) -> None:
    smoke = load_recipe("smoke")
    tasks = tuple(task for task in smoke.tasks if task.name == "emotion")
    recipe = dataclasses.replace(smoke, encoder=str(encoder), tasks=tasks, precision="int8", max_steps=2, lr=0.01)
    run = Run(tmp_path / "run")
    fit(recipe, data=load_data(recipe, root=corpora)[0], run=run, root=corpora)
    network = restore_run(run)[0]
    assert isinstance(network.encoder, PeftModel)
    learned = {name: value for name, value in network.encoder.named_parameters() if "lora_B" in name}
    assert all(value.abs().max() > 0 for value in learned.values())
    assert {value.dtype for value in network.encoder.parameters()} == {torch.float32}
