"""The technique study: every technique alone against plain LoRA, on the same capped training rows, with several seeds.

A row of the study is one technique with one seed: accuracy on the validation rows of every corpus, clean and with one
typo per text, parameters, speed relative to the base encoder, and the processor seconds of training. Rows are written
as soon as they are measured; a study that is started again measures the missing rows.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypedDict, cast

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
from training.study.technique_scores import Scorer, StudyFigures
from training.techniques.hyperparameter_search import apply_settings as with_values
from training.techniques.hyperparameter_search import list_trials, load_space, open_study, search
from training.techniques.weight_averaging import average_runs

BASE = "lora"
SEEDS = 3
SEARCH_SHARE = 0.2
"""The share of the training rows on which a search scores its trials."""
Fit = Callable[..., Any]
Rows = Callable[..., dict[str, TaskData]]


class StudyRow(StudyFigures):
    """One technique with one seed, as the result file stores it."""

    technique: str
    what: str
    seed: int
    cpu_s: float


class StudyResult(TypedDict):
    """The result file: training rows and settings by task, validation rows per corpus, and the measured rows."""

    train_rows: dict[str, int]
    tasks: dict[str, dict[str, float]]
    validation_rows_a_corpus: int
    rows: list[StudyRow]


@dataclass(frozen=True)
class Technique:
    """A technique of the study; names of runs may contain `{seed}`, the row's seed, and `{next}`, the seed after it.

    summary    the technique in one line
    changes    settings of the base recipe that differ
    run_of     measure the run of this technique, in another `form`, instead of training one
    form       `int8`, `spelling` or `averaged`
    beside     runs that are measured together with it: their logits, or with `averaged` their weights, are averaged
    after      runs that have to be finished first
    tasks      settings that differ in every task
    rows       function that changes the training rows
    trials     number of settings that a search tries before the run
    processes  number of processes that train together
    """

    name: str
    summary: str
    changes: Mapping[str, object] = field(default_factory=dict)
    run_of: str = ""
    form: str = ""
    beside: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    tasks: Mapping[str, float] = field(default_factory=dict)
    rows: Rows | None = None
    trials: int = 0
    processes: int = 1

    def recipe(self, base: Recipe, *, seed: int) -> Recipe:
        """Return the recipe of the technique's run with this seed."""
        made = replace(base, **cast(Any, self.changes), seed=seed)
        return replace(
            made,
            start=run_name(made.start, seed=seed),
            distill=replace(made.distill, teachers=tuple(run_name(name, seed=seed) for name in made.distill.teachers)),
            pseudo=replace(made.pseudo, teachers=tuple(run_name(name, seed=seed) for name in made.pseudo.teachers)),
            tasks=tuple(replace(task, **cast(Any, self.tasks)) for task in made.tasks),
        )

    def needs(self, base: Recipe, *, seed: int) -> list[str]:
        """Return the names of the runs that have to be finished first."""
        made = self.recipe(base, seed=seed)
        others = [run_name(name, seed=seed) for name in (*self.beside, *self.after)]
        return [name for name in (made.start, *made.distill.teachers, *made.pseudo.teachers, *others) if name]


def run_name(run: str, *, seed: int) -> str:
    """Return the name of a run with `{seed}` and `{next}` filled in."""
    return run.format(seed=seed, next=(seed + 1) % SEEDS)


_FULL = {"method": "full", "lr": 3e-4, "learn_embeddings": False}
_TEACHER = (f"{BASE}-{{seed}}",)
_THREE = DistillRecipe(_TEACHER, layers=(1, 3, 5), neurons=768)
_CUT = PruneRecipe(heads=0.67, neurons=0.5)

TECHNIQUES = (
    Technique(BASE, "LoRA, rank 32: the baseline of all other rows"),
    Technique("random_heads", "random heads, not fitted to the encoder before the first step", {"probe": 0}),
    Technique("full", "all weights except the embeddings are trained", _FULL),
    Technique("head", "only the heads are trained", {"method": "head"}),
    Technique("int8", "LoRA, merged and quantised after training", run_of=BASE, form="int8"),
    Technique("spelling", "LoRA, misspelt words corrected before they are read", run_of=BASE, form="spelling"),
    Technique("distilled_3", "3 of 6 layers, half of the neurons, distilled from LoRA",
              _FULL | {"distill": _THREE}),
    Technique("untaught_3", "the same small network without a teacher",
              _FULL | {"distill": replace(_THREE, soft=0.0, hidden=0.0)}),
    Technique("distilled_2", "2 of 6 layers, distilled from LoRA",
              _FULL | {"distill": DistillRecipe(_TEACHER, layers=(2, 5))}),
    Technique("pruned", "a third of the heads, half of the neurons removed by first-order importance, then trained on",
              _FULL | {"start": _TEACHER[0], "prune": _CUT}),
    Technique("pruned_magnitude", "the same shares removed by magnitude",
              _FULL | {"start": _TEACHER[0], "prune": replace(_CUT, by="magnitude")}),
    Technique("pruned_layers", "a third of the layers removed by first-order importance, then trained on",
              _FULL | {"start": _TEACHER[0], "prune": PruneRecipe(layers=0.67)}),
    Technique("vocabulary", "word pieces that no training text contains removed", {"prune": PruneRecipe(vocabulary=1)}),
    Technique("shared", "pairs of layers share their weights", _FULL | {"prune": PruneRecipe(group=2)}),
    Technique("fgm", "adversarial training, one step", {"adversarial": AdversarialRecipe("fgm")}),
    Technique("pgd", "adversarial training, three steps", {"adversarial": AdversarialRecipe("pgd")}),
    Technique("freelb", "adversarial training, mean loss of all steps", {"adversarial": AdversarialRecipe("freelb")}),
    Technique("augmented", "half as many noisy copies added", {"augment": AugmentRecipe(share=0.5)}),
    Technique("rdrop", "two forward passes under dropout agree", {"rdrop": 1.0, "dropout": 0.1}),
    Technique("dropout", "dropout in the encoder", {"dropout": 0.1}),
    Technique("rslora", "LoRA scaled by the square root of its rank", {"lora": LoraRecipe(alpha=8.0, rslora=True)}),
    Technique("attention_only", "LoRA on queries and values only",
              {"lora": LoraRecipe(targets=("query", "value"))}),
    Technique("rank_4", "LoRA, rank 4", {"lora": LoraRecipe(rank=4, alpha=8.0)}),
    Technique("dora", "LoRA with learned magnitudes (DoRA)", {"lora": LoraRecipe(dora=True)}),
    Technique("eight_bit", "LoRA on a base in 8 bits during training (bitsandbytes)", {"precision": "int8"}),
    Technique("float32", "LoRA on a base in 32 bits instead of 16", {"precision": "fp32"}),
    Technique("masked", "a tenth of the tokens masked in training", tasks={"masked": 0.1}),
    Technique("label_smoothing", "a tenth of each label's weight spread over the other labels",
              tasks={"label_smoothing": 0.1}),
    Technique("class_weights", "rare labels weigh more", tasks={"class_weights": 0.7}),
    Technique("longer", "LoRA, trained for as many steps again", {"start": _TEACHER[0], "probe": 0}),
    Technique("averaged", "the mean of the weights of LoRA and longer", run_of="longer", form="averaged",
              beside=_TEACHER),
    Technique("ensemble", "two networks with different seeds, their logits averaged", run_of=BASE,
              beside=(f"{BASE}-{{next}}",)),
    Technique("two_processes", "two processes average their gradients, half as many updates", processes=2),
    Technique("half", "half of the rows", rows=halve_rows),
    Technique("drawn", "half of the rows, and as many random ones of the same corpora", rows=add_random_rows),
    Technique("asked", "half of the rows, and as many chosen by active learning",
              rows=add_informative_rows, after=("half-{seed}",)),
    Technique("cleaned", "rows whose label is probably wrong dropped", rows=drop_suspect_rows),
    Technique("pseudo_labelled", "LoRA's confident answers on 2,000 unlabelled texts per task added",
              {"pseudo": PseudoRecipe(_TEACHER, cap=2000)}),
    Technique("searched", "LoRA with the best of eight settings of a search (TPE)", trials=8),
    Technique("uncertainty", "learned weights of the tasks' losses", {"balance": "uncertainty"}),
    Technique("temperature_2", "steps in proportion to the root of a task's rows", {"sampling_temperature": 2.0}),
    Technique("quantise_aware", "all weights except the embeddings are trained, rounded to 8 bits",
              _FULL | {"quantise_aware": True}),
    Technique("ensemble_taught", "LoRA, distilled from the networks of all seeds",
              _FULL | {"distill": DistillRecipe(("lora-0", "lora-1", "lora-2"))}),
)  # fmt: skip


@dataclass(frozen=True)
class Study:
    """The settings that all rows share: base recipe, data, validation rows per corpus, and the folder of the runs.

    `fit` trains a run (training/fit.py), `root` is the folder of the corpora.
    """

    recipe: Recipe
    data: Mapping[str, TaskData]
    rows: int
    folder: Path
    fit: Fit
    root: Path

    @property
    def scorer(self) -> Scorer:
        """The scorer of all rows."""
        return Scorer(self.data, self.rows, self.recipe.encoder)

    def run(self, technique: Technique, *, seed: int) -> StudyRow:
        """Train the technique's run, unless it is finished, and return the measured row."""
        whose = next(one for one in TECHNIQUES if one.name == (technique.run_of or technique.name))
        made = Run(self.folder / f"{whose.name}-{seed}")
        cost = self._train(whose, made=made, seed=seed)
        with TemporaryDirectory(prefix="study-") as work:
            opened = self._open_networks(technique, made=made, seed=seed, work=Path(work))
            figures = self.scorer.measure(opened, form=technique.form)
        return StudyRow(technique=technique.name, what=technique.summary, seed=seed, **figures, cpu_s=cost)

    def _train(self, technique: Technique, *, made: Run, seed: int) -> float:
        """Train the run unless it is finished; return the processor seconds that it took."""
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
        """Return the recipe with the best settings of a search that is scored on a part of the training rows."""
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
    """Return the processor seconds of this process and of its finished child processes."""
    return sum(os.times()[:4])


def study_techniques(study: Study, *, seeds: Sequence[int], wanted: Sequence[str], out: Path) -> StudyResult:
    """Measure the wanted techniques (empty: all) with every seed, the first seed first; write each new row to `out`."""
    result: StudyResult = json.loads(out.read_text("utf-8")) if out.is_file() else _new_result(study)
    out.parent.mkdir(parents=True, exist_ok=True)
    while (found := _next_row(study, rows=result["rows"], seeds=seeds, wanted=wanted)) is not None:
        technique, seed = found
        result["rows"] = sorted([*result["rows"], study.run(technique, seed=seed)], key=_position)
        out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return result


def _position(row: StudyRow) -> tuple[int, int]:
    """Return the sort key of a row: the order of TECHNIQUES, then the seed."""
    return next(at for at, one in enumerate(TECHNIQUES) if one.name == row["technique"]), int(row["seed"])


def _next_row(
    study: Study, *, rows: Sequence[StudyRow], seeds: Sequence[int], wanted: Sequence[str]
) -> tuple[Technique, int] | None:
    """Return the first missing row whose required runs are finished."""
    done = {(row["technique"], row["seed"]) for row in rows}
    for technique, seed in _all_rows(seeds, wanted=wanted):
        if (technique.name, seed) not in done and _is_ready(technique, seed=seed, study=study):
            return technique, seed
    return None


def _all_rows(seeds: Sequence[int], *, wanted: Sequence[str]) -> Iterator[tuple[Technique, int]]:
    for seed in seeds:
        yield from ((one, seed) for one in TECHNIQUES if not wanted or one.name in wanted)


def _is_ready(technique: Technique, *, seed: int, study: Study) -> bool:
    """True when the runs that the row requires are finished."""
    needed = technique.needs(study.recipe, seed=seed)
    return all((study.folder / name / "heads.safetensors").is_file() for name in needed)


def _new_result(study: Study) -> StudyResult:
    tasks = {task.name: {"passes": task.passes, "cap": task.cap} for task in study.recipe.tasks}
    train = {name: len(entry.splits["train"]) for name, entry in study.data.items()}
    return StudyResult(train_rows=train, tasks=tasks, validation_rows_a_corpus=study.rows, rows=[])
