"""Tasks and their labels; the order of the labels is fixed when a run starts, and saved with it."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, cast, get_args

Role = Literal["intent", "sentiment", "emotion", "market_sentiment", "market_topic"]
Kind = Literal["single", "multi"]
Pooling = Literal["mean", "span"]

ROLES: tuple[str, ...] = get_args(Role)
OUT_OF_SCOPE = "out_of_scope"


@dataclass(frozen=True)
class Label:
    """A label: `name` is the string of the data, `id` its slug, `title` the translatable text for users."""

    name: str
    id: str
    title: str

    @classmethod
    def of(cls, name: str) -> Label:
        """Make a label of a name; the title is the name with spaces for underscores and a capital."""
        words = re.sub(r"[_\s]+", " ", name).strip()
        return cls(name=name, id=slug(name), title=words[:1].upper() + words[1:])


@dataclass(frozen=True)
class Task:
    """A classification task: its role in the product, one label per text or several, its pooling and its labels."""

    name: str
    role: Role
    kind: Kind
    pooling: Pooling
    labels: tuple[Label, ...]

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The labels' names in the order of the logits' columns."""
        return tuple(label.name for label in self.labels)

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """The labels' slugs in the order of the logits' columns."""
        return tuple(label.id for label in self.labels)

    def index(self) -> Mapping[str, int]:
        """Map each label's name, and its slug, to its column of the logits."""
        return self._columns

    @cached_property
    def _columns(self) -> dict[str, int]:
        by_id = {label.id: column for column, label in enumerate(self.labels)}
        return by_id | {label.name: column for column, label in enumerate(self.labels)}


def slug(name: str) -> str:
    """Return a lower_snake id for a label's name: `Fed | Central Banks` becomes `fed_central_banks`.

    A name without any ASCII letter or digit becomes the list of its code points, so that an id is never empty.
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    words = re.sub(r"[^a-z0-9]+", "_", plain.replace("'", "")).strip("_")
    return words or "_".join(f"u{ord(char):x}" for char in name) or "empty"


def make_task(name: str, *, role: Role, kind: Kind, pooling: Pooling, labels: Iterable[str]) -> Task:
    """Make a task; its labels keep the given order. Raises ValueError when two names have the same slug."""
    made = tuple(Label.of(label) for label in labels)
    seen: dict[str, str] = {}
    for label in made:
        if label.id in seen:
            both = f"{seen[label.id]!r} and {label.name!r}"
            raise ValueError(f"task {name}: the labels {both} read the same ({label.id}).")
        seen[label.id] = label.name
    return Task(name=name, role=role, kind=kind, pooling=pooling, labels=made)


def save_tasks(path: Path, *, tasks: Iterable[Task]) -> None:
    """Write labels.json, one object per task."""
    rows = [asdict(task) for task in tasks]
    path.write_text(json.dumps({"tasks": rows}, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def load_tasks(path: Path) -> dict[str, Task]:
    """Read labels.json. Raises ValueError when a task has an unknown role, kind or pooling."""
    rows = json.loads(path.read_text(encoding="utf-8"))["tasks"]
    return {task.name: task for task in map(_task, rows)}


def _task(row: Mapping[str, Any]) -> Task:
    known = {"role": ROLES, "kind": get_args(Kind), "pooling": get_args(Pooling)}
    if any(row.get(key) not in values for key, values in known.items()):
        raise ValueError(f"task {row.get('name')!r} has an unknown role, kind or pooling.")
    labels = tuple(Label(**label) for label in row["labels"])
    return Task(row["name"], cast(Role, row["role"]), cast(Kind, row["kind"]), cast(Pooling, row["pooling"]), labels)
