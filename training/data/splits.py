"""Split rows into train, validation and test by label and seed."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Mapping

from models.examples import Example
from training.data.corpora import SPLITS

SHARE = 0.1


def split_rows(rows: Iterable[Example], *, seed: int) -> dict[str, list[Example]]:
    """Group rows by split. A row that names its split keeps it; missing validation and test rows are drawn by label.

    Each missing split gets a tenth of every label's rows, and at least one row of a label with three rows
    (validation) or four (test). Rows with the same text stay in the same split.
    """
    splits: dict[str, list[Example]] = {split: [] for split in SPLITS}
    free: dict[tuple[str, ...], dict[str, list[Example]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        if row.split in ("validation", "test"):
            splits[row.split].append(row)
        else:
            free[row.labels][row.text].append(row)
    missing = [split for split in SPLITS[1:] if not splits[split]]
    for labels in sorted(free):
        _split_texts(list(free[labels].values()), missing=missing, splits=splits, rng=random.Random(f"{seed}/{labels}"))
    return splits


def _split_texts(
    groups: list[list[Example]], *, missing: list[str], splits: dict[str, list[Example]], rng: random.Random
) -> None:
    rng.shuffle(groups)
    for place, split in enumerate(missing):
        count = max(round(len(groups) * SHARE), 1 if len(groups) >= 3 + place else 0)
        taken, groups = (groups[:count], groups[count:]) if count < len(groups) else ([], groups)
        splits[split] += [row for group in taken for row in group]
    splits["train"] += [row for group in groups for row in group]


def fold_validation(splits: Mapping[str, list[Example]], *, share: float) -> dict[str, list[Example]]:
    """Move a random share of the validation rows to the training rows; the same rows every time."""
    rows = splits.get("validation", [])
    if not share or "train" not in splits:
        return dict(splits)
    moved = set(random.Random("folded").sample(range(len(rows)), round(len(rows) * share)))
    learnt = [row for at, row in enumerate(rows) if at in moved]
    kept = [row for at, row in enumerate(rows) if at not in moved]
    return dict(splits) | {"train": splits["train"] + learnt, "validation": kept}
