"""Train a network: a recipe and data in, a run's folder out."""

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
from training.config import encoder_path
from training.data.augmentation import augment
from training.data.batching import Step, schedule, tempered_passes
from training.data.corpora import CORPORA, CorpusDescription, describe_corpus
from training.data.encoding import encode, open_tokenizer
from training.data.masking import make_masking
from training.data.phrases import NAME as PHRASES
from training.data.phrases import describe_phrases
from training.data.tasks import TaskData
from training.loop import Progress, TaskRows, TrainingLoop
from training.network.encoder_surgery import embedding_tables, save_encoder
from training.network.load_network import merge_adapter
from training.network.warm_start import load_warm_start, open_warm_start
from training.recipe import Recipe
from training.run.distributed import Worker, join_workers
from training.run.run_folder import Run, RunError
from training.starting_point import StartingPoint, make_objective, open_starting_point
from training.techniques.linear_probe import fit_heads
from training.techniques.lora import attach_adapter, fuse_layers
from training.techniques.pseudo_labels import add_pseudo_labels
from training.techniques.quantization_aware import add_fake_quantisation, remove_fake_quantisation

_DTYPES = {"bf16": torch.bfloat16, "fp32": torch.float32}


def fit(
    recipe: Recipe, *, data: dict[str, TaskData], run: Run, root: Path | None = None, resume: bool = False
) -> Progress:
    """Train one network on all tasks of `data` and write the run's folder; `root` is the folder of the corpora.

    With `resume`, an interrupted run continues from its checkpoint. Raises RunError, DataError or RecipeError.
    """
    worker = join_workers()
    if worker.is_first and run.path.exists() and any(run.path.iterdir()) and not resume:
        raise RunError(f"{run.path} already holds a run. Choose another name, or resume it.")
    torch.manual_seed(recipe.seed)
    data = _extend_rows(data, recipe=recipe, run=run, root=root)
    start = open_starting_point(recipe, run=run, data=data)
    if worker.is_first:
        _write_description(run, recipe=recipe, data=data, root=root)
        _write_encoder(run, recipe=recipe, start=start)
    worker.wait()
    tokenizer = open_tokenizer(str(run.tokenizer), max_length=recipe.max_length)
    rows = {name: _encode_rows(task, tokenizer=tokenizer) for name, task in data.items()}
    network = build_network(start.encoder, recipe=recipe, tasks={name: rows.task for name, rows in data.items()})
    is_resumed = resume and run.checkpoint.is_file()
    if recipe.probe and not is_resumed:
        train_rows = {name: row.train for name, row in rows.items()}
        fit_heads(network, recipe=recipe, rows=train_rows, pad_id=pad_id(tokenizer))
    if recipe.start and start.source is None:
        _load_warm_start(network, run=run, name=recipe.start, worker=worker)
    loop = TrainingLoop(
        network, run=run, recipe=recipe, steps=plan_steps(rows, recipe=recipe), rows=rows, pad_id=pad_id(tokenizer),
        worker=worker, masking=make_masking(tokenizer),
        objective=make_objective(network, recipe=recipe, start=start, data=data),
    )  # fmt: skip
    if is_resumed:
        loop.resume()
    progress = loop.train()
    if worker.is_first:
        save_weights(network, run=run, is_whole=start.is_whole)
        run.write("state.json", content={**run.state(), "finished": True})
    worker.wait()
    return progress


def _extend_rows(data: dict[str, TaskData], *, recipe: Recipe, run: Run, root: Path | None) -> dict[str, TaskData]:
    """Add pseudo-labelled rows and noisy copies to the training rows, as the recipe says."""
    data = add_pseudo_labels(data, recipe=recipe, run=run, root=root)
    if not recipe.augment.share:
        return data
    return augment(data, share=recipe.augment.share, kinds=recipe.augment.kinds, seed=recipe.seed)


def _load_warm_start(network: Network, *, run: Run, name: str, worker: Worker) -> None:
    """Load the weights of a finished run or artifact and record in start.json where they come from."""
    start = open_warm_start(name, beside=run.path.parent)
    load_warm_start(network, start=start)
    if worker.is_first:
        run.write("start.json", content={"path": str(start.path), "recipe": start.recipe})


def use_threads(count: int) -> None:
    """Set torch's number of threads; 0 divides the available cores among the processes that train together."""
    torch.set_num_threads(count or max(1, len(os.sched_getaffinity(0)) // join_workers().size))


def _encode_rows(data: TaskData, *, tokenizer: Tokenizer) -> TaskRows:
    parts = (encode(data.splits[split], task=data.task, tokenizer=tokenizer) for split in ("train", "validation"))
    return TaskRows(*parts)


def plan_steps(rows: dict[str, TaskRows], *, recipe: Recipe) -> list[Step]:
    """Return the run's steps in order, at most the recipe's `max_steps` (0: all)."""
    lengths = {name: row.train.lengths for name, row in rows.items()}
    passes = {task.name: task.passes for task in recipe.tasks}
    steps = schedule(
        lengths,
        passes=tempered_passes(lengths, passes=passes, temperature=recipe.sampling_temperature),
        budget=recipe.batch_tokens,
        max_rows=recipe.batch_rows,
        seed=recipe.seed,
    )
    return steps[: recipe.max_steps] if recipe.max_steps else steps


def build_network(encoder: nn.Module, *, recipe: Recipe, tasks: dict[str, Task]) -> Network:
    """Return the network to train.

    Heads, adapter and an encoder that learns have float32 weights; a frozen encoder has the recipe's precision.
    """
    width = int(cast(Any, encoder).config.hidden_size)
    encoder = prepare_encoder(encoder, recipe=recipe)
    hidden = {task.name: task.hidden for task in recipe.tasks}
    dropout = {task.name: task.dropout for task in recipe.tasks}
    network = Network(encoder, tasks=tasks, width=width, hidden=hidden, dropout=dropout)
    network.heads.to(next(encoder.parameters()).device)
    _set_dropout(network.encoder, share=recipe.dropout)
    return network


def prepare_encoder(encoder: nn.Module, *, recipe: Recipe) -> nn.Module:
    """Set which parameters of the encoder learn: an added adapter (lora), all of them (full), none (head)."""
    encoder.requires_grad_(recipe.method == "full")
    if recipe.method == "full":
        for table in () if recipe.learn_embeddings else embedding_tables(encoder):
            table.requires_grad_(False)
        if recipe.quantise_aware:
            add_fake_quantisation(encoder)
        return encoder.float()
    if recipe.precision in _DTYPES:
        encoder.to(_DTYPES[recipe.precision])
    if recipe.method == "head":
        return encoder
    adapted = attach_adapter(encoder, recipe=recipe.lora)
    fuse_layers(adapted)
    return cast(nn.Module, adapted)


def _set_dropout(encoder: nn.Module, *, share: float) -> None:
    """Set the encoder's dropout; it is off by default: an adapter is small, and the masks cost a fifth of a step."""
    for module in encoder.modules():
        if isinstance(module, nn.Dropout):
            module.p = share


def save_weights(network: Network, *, run: Run, is_whole: bool) -> None:
    """Write the heads, and the adapter in PEFT's format; `is_whole` writes the whole encoder in its place."""
    if isinstance(network.encoder, PeftModel) and not is_whole:
        cast(Any, network.encoder).save_pretrained(str(run.adapter))
    else:
        remove_fake_quantisation(network.encoder)
        save_encoder(merge_adapter(network.encoder), path=run.encoder_file)
    save_file({name: value.contiguous() for name, value in network.heads.state_dict().items()}, run.heads)


def _write_description(run: Run, *, recipe: Recipe, data: dict[str, TaskData], root: Path | None) -> None:
    """Write recipe.json, labels.json and data.json."""
    run.path.mkdir(parents=True, exist_ok=True)
    run.write_recipe(recipe)
    save_tasks(run.path / "labels.json", tasks=[rows.task for rows in data.values()])
    corpora = dict.fromkeys(name for task in data.values() for name in task.corpora)
    known = [describe_corpus(name, root=root) for name in corpora if root is not None and name in CORPORA]
    if PHRASES in corpora:
        known.append(describe_phrases())
    own = [
        CorpusDescription(name=name, licence="the user's own") for name in corpora if name not in (*CORPORA, PHRASES)
    ]
    run.write("data.json", content={"corpora": known + own})


def _write_encoder(run: Run, *, recipe: Recipe, start: StartingPoint) -> None:
    """Write encoder.json, which names the pretrained base, and tokenizer.json."""
    config, source = cast(Any, start.encoder).config, start.source
    if source is None:
        path = encoder_path(recipe.encoder)
        base = {"name": recipe.encoder, "path": path, "sha256": _weights_digest(path)}
        _copy_tokenizer(path, run=run)
    else:
        base = {"name": source.base["name"], "path": source.base["path"], "sha256": source.base["sha256"]}
        shutil.copyfile(source.tokenizer, run.tokenizer)
    if start.tokenizer is not None:
        start.tokenizer.save(str(run.tokenizer))
    run.write("encoder.json", content=base | {"width": config.hidden_size, "config": config.to_dict()})


def _copy_tokenizer(path: str, *, run: Run) -> None:
    """Copy the encoder's tokenizer.json into the run; for a hub name transformers downloads it."""
    local = Path(path) / "tokenizer.json"
    if local.is_file():
        shutil.copyfile(local, run.tokenizer)
        return
    tokenizer = cast(Any, AutoTokenizer).from_pretrained(path, use_fast=True)
    tokenizer.backend_tokenizer.save(str(run.tokenizer))


def _weights_digest(path: str) -> str:
    weights = Path(path) / "model.safetensors"
    return hashlib.sha256(weights.read_bytes()).hexdigest() if weights.is_file() else ""
