"""Fit: a recipe and data in, a run's folder out. This is where the parts of training meet."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path
from typing import Any, cast

import torch
from peft import PeftModel
from safetensors.torch import save_file
from tokenizers import Tokenizer
from torch import nn
from transformers import AutoTokenizer

from models.labels import Task, save_tasks
from models.network import Network
from models.tokens import pad_id
from training.begin_run import Beginning, begin, inherit
from training.config import Recipe, encoder_path
from training.data.augment import augmented
from training.data.batching import Step, schedule, tempered
from training.data.encode import encode, open_tokenizer
from training.data.masking import masking_of
from training.data.phrases import NAME as PHRASES
from training.data.phrases import describe_phrases
from training.data.sources import CORPORA, describe
from training.data.tasks import TaskData
from training.loop import Loop, Progress, Rows
from training.network.continuation import open_start, take_over
from training.network.encoder_shape import save_encoder, tables
from training.network.reopening import merged
from training.run.distributed import Share, join
from training.run.run_folder import Run, RunError
from training.techniques.linear_probe import probe
from training.techniques.lora import attach, fuse
from training.techniques.pseudo_labels import pseudo_labelled
from training.techniques.quantization_aware import bake, watch

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
    data = pseudo_labelled(data, recipe=recipe, run=run, root=root)
    if recipe.augment.share:
        data = augmented(data, share=recipe.augment.share, kinds=recipe.augment.kinds, seed=recipe.seed)
    tasks = {name: rows.task for name, rows in data.items()}
    beginning = begin(recipe, run=run, data=data)
    if share.is_first:
        _describe(run, recipe=recipe, data=data, root=root)
        _describe_encoder(run, recipe=recipe, beginning=beginning)
    share.wait()
    tokenizer = open_tokenizer(str(run.tokenizer), max_length=recipe.max_length)
    rows = {name: _encode(task, tokenizer=tokenizer) for name, task in data.items()}
    network = build(beginning.encoder, recipe=recipe, tasks=tasks)
    if recipe.probe and not (resume and run.checkpoint.is_file()):
        probe(network, recipe=recipe, rows={name: row.train for name, row in rows.items()}, pad_id=pad_id(tokenizer))
    if recipe.start and beginning.source is None:
        _go_on(network, run=run, name=recipe.start, share=share)
    loop = Loop(
        network, run=run, recipe=recipe, steps=plan(rows, recipe=recipe), rows=rows, pad_id=pad_id(tokenizer),
        share=share, masking=masking_of(tokenizer),
        objective=inherit(network, recipe=recipe, beginning=beginning, data=data),
    )  # fmt: skip
    if resume and run.checkpoint.is_file():
        loop.resume()
    progress = loop.train()
    if share.is_first:
        save_weights(network, run=run, is_whole=beginning.is_whole)
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
    lengths = {name: row.train.lengths for name, row in rows.items()}
    passes = {task.name: task.passes for task in recipe.tasks}
    steps = schedule(
        lengths,
        passes=tempered(lengths, passes=passes, temperature=recipe.sampling_temperature),
        budget=recipe.batch_tokens,
        max_rows=recipe.batch_rows,
        seed=recipe.seed,
    )
    return steps[: recipe.max_steps] if recipe.max_steps else steps


def build(encoder: nn.Module, *, recipe: Recipe, tasks: dict[str, Task]) -> Network:
    """A network ready to train by the recipe's method; adapter and heads are float32.

    A frozen encoder is in the recipe's precision, one that learns keeps float32 weights.
    """
    width = int(cast(Any, encoder).config.hidden_size)
    encoder = prepare(encoder, recipe=recipe)
    hidden = {task.name: task.hidden for task in recipe.tasks}
    dropout = {task.name: task.dropout for task in recipe.tasks}
    network = Network(encoder, tasks=tasks, width=width, hidden=hidden, dropout=dropout)
    network.heads.to(next(encoder.parameters()).device)
    _set_dropout(network.encoder, share=recipe.dropout)
    return network


def prepare(encoder: nn.Module, *, recipe: Recipe) -> nn.Module:
    """The encoder with what learns of it: an adapter (lora), all of it (full), nothing (head)."""
    encoder.requires_grad_(recipe.method == "full")
    if recipe.method == "full":
        for table in () if recipe.learn_embeddings else tables(encoder):
            table.requires_grad_(False)
        if recipe.quantise_aware:
            watch(encoder)
        return encoder.float()
    if recipe.precision in _DTYPES:
        encoder.to(_DTYPES[recipe.precision])
    if recipe.method == "head":
        return encoder
    adapted = attach(encoder, recipe=recipe.lora)
    fuse(adapted)
    return cast(nn.Module, adapted)


def _set_dropout(encoder: nn.Module, *, share: float) -> None:
    """The encoder's own dropout is off by default: what learns is small, and drawing masks costs a fifth of a step."""
    for module in encoder.modules():
        if isinstance(module, nn.Dropout):
            module.p = share


def save_weights(network: Network, *, run: Run, is_whole: bool) -> None:
    """Write the heads and the adapter (PEFT's own format), or the whole encoder where it is not base + adapter."""
    if isinstance(network.encoder, PeftModel) and not is_whole:
        cast(Any, network.encoder).save_pretrained(str(run.adapter))
    else:
        bake(network.encoder)
        save_encoder(merged(network.encoder), path=run.encoder_file)
    save_file({name: value.contiguous() for name, value in network.heads.state_dict().items()}, run.heads)


def _describe(run: Run, *, recipe: Recipe, data: dict[str, TaskData], root: Path | None) -> None:
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


def _describe_encoder(run: Run, *, recipe: Recipe, beginning: Beginning) -> None:
    """Write which encoder the run began with (a student's or pruned one's base is its source's) and its tokenizer."""
    config, source = cast(Any, beginning.encoder).config, beginning.source
    if source is None:
        path = encoder_path(recipe.encoder)
        base = {"name": recipe.encoder, "path": path, "sha256": _weights_digest(path)}
        _copy_tokenizer(path, run=run)
    else:
        base = {name: source.base[name] for name in ("name", "path", "sha256")}
        shutil.copyfile(source.tokenizer, run.tokenizer)
    if beginning.tokenizer is not None:
        beginning.tokenizer.save(str(run.tokenizer))
    run.write("encoder.json", content=base | {"width": config.hidden_size, "config": config.to_dict()})


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
