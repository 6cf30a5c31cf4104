"""The study of techniques: each one alone against the plain adapter, on the same capped rows, seed by seed.

A row is one technique with one seed: accuracy of every corpus on validation rows as they are and with one typo each,
parameters, speed beside the base encoder's graph (by turns, so that a busy machine slows both), and the processor
seconds that training took. Rows are written as they come; a study that is run again goes on with what is missing.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from training.data.tasks import TaskData
from training.network.load_network import TrainedNetwork, open_network
from training.network.warm_start import open_warm_start
from training.recipe import (
    AdversarialRecipe,
    AugmentRecipe,
    DistillRecipe,
    LoraRecipe,
    PruneRecipe,
    PseudoRecipe,
    Recipe,
)
from training.run.distributed import run_in_processes
from training.run.run_folder import Run
from training.study.technique_rows import (
    RowContext,
    add_informative_rows,
    add_random_rows,
    drop_suspect_rows,
    halve_rows,
    split_training_rows,
)
from training.study.technique_scores import Scorer
from training.techniques.hyperparameter_search import apply_settings as with_values
from training.techniques.hyperparameter_search import list_trials, load_space, open_study, search
from training.techniques.weight_averaging import average_runs

BASE = "lora"
SEEDS = 3
SEARCH_SHARE = 0.2
"""The share of the training rows that a search judges its trials by."""
Fit = Callable[..., Any]
Rows = Callable[..., dict[str, TaskData]]


@dataclass(frozen=True)
class Technique:
    """A row of the study: what it changes of the base recipe, of every task in it, and of the training rows.

    `of` measures another row's run in another `form` (int8, spelling, averaged), with the runs that `beside` names; the
    runs of `after` must be there before. `{seed}` in the name of a run stands for the row's seed, `{next}` for the one
    after it. `trials` settings are tried before the run, `processes` share its steps.
    """

    name: str
    what: str
    changes: Mapping[str, Any] = field(default_factory=dict)
    of: str = ""
    form: str = ""
    beside: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    tasks: Mapping[str, Any] = field(default_factory=dict)
    rows: Rows | None = None
    trials: int = 0
    processes: int = 1

    def recipe(self, base: Recipe, *, seed: int) -> Recipe:
        """The base recipe with the row's changes, for one seed."""
        made = replace(base, **self.changes, seed=seed)
        return replace(
            made,
            start=run_name(made.start, seed=seed),
            distill=replace(made.distill, teachers=tuple(run_name(name, seed=seed) for name in made.distill.teachers)),
            pseudo=replace(made.pseudo, teachers=tuple(run_name(name, seed=seed) for name in made.pseudo.teachers)),
            tasks=tuple(replace(task, **self.tasks) for task in made.tasks),
        )

    def needs(self, base: Recipe, *, seed: int) -> list[str]:
        """The runs of other rows that must be finished before."""
        made = self.recipe(base, seed=seed)
        others = [run_name(name, seed=seed) for name in (*self.beside, *self.after)]
        return [name for name in (made.start, *made.distill.teachers, *made.pseudo.teachers, *others) if name]


def run_name(run: str, *, seed: int) -> str:
    """The name of a run for a seed."""
    return run.format(seed=seed, next=(seed + 1) % SEEDS)


_FULL = {"method": "full", "lr": 3e-4, "learn_embeddings": False}
_TEACHER = (f"{BASE}-{{seed}}",)
_THREE = DistillRecipe(_TEACHER, layers=(1, 3, 5), neurons=768)
_CUT = PruneRecipe(heads=0.67, neurons=0.5)

TECHNIQUES = (
    Technique(BASE, "LoRA, rank 32: what the others are compared with"),
    Technique("random_heads", "heads that begin at random, not with what the encoder already tells", {"probe": 0}),
    Technique("full", "every weight but the vocabulary learns", _FULL),
    Technique("head", "only the heads learn", {"method": "head"}),
    Technique("int8", "LoRA, merged and quantised after training", of=BASE, form="int8"),
    Technique("spelling", "LoRA, misspelt words read as the known word one slip away", of=BASE, form="spelling"),
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
    Technique("pruned_layers", "a third of the layers gone by first-order importance, then trained on",
              _FULL | {"start": _TEACHER[0], "prune": PruneRecipe(layers=0.67)}),
    Technique("vocabulary", "pieces that no training text uses gone", {"prune": PruneRecipe(vocabulary=1)}),
    Technique("shared", "pairs of layers share their weights", _FULL | {"prune": PruneRecipe(group=2)}),
    Technique("fgm", "adversarial training, one step", {"adversarial": AdversarialRecipe("fgm")}),
    Technique("pgd", "adversarial training, three steps", {"adversarial": AdversarialRecipe("pgd")}),
    Technique("freelb", "adversarial training, all steps count", {"adversarial": AdversarialRecipe("freelb")}),
    Technique("augmented", "half as many noisy copies again", {"augment": AugmentRecipe(share=0.5)}),
    Technique("rdrop", "two readings under dropout agree", {"rdrop": 1.0, "dropout": 0.1}),
    Technique("dropout", "the encoder's dropout on", {"dropout": 0.1}),
    Technique("rslora", "LoRA scaled by the root of its rank", {"lora": LoraRecipe(alpha=8.0, rslora=True)}),
    Technique("attention_only", "LoRA on queries and values alone",
              {"lora": LoraRecipe(targets=("query", "value"))}),
    Technique("rank_4", "LoRA, rank 4", {"lora": LoraRecipe(rank=4, alpha=8.0)}),
    Technique("dora", "LoRA with learned magnitudes", {"lora": LoraRecipe(dora=True)}),
    Technique("eight_bit", "LoRA over a base kept in 8 bits while it learns (bitsandbytes)", {"precision": "int8"}),
    Technique("float32", "LoRA over a base in 32 bits, not 16", {"precision": "fp32"}),
    Technique("masked", "a tenth of the tokens hidden while it learns", tasks={"masked": 0.1}),
    Technique("label_smoothing", "a tenth of each answer's weight goes to the other labels",
              tasks={"label_smoothing": 0.1}),
    Technique("class_weights", "rare labels count more", tasks={"class_weights": 0.7}),
    Technique("longer", "LoRA, gone on with for as many steps again", {"start": _TEACHER[0], "probe": 0}),
    Technique("averaged", "the weights half way between LoRA and itself gone on with", of="longer", form="averaged",
              beside=_TEACHER),
    Technique("ensemble", "two networks of other seeds, their logits averaged", of=BASE, beside=(f"{BASE}-{{next}}",)),
    Technique("two_processes", "every update the mean of two processes' batches, half as many of them", processes=2),
    Technique("half", "half of the rows", rows=halve_rows),
    Technique("drawn", "half of the rows, and as many others of the same corpora by chance", rows=add_random_rows),
    Technique("asked", "half of the rows, and as many others that the half's network asks for",
              rows=add_informative_rows, after=("half-{seed}",)),
    Technique("cleaned", "rows whose label is probably wrong left out", rows=drop_suspect_rows),
    Technique("pseudo_labelled", "LoRA's sure answers on 2,000 unlabelled texts a task learnt too",
              {"pseudo": PseudoRecipe(_TEACHER, cap=2000)}),
    Technique("searched", "LoRA with the best of eight settings that a search tries (TPE)", trials=8),
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

    @property
    def scorer(self) -> Scorer:
        """What every row is measured with."""
        return Scorer(self.data, self.rows, self.recipe.encoder)

    def run(self, technique: Technique, *, seed: int) -> dict[str, Any]:
        """Train what is missing and measure it."""
        whose = next(one for one in TECHNIQUES if one.name == (technique.of or technique.name))
        made = Run(self.folder / f"{whose.name}-{seed}")
        cost = self._train(whose, made=made, seed=seed)
        with TemporaryDirectory(prefix="study-") as work:
            opened = self._open_networks(technique, made=made, seed=seed, work=Path(work))
            found = self.scorer.measure(opened, form=technique.form)
        return {"technique": technique.name, "what": technique.what, "seed": seed, **found, "cpu_s": cost}

    def _train(self, technique: Technique, *, made: Run, seed: int) -> float:
        """Train the row's run unless it is finished; the processor seconds that it took."""
        if not ((made.path / "state.json").is_file() and made.is_finished):
            start = _processor_time()
            place = RowContext(self.folder, self.root, seed)
            data = technique.rows(self.data, place=place) if technique.rows else dict(self.data)
            recipe = technique.recipe(self.recipe, seed=seed)
            if technique.trials:
                recipe = self._search_settings(
                    recipe, folder=self.folder / f"{made.path.name}-trials", trials=technique.trials
                )
            fit = partial(self.fit, recipe, data=data, run=made, root=self.root, resume=made.path.exists())
            if technique.processes > 1:
                run_in_processes(fit, processes=technique.processes)
            else:
                fit()
            made.write("cost.json", content={"cpu_s": round(_processor_time() - start, 1)})
        return float(json.loads((made.path / "cost.json").read_text("utf-8"))["cpu_s"])

    def _open_networks(self, technique: Technique, *, made: Run, seed: int, work: Path) -> list[TrainedNetwork]:
        others = [self.folder / run_name(name, seed=seed) for name in technique.beside]
        if technique.form == "averaged":
            first = open_warm_start(others[0].name, beside=self.folder)
            average_runs(first, second=made, into=Run(work / "averaged"), share=0.5)
            return [open_network(work / "averaged")]
        return [open_network(path) for path in (made.path, *others)]

    def _search_settings(self, recipe: Recipe, *, folder: Path, trials: int) -> Recipe:
        """The recipe with the best settings that trials on a part of its own training rows find."""
        space, data = load_space("default"), split_training_rows(self.data, share=SEARCH_SHARE, seed=recipe.seed)

        def tried(changed: Recipe, number: int, watch: Callable[[int, float], None]) -> float:
            run = Run(folder / f"{number}")
            self.fit(changed, data=data, run=run, root=self.root)
            return space.mean_score(run.scores())

        study = open_study(
            folder / "study.db", name="searched", space=space, sampler="tpe", pruner="none", seed=recipe.seed
        )
        search(study, recipe=recipe, space=space, fit=tried, trials=trials)
        return with_values(recipe, values=list_trials(study)[0]["settings"])


def _processor_time() -> float:
    """Processor seconds of this process and of those that it has started and seen end."""
    return sum(os.times()[:4])


def study_techniques(study: Study, *, seeds: Sequence[int], wanted: Sequence[str], out: Path) -> dict[str, Any]:
    """Measure every technique with every seed, the first seed first; `out` has every row as soon as it is known."""
    result: dict[str, Any] = json.loads(out.read_text("utf-8")) if out.is_file() else _new_result(study)
    out.parent.mkdir(parents=True, exist_ok=True)
    while (found := _next_row(study, rows=result["rows"], seeds=seeds, wanted=wanted)) is not None:
        technique, seed = found
        result["rows"] = sorted([*result["rows"], study.run(technique, seed=seed)], key=_position)
        out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return result


def _position(row: Mapping[str, Any]) -> tuple[int, int]:
    """Rows stand in the techniques' order, whenever they were measured."""
    return next(at for at, one in enumerate(TECHNIQUES) if one.name == row["technique"]), int(row["seed"])


def _next_row(
    study: Study, *, rows: Sequence[Mapping[str, Any]], seeds: Sequence[int], wanted: Sequence[str]
) -> tuple[Technique, int] | None:
    """The first row that is missing and has what it needs."""
    done = {(row["technique"], row["seed"]) for row in rows}
    for technique, seed in _all_rows(seeds, wanted=wanted):
        if (technique.name, seed) not in done and _is_ready(technique, seed=seed, study=study):
            return technique, seed
    return None


def _all_rows(seeds: Sequence[int], *, wanted: Sequence[str]) -> Iterator[tuple[Technique, int]]:
    for seed in seeds:
        yield from ((one, seed) for one in TECHNIQUES if not wanted or one.name in wanted)


def _is_ready(technique: Technique, *, seed: int, study: Study) -> bool:
    """A row that needs other rows' runs waits for them."""
    needed = technique.needs(study.recipe, seed=seed)
    return all((study.folder / name / "heads.safetensors").is_file() for name in needed)


def _new_result(study: Study) -> dict[str, Any]:
    tasks = {task.name: {"passes": task.passes, "cap": task.cap} for task in study.recipe.tasks}
    train = {name: len(entry.splits["train"]) for name, entry in study.data.items()}
    return {"train_rows": train, "tasks": tasks, "validation_rows_a_corpus": study.rows, "rows": []}
