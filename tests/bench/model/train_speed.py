"""How fast training goes: plain PEFT (as its documentation shows it), this project's loop, and that with torch.compile.

Plain: float32, PyTorch's own attention, the encoder's dropout, batches in random order padded to their longest row.
Ours: see training/loop.py, lora.py, attention.py and data/batching.py. Same rows, same adapter, same optimiser, by
turns. Compiling takes its time in the first steps, which is measured apart: it pays after so many tokens.
Tokens are the texts' own, padding not counted.
"""

from __future__ import annotations

import dataclasses
import json
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from transformers import AutoModel

from models.network import Network
from training.config import encoder_path, settings
from training.data.batching import Step, collate, schedule
from training.data.encoding import Encoded, encode, open_tokenizer
from training.data.tasks import TaskData, load_task
from training.fit import build_network
from training.loop import Objective, StepInput, make_optimiser, trainable_parameters
from training.network.load_network import load_encoder
from training.recipe import Recipe, load_recipe
from training.techniques.lora import attach_adapter

ROUNDS = 5
STEPS = 12
RESULT = Path(__file__).parents[1] / "results" / "train_speed.json"
PLAIN_ROWS = 32


def measure() -> dict[str, Any]:
    """Tokens per second of all, medians over the rounds."""
    recipe = load_recipe("release")
    recipe = dataclasses.replace(recipe, tasks=tuple(dataclasses.replace(task, passes=1) for task in recipe.tasks))
    path = encoder_path(recipe.encoder)
    tokenizer = open_tokenizer(str(Path(path) / "tokenizer.json"), max_length=recipe.max_length)
    root = settings().data
    data = {task.name: load_task(task.name, root=root, cap=600, splits=("train",)) for task in recipe.tasks}
    rows = {name: encode(task.splits["train"], task=task.task, tokenizer=tokenizer) for name, task in data.items()}
    plain, ours = _plain(path, recipe=recipe, data=data), _ours(path, recipe=recipe, data=data)
    compiled = _ours(path, recipe=recipe, data=data)
    compiled.encoder.compile(dynamic=True)
    runs = {
        "plain_peft": _runner(plain, recipe=recipe, rows=rows, steps=_random(rows)),
        "ours": _runner(ours, recipe=recipe, rows=rows, steps=_ordered(rows, recipe=recipe)),
        "compiled": _runner(compiled, recipe=recipe, rows=rows, steps=_ordered(rows, recipe=recipe)),
    }
    started = time.perf_counter()
    runs["compiled"]()
    compiling = time.perf_counter() - started
    found: dict[str, list[float]] = {name: [] for name in runs}
    for turn in range(ROUNDS + 1):
        for name, run in runs.items():
            speed = run()
            found[name] += [speed] if turn else []
    medians = {name: round(statistics.median(speeds)) for name, speeds in found.items()}
    return {
        "unit": "tokens/s",
        "median": medians,
        "times_plain_peft": round(medians["ours"] / medians["plain_peft"], 2),
        "compiled_times_ours": round(medians["compiled"] / medians["ours"], 2),
        "first_compiled_round_s": round(compiling, 1),
        "rounds": {name: [round(speed) for speed in speeds] for name, speeds in found.items()},
        "steps_a_round": STEPS,
        "threads": torch.get_num_threads(),
    }


def _tasks(data: dict[str, TaskData]) -> dict[str, Any]:
    return {name: task.task for name, task in data.items()}


def _plain(path: str, *, recipe: Recipe, data: dict[str, TaskData]) -> Network:
    encoder = AutoModel.from_pretrained(path, add_pooling_layer=False)
    width = int(encoder.config.hidden_size)
    return Network(cast(Any, attach_adapter(encoder, recipe=recipe.lora)), tasks=_tasks(data), width=width)


def _ours(path: str, *, recipe: Recipe, data: dict[str, TaskData]) -> Network:
    return build_network(load_encoder(path), recipe=recipe, tasks=_tasks(data))


def _random(rows: dict[str, Encoded]) -> list[Step]:
    rng = np.random.default_rng(0)
    steps = [
        Step(name, rng.choice(len(task), PLAIN_ROWS, replace=False)) for name, task in rows.items() for _ in range(40)
    ]
    return [steps[at] for at in rng.permutation(len(steps))]


def _ordered(rows: dict[str, Encoded], *, recipe: Recipe) -> list[Step]:
    lengths = {name: task.lengths for name, task in rows.items()}
    passes = dict.fromkeys(lengths, 1.0)
    return schedule(lengths, passes=passes, budget=recipe.batch_tokens, max_rows=recipe.batch_rows, seed=0)


def _runner(
    network: Network, *, recipe: Recipe, rows: dict[str, Encoded], steps: Sequence[Step]
) -> Callable[[], float]:
    optimiser, tasks = make_optimiser(network, recipe=recipe), {task.name: task for task in recipe.tasks}
    objective = Objective()
    left = iter(list(steps) * 20)

    def run() -> float:
        network.train()
        tokens, start = 0, time.perf_counter()
        for _ in range(STEPS):
            step = next(left)
            batch = collate(rows[step.task], rows=step.rows, pad_id=0)
            torch.autograd.backward(objective(StepInput(network, batch, tasks[step.task])))
            torch.nn.utils.clip_grad_norm_(trainable_parameters(network), recipe.clip)
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
            tokens += batch.tokens
        return tokens / (time.perf_counter() - start)

    return run


def main() -> None:
    """Measure and write the result."""
    result = measure()
    RESULT.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=1))
