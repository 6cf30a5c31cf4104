"""Fit: a recipe and data in, a run's folder out. This is where the parts of training meet."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path
from typing import Any, cast

import torch
from peft import PeftModel
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from torch import nn
from transformers import AutoModel, AutoTokenizer
from transformers.utils import logging as hf_logging

from models.labels import Task, save_tasks
from models.network import Network
from training import attention
from training.config import Recipe, encoder_path
from training.data.batching import Step, schedule
from training.data.encode import encode, open_tokenizer
from training.data.masking import masking_of
from training.data.phrases import NAME as PHRASES
from training.data.phrases import describe_phrases
from training.data.sources import CORPORA, describe
from training.data.tasks import TaskData
from training.distributed import Share, join
from training.loop import Loop, Progress, Rows
from training.lora import attach, fuse
from training.runs import Run, RunError
from training.start import open_start, take_over

_DTYPES = {"bf16": torch.bfloat16, "fp32": torch.float32}


def fit(
    recipe: Recipe, *, data: dict[str, TaskData], run: Run, root: Path | None = None, resume: bool = False
) -> Progress:
    """Train one network on every task of `data` and leave the run's folder behind; `root` is where corpora lie.

    With `resume`, an interrupted run goes on from its checkpoint. Raises RunError, DataError, RecipeError.
    """
    share = join()
    if share.is_first and run.path.exists() and any(run.path.iterdir()) and not resume:
        raise RunError(f"{run.path} already holds a run. Choose another name, or resume it.")
    torch.manual_seed(recipe.seed)
    tasks = {name: rows.task for name, rows in data.items()}
    encoder = load_encoder(encoder_path(recipe.encoder))
    if share.is_first:
        _describe(run, recipe=recipe, encoder=encoder, data=data, root=root)
    share.wait()
    tokenizer = open_tokenizer(str(run.tokenizer), max_length=recipe.max_length)
    rows = {name: _encode(task, tokenizer=tokenizer) for name, task in data.items()}
    network = build(encoder, recipe=recipe, tasks=tasks)
    if recipe.start:
        _go_on(network, run=run, name=recipe.start, share=share)
    loop = Loop(
        network, run=run, recipe=recipe, steps=plan(rows, recipe=recipe), rows=rows, pad_id=pad_id(tokenizer),
        share=share, masking=masking_of(tokenizer),
    )  # fmt: skip
    if resume and run.checkpoint.is_file():
        loop.resume()
    progress = loop.train()
    if share.is_first:
        save_weights(network, run=run)
        run.write("state.json", content=run.state() | {"finished": True})
    share.wait()
    return progress


def _go_on(network: Network, *, run: Run, name: str, share: Share) -> None:
    """Start from trained weights; the recipe they came from is kept beside this one's."""
    start = open_start(name, beside=run.path.parent)
    take_over(network, start=start)
    if share.is_first:
        run.write("start.json", content={"path": str(start.path), "recipe": start.recipe})


def use_threads(count: int) -> None:
    """Set torch's threads; 0 shares the cores that this process may use among those that train together."""
    torch.set_num_threads(count or max(1, len(os.sched_getaffinity(0)) // join().size))


def _encode(data: TaskData, *, tokenizer: Tokenizer) -> Rows:
    parts = (encode(data.splits[split], task=data.task, tokenizer=tokenizer) for split in ("train", "validation"))
    return Rows(*parts)


def plan(rows: dict[str, Rows], *, recipe: Recipe) -> list[Step]:
    """The run's steps in order, at most the recipe's `max_steps` (0: all)."""
    steps = schedule(
        {name: row.train.lengths for name, row in rows.items()},
        passes={task.name: task.passes for task in recipe.tasks},
        budget=recipe.batch_tokens,
        max_rows=recipe.batch_rows,
        seed=recipe.seed,
    )
    return steps[: recipe.max_steps] if recipe.max_steps else steps


def load_encoder(path: str) -> nn.Module:
    """A Hugging Face encoder in float32, without pooler, with the attention that trains fastest on a CPU."""
    quiet = cast(Any, hf_logging)
    quiet.set_verbosity_error()
    quiet.disable_progress_bar()
    try:
        encoder = AutoModel.from_pretrained(path, attn_implementation=attention.NAME, dtype=torch.float32)
    except ValueError:
        # Some families (DeBERTa) bring attention of their own and refuse any other.
        encoder = AutoModel.from_pretrained(path, attn_implementation="eager", dtype=torch.float32)
    if getattr(encoder, "pooler", None) is not None:
        encoder.pooler = None
    return cast(nn.Module, encoder)


def build(encoder: nn.Module, *, recipe: Recipe, tasks: dict[str, Task]) -> Network:
    """A network ready to train: frozen encoder in the recipe's precision, adapter and heads in float32."""
    width = int(cast(Any, encoder).config.hidden_size)
    encoder.requires_grad_(False).to(_DTYPES[recipe.precision])
    adapted = attach(encoder, recipe=recipe.lora)
    fuse(adapted)
    hidden = {task.name: task.hidden for task in recipe.tasks}
    dropout = {task.name: task.dropout for task in recipe.tasks}
    network = Network(cast(nn.Module, adapted), tasks=tasks, width=width, hidden=hidden, dropout=dropout)
    _no_dropout(network.encoder)
    return network


def _no_dropout(encoder: nn.Module) -> None:
    """The frozen encoder's own dropout is off: the adapter is small, and drawing masks costs a fifth of a step."""
    for module in encoder.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0


def pad_id(tokenizer: Tokenizer) -> int:
    """The id of the padding token ([PAD] or <pad>), 0 where there is none."""
    found = (tokenizer.token_to_id(token) for token in ("[PAD]", "<pad>"))
    return next((token for token in found if token is not None), 0)


def save_weights(network: Network, *, run: Run) -> None:
    """Write the adapter (PEFT's own format) and the heads."""
    cast(PeftModel, network.encoder).save_pretrained(str(run.adapter))
    save_file({name: value.contiguous() for name, value in network.heads.state_dict().items()}, run.heads)


def restore(run: Run) -> tuple[Network, Tokenizer, dict[str, Task]]:
    """A finished run's network (float32, adapter attached and not merged, in eval mode), tokenizer and tasks."""
    recipe, tasks = run.recipe(), run.tasks()
    if not run.heads.is_file():
        raise RunError(f"{run.path} has no heads.safetensors: the run is not finished.")
    adapted = PeftModel.from_pretrained(cast(Any, load_encoder(run.encoder()["path"])), str(run.adapter))
    hidden = {task.name: task.hidden for task in recipe.tasks}
    network = Network(cast(nn.Module, adapted), tasks=tasks, width=run.encoder()["width"], hidden=hidden)
    network.heads.load_state_dict(load_file(run.heads))
    return network.eval(), open_tokenizer(str(run.tokenizer), max_length=recipe.max_length), tasks


def _describe(run: Run, *, recipe: Recipe, encoder: nn.Module, data: dict[str, TaskData], root: Path | None) -> None:
    """Write what the folder says about the run before the first step."""
    run.path.mkdir(parents=True, exist_ok=True)
    run.write_recipe(recipe)
    save_tasks(run.path / "labels.json", tasks=[rows.task for rows in data.values()])
    corpora = dict.fromkeys(name for task in data.values() for name in task.corpora)
    known = [describe(name, root=root) for name in corpora if root is not None and name in CORPORA]
    if PHRASES in corpora:
        known.append(describe_phrases())
    own = [{"name": name, "licence": "the user's own"} for name in corpora if name not in (*CORPORA, PHRASES)]
    run.write("data.json", content={"corpora": known + own})
    config, path = cast(Any, encoder).config, encoder_path(recipe.encoder)
    about = {"name": recipe.encoder, "path": path, "sha256": _weights_digest(path), "width": config.hidden_size}
    run.write("encoder.json", content=about | {"config": config.to_dict()})
    _copy_tokenizer(path, run=run)


def _copy_tokenizer(path: str, *, run: Run) -> None:
    """Keep tokenizer.json beside the run; a hub name's comes through transformers."""
    local = Path(path) / "tokenizer.json"
    if local.is_file():
        shutil.copyfile(local, run.tokenizer)
        return
    tokenizer = cast(Any, AutoTokenizer).from_pretrained(path, use_fast=True)
    tokenizer.backend_tokenizer.save(str(run.tokenizer))


def _weights_digest(path: str) -> str:
    weights = Path(path) / "model.safetensors"
    return hashlib.sha256(weights.read_bytes()).hexdigest() if weights.is_file() else ""
