"""The recipe of a run: one validated dataclass; a TOML file in recipes/ lists what differs from the defaults."""

from __future__ import annotations

import dataclasses
import tomllib
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from training.config import DEFAULT_ENCODER

_Built = TypeVar("_Built")
RECIPES = Path(__file__).parent / "recipes"


class RecipeError(ValueError):
    """A recipe is invalid; the message names the setting."""


@dataclass(frozen=True)
class LoraRecipe:
    """The LoRA adapter (techniques/lora.py); `targets` are name suffixes of linear layers, empty means all of them."""

    rank: int = 32
    alpha: float = 64.0
    dropout: float = 0.0
    rslora: bool = False
    dora: bool = False
    targets: tuple[str, ...] = ()


@dataclass(frozen=True)
class TaskRecipe:
    """One task of a run.

    passes         passes over the training rows; a fraction is allowed
    cap            at most this many training rows of each corpus; 0: all
    class_weights  power of the inverse label frequency that weights the loss: 0 no weights, 1 full balance
    hidden         width of an extra tanh layer in the head; 0: none
    masked         share of the tokens that is masked in training (data/masking.py)
    folded         share of the validation rows that is added to the training rows, for a final run whose settings
                   are already chosen; the remaining validation rows still score the run and fit its decisions
    unlabelled     corpora or files (CSV, JSONL) whose texts are pseudo-labelled; labels in them are ignored
    data           a user's own examples (CSV, JSONL or a Hugging Face data set); empty: one of the product's six
                   tasks, read from the corpora
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
    """Knowledge distillation (techniques/distillation.py).

    teachers  finished runs or artifacts: a run's name in the folder of the new run, or a path
    layers    the teacher's layers that the student keeps, counted from 0; empty: all
    neurons   feed-forward neurons that the student keeps in each layer; 0: all
    width     hidden channels that the student keeps; 0: all
    soft      share of the loss that comes from the teachers' logits
    hidden    weight of the distance between hidden states
    match     which layers' hidden states are compared: `last` or `all`
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
    """Pruning before the first step (techniques/pruning.py).

    heads, neurons, layers  the share of each that is kept
    by                      importance by `first_order`, over `batches` batches of training rows, or by `magnitude`
    vocabulary              keep the word pieces that occur at least this often in the training texts; 0: all
    group                   this many consecutive layers share their weights; 1: none do
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
        """True when heads, neurons or layers are removed."""
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
    """Noisy copies of training rows (data/augmentation.py): `share` copies per row; `kinds` of noise, empty: all."""

    share: float = 0.0
    kinds: tuple[str, ...] = ()


@dataclass(frozen=True)
class PseudoRecipe:
    """Pseudo-labelling of unlabelled texts (techniques/pseudo_labels.py).

    teachers  finished runs or artifacts, named as in DistillRecipe; their logits are averaged
    sure      least probability of an answer that becomes a label
    cap       at most this many unlabelled texts for each task; 0: all
    kinds     kinds of noise in the copy on which the answer has to stay the same; empty: all
    """

    teachers: tuple[str, ...] = ()
    sure: float = 0.95
    cap: int = 0
    kinds: tuple[str, ...] = ()


@dataclass(frozen=True)
class Recipe:
    """Everything that determines a run, apart from the data.

    max_length, batch_tokens  in tokens; evaluate_every and checkpoint_every are in steps
    precision                 `bf16`, `fp32` or `int8`: the frozen base under an adapter in 8 bits (bitsandbytes)
    max_steps                 stop after this many steps; 0: take all of them
    probe                     fit the heads on this many rows per task before the first step (linear_probe.py);
                              0: random heads
    start                     continue from a finished run (its name in the folder of the new run, or its path) or from
                              an artifact; empty: start from the encoder
    method                    what learns besides the heads: an adapter (`lora`), the encoder (`full`), nothing (`head`)
    learn_embeddings          with `full`: the word embeddings learn too; they are half of the weights
    quantise_aware            train with weights rounded to 8 bits (techniques/quantization_aware.py)
    dropout                   dropout inside the encoder
    rdrop                     weight of the divergence between two forward passes (techniques/rdrop.py)
    balance                   weights of the tasks' losses: `static` (each task's `loss_weight`) or learned by
                              `uncertainty` (techniques/loss_weighting.py)
    sampling_temperature      T gives a task with n rows a share of the steps in proportion to n^(1/T);
                              0: the tasks' own passes
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


# The nested tables of a recipe.
_TABLES: dict[str, type[Any]] = {
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
    return found + [problem for part in parts for problem in part] + _technique_problems(recipe)


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


def _technique_problems(recipe: Recipe) -> list[str]:
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
    """Read a recipe by its name in training/recipes or by path; the file lists only what differs from the defaults.

    Raises RecipeError when there is no such file, it is not TOML, or a setting is unknown or out of range.
    """
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
    """Build a recipe from a parsed TOML or JSON table; `tasks` maps a task's name to its settings, or is a list.

    Raises RecipeError for an unknown setting, a wrong type or a value out of range.
    """
    row = dict(row)
    tables = row.pop("tasks", {})
    if isinstance(tables, Mapping):
        tables = [{"name": name} | dict(table) for name, table in tables.items()]
    parts = {name: _parse_table(cls, row=row.pop(name, {}), where=f"{name}.") for name, cls in _TABLES.items()}
    tasks = tuple(_parse_table(TaskRecipe, row=table, where=f"tasks.{table.get('name')}.") for table in tables)
    built = _parse_table(Recipe, row=row, where="")
    return dataclasses.replace(built, tasks=tasks, **parts)


def recipe_row(recipe: Recipe) -> dict[str, Any]:
    """Return the recipe as JSON values, as recipe.json stores them; `recipe_from` is the inverse."""
    return dataclasses.asdict(recipe)


def _parse_table(cls: type[_Built], *, row: Mapping[str, Any], where: str) -> _Built:
    known = typing.get_type_hints(cls)
    for key in row:
        if key not in known:
            raise RecipeError(f"The recipe's setting {where}{key} does not exist. Known: {', '.join(known)}.")
    return cls(**{key: _parse_value(value, wanted=known[key], name=where + key) for key, value in row.items()})


def _parse_value(value: Any, *, wanted: Any, name: str) -> Any:
    if typing.get_origin(wanted) is tuple:
        entry, wanted = typing.get_args(wanted)[0], tuple
        if isinstance(value, list | tuple):
            value = tuple(_parse_value(one, wanted=entry, name=name) for one in value)
    if wanted is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, wanted) or (isinstance(value, bool) and wanted is not bool):
        raise RecipeError(f"The recipe's setting {name} must be of type {wanted.__name__}, not {value!r}.")
    return value
