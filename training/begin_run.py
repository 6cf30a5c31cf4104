"""What a run begins with: the base encoder, a finished network, or a student of teachers; then what is pruned of it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from tokenizers import Tokenizer
from torch import nn

from models.network import Network
from models.tokens import pad_id
from training.config import Recipe, RecipeError, encoder_path
from training.data.batching import collate, schedule
from training.data.encode import Encoded, encode, open_tokenizer
from training.data.tasks import TaskData
from training.loop import Judge, Objective, Turn
from training.network.reopening import ENCODER, Opened, load_eight_bit, load_encoder, merged, reopen
from training.run.run_folder import Run, located
from training.techniques.adversarial import Adversarial
from training.techniques.distillation import take_heads
from training.techniques.loss_weighting import Balanced
from training.techniques.pruning import first_order, kept_pieces, magnitudes, prune, prune_vocabulary, share_layers
from training.techniques.rdrop import RDrop
from training.techniques.teachers import Lesson, open_lesson


@dataclass(frozen=True)
class Beginning:
    """An encoder before its method is applied; `source` is the finished network it comes from, None for the base.

    `tokenizer` is set where something was pruned; the teachers of `lesson` read with their own.
    """

    encoder: nn.Module
    source: Opened | None = None
    lesson: Lesson | None = None
    tokenizer: Tokenizer | None = None

    @property
    def is_whole(self) -> bool:
        """Whether the run must keep the whole encoder: it does not begin with the base as it is."""
        return self.source is not None or self.tokenizer is not None


def begin(recipe: Recipe, *, run: Run, data: Mapping[str, TaskData]) -> Beginning:
    """Open what the recipe names and prune it as the recipe says."""
    lesson, start = open_lesson(recipe, run=run), located(recipe.start, beside=run.path.parent)
    if lesson is not None:
        found = Beginning(lesson.student(), lesson.first, lesson)
    elif recipe.start and _is_taken_whole(start, recipe=recipe):
        source = reopen(start)
        found = Beginning(merged(source.network.encoder), source)
    else:
        path = encoder_path(recipe.encoder)
        found = Beginning(load_eight_bit(path) if recipe.precision == "int8" else load_encoder(path))
    return _pruned(found, recipe=recipe, data=data)


def _is_taken_whole(start: Path, *, recipe: Recipe) -> bool:
    """Whether the run goes on from a start's encoder, not from its adapter: that one only fits the base as it is."""
    return recipe.method != "lora" or recipe.prune != type(recipe.prune)() or (start / ENCODER).is_file()


def _pruned(found: Beginning, *, recipe: Recipe, data: Mapping[str, TaskData]) -> Beginning:
    wanted, encoder = recipe.prune, found.encoder
    if wanted == type(wanted)():
        return found
    path = found.source.tokenizer if found.source else Path(encoder_path(recipe.encoder)) / "tokenizer.json"
    tokenizer = open_tokenizer(str(path), max_length=recipe.max_length)
    rows = {name: encode(entry.splits["train"], task=entry.task, tokenizer=tokenizer) for name, entry in data.items()}
    if wanted.is_structural:
        is_blind = wanted.by == "magnitude"
        known = magnitudes(encoder) if is_blind else _first_order(found, recipe=recipe, data=data, rows=rows)
        prune(encoder, importance=known, recipe=wanted)
    if wanted.group > 1:
        share_layers(encoder, group=wanted.group)
    if not wanted.vocabulary:
        return replace(found, tokenizer=tokenizer)
    used = (encoded.row(at) for encoded in rows.values() for at in range(len(encoded)))
    kept = kept_pieces(tokenizer, rows=(row.tolist() for row in used), at_least=wanted.vocabulary)
    return replace(found, tokenizer=prune_vocabulary(encoder, tokenizer=tokenizer, kept=kept))


def _first_order(found: Beginning, *, recipe: Recipe, data: Mapping[str, TaskData], rows: Mapping[str, Encoded]) -> Any:
    """First-order importance needs answers: it is asked of the finished network that the run begins with."""
    if found.source is None:
        raise RecipeError("prune.by first_order needs a finished network to begin with: name start, or a teacher.")
    encoder, pad = found.encoder, _pad(found.source)
    encoder.requires_grad_(True)
    tasks = {name: entry.task for name, entry in data.items()}
    network = Network(encoder, tasks=tasks, width=int(cast(Any, encoder).config.hidden_size))
    take_heads(network, teacher=found.source.network)
    turns = _turns(network.eval(), recipe=recipe, rows=rows, pad=pad)
    objective = Objective()
    return first_order(encoder, next_loss=lambda: objective(next(turns)), batches=recipe.prune.batches)


def _turns(network: Network, *, recipe: Recipe, rows: Mapping[str, Encoded], pad: int) -> Iterator[Turn]:
    """The run's first batches, again and again where they are few."""
    lengths, tasks = {name: entry.lengths for name, entry in rows.items()}, {task.name: task for task in recipe.tasks}
    steps = schedule(
        lengths, passes=dict.fromkeys(lengths, 1.0), budget=recipe.batch_tokens, max_rows=recipe.batch_rows, seed=0
    )
    for step in itertools.cycle(steps):
        yield Turn(network, collate(rows[step.task], rows=step.rows, pad_id=pad), tasks[step.task])


def _pad(source: Opened) -> int:
    return pad_id(open_tokenizer(str(source.tokenizer), max_length=source.max_length))


def inherit(network: Network, *, recipe: Recipe, beginning: Beginning, data: Mapping[str, TaskData]) -> Objective:
    """Start the heads where the beginning knows them, and give the objective that recipe and teachers ask for."""
    if beginning.source is not None:
        take_heads(network, teacher=beginning.source.network)
    judge = beginning.lesson.judge(network, data=data) if beginning.lesson else None
    found = objective_of(network, recipe=recipe, judge=judge)
    whole = Balanced(found, tasks=data) if recipe.balance == "uncertainty" else found
    return whole.to(next(network.parameters()).device)


def objective_of(network: Network, *, recipe: Recipe, judge: Judge | None) -> Objective:
    """How a batch is read: plainly, under attack, or twice."""
    if recipe.adversarial.method != "none":
        return Adversarial(network, recipe=recipe.adversarial, judge=judge)
    return RDrop(weight=recipe.rdrop, judge=judge) if recipe.rdrop else Objective(judge)
