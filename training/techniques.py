"""The study of techniques: each one alone against the plain adapter, on the same capped rows, seed by seed.

A row is one technique with one seed: accuracy of every corpus on validation rows as they are and with one typo each,
parameters, speed beside the base encoder's graph (by turns, so that a busy machine slows both), and the processor
seconds that training took. Rows are written as they come; a study that is run again goes on with what is missing.
"""

from __future__ import annotations

import json
import random
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from models.examples import Example
from models.graph import Encoder, Graph
from models.network import Network, pool
from models.runtime import Input
from models.spelling import Spelling, count_words
from models.text import normalise
from models.tokens import Tokens
from training.config import (
    AdversarialRecipe,
    AugmentRecipe,
    DistillRecipe,
    LoraRecipe,
    PruneRecipe,
    Recipe,
    encoder_path,
)
from training.data.batching import collate, length_batches
from training.data.encode import encode, open_tokenizer
from training.data.tasks import TaskData, capped
from training.evaluate.perturb import typo
from training.export_encoder import load_encoder
from training.quantize import calibration_rows, float_graph, quantise, save_graph
from training.reopen import Opened, merged, pad_id, reopen
from training.runs import Run

CORPORA = ("banking77", "tfns", "sentfin")
BASE = "lora"
Fit = Callable[..., Any]


@dataclass(frozen=True)
class Technique:
    """A row of the study: what it changes of the base recipe; `of` measures another row's run in another form.

    `{seed}` in teachers and start stands for the row's seed.
    """

    name: str
    what: str
    changes: Mapping[str, Any] = field(default_factory=dict)
    of: str = ""


_FULL = {"method": "full", "lr": 3e-4, "learn_embeddings": False}
_TEACHER = (f"{BASE}-{{seed}}",)
_THREE = DistillRecipe(_TEACHER, layers=(1, 3, 5), neurons=768)
_CUT = PruneRecipe(heads=0.67, neurons=0.5)

TECHNIQUES = (
    Technique(BASE, "LoRA, rank 32: what the others are compared with"),
    Technique("random_heads", "heads that begin at random, not with what the encoder already tells", {"probe": 0}),
    Technique("full", "every weight but the vocabulary learns", _FULL),
    Technique("head", "only the heads learn", {"method": "head"}),
    Technique("int8", "LoRA, merged and quantised after training", of=BASE),
    Technique("spelling", "LoRA, misspelt words read as the known word one slip away", of=BASE),
    Technique("distilled_3", "3 of 6 layers, half of the neurons, taught by LoRA's network",
              _FULL | {"distill": _THREE}),
    Technique("untaught_3", "the same small network without its teacher's answers",
              _FULL | {"distill": replace(_THREE, soft=0.0, hidden=0.0)}),
    Technique("distilled_2", "2 of 6 layers, taught by LoRA's network",
              _FULL | {"distill": DistillRecipe(_TEACHER, layers=(2, 5))}),
    Technique("pruned", "a third of the heads and half of the neurons gone by first-order importance, then trained on",
              _FULL | {"start": _TEACHER[0], "prune": _CUT}),
    Technique("pruned_magnitude", "the same shares gone by magnitude",
              _FULL | {"start": _TEACHER[0], "prune": replace(_CUT, by="magnitude")}),
    Technique("vocabulary", "pieces that no training text uses gone", {"prune": PruneRecipe(vocabulary=1)}),
    Technique("shared", "pairs of layers share their weights", _FULL | {"prune": PruneRecipe(group=2)}),
    Technique("fgm", "adversarial training, one step", {"adversarial": AdversarialRecipe("fgm")}),
    Technique("pgd", "adversarial training, three steps", {"adversarial": AdversarialRecipe("pgd")}),
    Technique("freelb", "adversarial training, all steps count", {"adversarial": AdversarialRecipe("freelb")}),
    Technique("augmented", "half as many noisy copies again", {"augment": AugmentRecipe(share=0.5)}),
    Technique("rdrop", "two readings under dropout agree", {"rdrop": 1.0, "dropout": 0.1}),
    Technique("dropout", "the encoder's dropout on", {"dropout": 0.1}),
    Technique("rslora", "LoRA scaled by the root of its rank", {"lora": LoraRecipe(alpha=8.0, rslora=True)}),
    Technique("rank_4", "LoRA, rank 4", {"lora": LoraRecipe(rank=4, alpha=8.0)}),
    Technique("dora", "LoRA with learned magnitudes", {"lora": LoraRecipe(dora=True)}),
    Technique("uncertainty", "the tasks' losses weigh themselves", {"balance": "uncertainty"}),
    Technique("temperature_2", "steps by the root of a task's rows", {"sampling_temperature": 2.0}),
    Technique("quantise_aware", "every weight but the vocabulary learns, rounded to 8 bits",
              _FULL | {"quantise_aware": True}),
    Technique("ensemble_taught", "LoRA again, taught by the networks of all seeds",
              _FULL | {"distill": DistillRecipe(("lora-0", "lora-1", "lora-2"))}),
)  # fmt: skip


@dataclass(frozen=True)
class Study:
    """What all rows share: the base recipe, its data, how many validation rows a corpus, and where runs lie."""

    recipe: Recipe
    data: Mapping[str, TaskData]
    rows: int
    folder: Path
    fit: Fit
    root: Path

    def run(self, technique: Technique, *, seed: int) -> dict[str, Any]:
        """Train what is missing and measure it."""
        name = f"{technique.of or technique.name}-{seed}"
        made, cost = Run(self.folder / name), 0.0
        if not ((made.path / "state.json").is_file() and made.is_finished):
            start = time.process_time()
            recipe = _seeded(replace(self.recipe, **technique.changes), seed=seed)
            self.fit(recipe, data=dict(self.data), run=made, root=self.root, resume=made.path.exists())
            cost = time.process_time() - start
            made.write("cost.json", content={"cpu_s": round(cost, 1)})
        cost = json.loads((made.path / "cost.json").read_text("utf-8"))["cpu_s"]
        found = measure_network(reopen(made.path), study=self, form=technique.name)
        return {"technique": technique.name, "what": technique.what, "seed": seed, **found, "cpu_s": cost}


def _seeded(recipe: Recipe, *, seed: int) -> Recipe:
    teachers = tuple(name.format(seed=seed) for name in recipe.distill.teachers)
    distill = replace(recipe.distill, teachers=teachers)
    return replace(recipe, seed=seed, start=recipe.start.format(seed=seed), distill=distill)


def study_techniques(study: Study, *, seeds: Sequence[int], wanted: Sequence[str], out: Path) -> dict[str, Any]:
    """Measure every technique with every seed, the first seed first; `out` has every row as soon as it is known."""
    result: dict[str, Any] = json.loads(out.read_text("utf-8")) if out.is_file() else _about(study)
    done = {(row["technique"], row["seed"]) for row in result["rows"]}
    for technique, seed in _order(seeds, wanted=wanted):
        if (technique.name, seed) in done or not _is_ready(technique, folder=study.folder):
            continue
        result["rows"].append(study.run(technique, seed=seed))
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return result


def _order(seeds: Sequence[int], *, wanted: Sequence[str]) -> Iterator[tuple[Technique, int]]:
    for seed in seeds:
        yield from ((one, seed) for one in TECHNIQUES if not wanted or one.name in wanted)


def _is_ready(technique: Technique, *, folder: Path) -> bool:
    """An ensemble waits for all of its teachers."""
    distill = technique.changes.get("distill")
    names = [name for name in distill.teachers if "{" not in name] if distill else []
    return all((folder / name / "heads.safetensors").is_file() for name in names)


def _about(study: Study) -> dict[str, Any]:
    tasks = {task.name: {"passes": task.passes, "cap": task.cap} for task in study.recipe.tasks}
    train = {name: len(entry.splits["train"]) for name, entry in study.data.items()}
    return {"train_rows": train, "tasks": tasks, "validation_rows_a_corpus": study.rows, "rows": []}


# --- measuring ----------------------------------------------------------------------------------------------


def measure_network(opened: Opened, *, study: Study, form: str = BASE) -> dict[str, Any]:
    """Accuracy by corpus, clean and with typos, through a graph; parameters, and speed beside the base's graph.

    The `form` int8 quantises the graph, spelling mends the texts before they are read.
    """
    network = opened.network
    network.encoder = merged(network.encoder).eval()
    with TemporaryDirectory(prefix="study-") as work:
        graph = float_graph(network.encoder)
        texts = [row.text for entry in study.data.values() for row in entry.splits["train"]]
        tokens = Tokens(opened.tokenizer, max_length=opened.max_length)
        mend = _mending(texts, tokens=tokens) if form == "spelling" else _as_it_is
        if form == "int8":
            graph = quantise(graph, rows=calibration_rows(texts, tokens=tokens, seed=0, n=200))
        save_graph(graph, path=Path(work) / "own.xml")
        save_graph(float_graph(load_encoder(Path(encoder_path(study.recipe.encoder)))), path=Path(work) / "base.xml")
        own, base = (Graph(Path(work) / f"{name}.xml", threads=1) for name in ("own", "base"))
        clean, noisy = {}, {}
        for corpus, task, rows in _suites(study):
            accuracy = partial(_accuracy, opened, graph=own, data=study.data[task])
            clean[corpus] = accuracy([mend(row) for row in rows])
            noisy[corpus] = accuracy([mend(_mistyped(row)) for row in rows])
        return {
            "accuracy": clean,
            "with_a_typo": noisy,
            "n": {corpus: len(rows) for corpus, _, rows in _suites(study)},
            "parameters_m": round(_parameters(network.encoder) / 1e6, 2),
            "times_base_speed": round(_speed(own, base=base), 2),
        }


def _suites(study: Study) -> Iterator[tuple[str, str, list[Example]]]:
    for name, entry in study.data.items():
        for corpus in CORPORA:
            rows = [row for row in entry.splits["validation"] if row.source == corpus]
            if rows:
                yield corpus, name, capped(rows, cap=study.rows, seed=f"study/{corpus}")


def _mistyped(row: Example) -> Example:
    changed = typo(Input(row.text, row.span), random.Random(row.text))
    return replace(row, text=changed.text, span=changed.target)


def _as_it_is(row: Example) -> Example:
    return row


def _mending(texts: Sequence[str], *, tokens: Tokens) -> Callable[[Example], Example]:
    """What reads a row with the words of the study's own training texts."""
    spelling = Spelling(count_words(normalise(text) for text in texts), is_known=tokens.is_whole)

    def mend(row: Example) -> Example:
        found = spelling.mend(normalise(row.text, spans=[row.span] if row.span else []))
        return replace(row, text=found.text, span=found.spans[0] if found.spans else None)

    return mend


def _accuracy(opened: Opened, rows: list[Example], *, graph: Encoder, data: TaskData) -> float:
    tokenizer = open_tokenizer(str(opened.tokenizer), max_length=opened.max_length)
    encoded = encode(rows, task=data.task, tokenizer=tokenizer)
    right = 0
    for places in length_batches(encoded.lengths, budget=1024, max_rows=64):
        batch = collate(encoded, rows=places, pad_id=pad_id(tokenizer))
        mask = np.ones_like(batch.ids) if batch.mask is None else batch.mask
        hidden = torch.from_numpy(graph.hidden(batch.ids, mask=mask))
        found = _logits(opened.network, hidden, mask=mask, spans=batch.spans, task=data.task.name)
        right += int((found.argmax(axis=1) == batch.targets).sum())
    return round(right / max(1, len(rows)), 4)


@torch.no_grad()
def _logits(
    network: Network, hidden: torch.Tensor, *, mask: npt.NDArray[np.int64], spans: npt.NDArray[np.int64], task: str
) -> npt.NDArray[np.float32]:
    pooling = network.tasks[task].pooling
    pooled = pool(hidden, pooling=pooling, mask=torch.from_numpy(mask), spans=torch.from_numpy(spans))
    return cast(npt.NDArray[np.float32], network.heads[task](pooled).numpy())


def _parameters(encoder: nn.Module) -> int:
    """Weights of the encoder, shared ones once."""
    return sum(value.numel() for value in encoder.parameters())


def _speed(own: Encoder, *, base: Encoder, rounds: int = 7) -> float:
    """How many times as fast as the base's graph on rows of 24 tokens: the median over turns."""
    ids = np.full((16, 24), 5, dtype=np.int64)
    ratios = []
    for _ in range(rounds + 1):
        seconds = []
        for graph in (base, own):
            start = time.perf_counter()
            for _ in range(4):
                graph.hidden(ids, mask=np.ones_like(ids))
            seconds.append(time.perf_counter() - start)
        ratios.append(seconds[0] / seconds[1])
    return statistics.median(ratios[1:])
