"""The product's six tasks: the corpora of each, and the out-of-scope examples of the intent tasks."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

from models.examples import Example
from models.labels import OUT_OF_SCOPE, Kind, Pooling, Role, Task, make_task
from models.text import normalise
from training.data.boilerplate import add_boilerplate, gets_boilerplate
from training.data.corpora import EKMAN, SPLITS, DataError, read_corpus
from training.data.phrases import NAME as PHRASES
from training.data.phrases import has_phrases, load_phrases


def _word_set(words: str) -> frozenset[str]:
    return frozenset(words.split())


POLARITY = ("negative", "neutral", "positive")

CLINC_BANKING = _word_set(
    "freeze_account routing pin_change bill_due pay_bill account_blocked interest_rate min_payment bill_balance "
    "transfer order_checks balance spending_history transactions report_fraud replacement_card_duration "
    "expiration_date damaged_card improve_credit_score report_lost_card card_declined credit_limit_change apr "
    "redeem_rewards credit_limit rewards_balance application_status credit_score new_card international_fees "
    "exchange_rate"
)
HWU_BANKING = _word_set("qa_currency")
CLINC_COMMERCE = _word_set("order order_status")
HWU_COMMERCE = _word_set("takeaway_order takeaway_query")
_NEGATIVE_CORPORA = ("clinc150", "hwu64")


@dataclass(frozen=True)
class TaskSource:
    """The corpora and label set of a task.

    `near` are labels of the out-of-scope corpora that are too close to the task's own intents to be negatives; None
    means that the task has no `out_of_scope` label.
    """

    name: str
    role: Role
    corpora: tuple[str, ...]
    kind: Kind = "single"
    pooling: Pooling = "mean"
    labels: tuple[str, ...] = ()
    near: frozenset[str] | None = None


TASKS: dict[str, TaskSource] = {
    source.name: source
    for source in (
        TaskSource("banking_intent", "intent", ("banking77",), near=CLINC_BANKING | HWU_BANKING),
        TaskSource("commerce_intent", "intent", ("bitext",), near=CLINC_COMMERCE | HWU_COMMERCE),
        TaskSource("sentiment", "sentiment", ("semeval2017_task4",), labels=POLARITY),
        TaskSource("emotion", "emotion", ("goemotions",), kind="multi", labels=tuple(EKMAN)),
        TaskSource(
            "market_sentiment", "market_sentiment", ("tfns", "sentfin", "finentity"), pooling="span", labels=POLARITY
        ),
        TaskSource("market_topic", "market_topic", ("tfn_topic",)),
    )
}
# Out-of-scope rows per split: some of every foreign intent, but few beside the task's own rows.
NEGATIVES = {"train": 5000, "validation": 600, "test": 0}


@dataclass(frozen=True)
class TaskData:
    """A task, its examples by split, and the names of the corpora that they come from."""

    task: Task
    splits: dict[str, list[Example]] = field(default_factory=dict)
    corpora: tuple[str, ...] = ()


def load_task(name: str, *, root: Path, cap: int = 0, seed: int = 0, splits: Iterable[str] = SPLITS) -> TaskData:
    """Return a task with its examples; `cap` limits the training rows of each corpus, 0 keeps all. Raises DataError."""
    if name not in TASKS:
        raise DataError(f"There is no task {name!r}. Known tasks: {', '.join(TASKS)}; name `data` for your own.")
    source = TASKS[name]
    labels = source.labels or _corpus_labels(source, root=root)
    task = make_task(name, role=source.role, kind=source.kind, pooling=source.pooling, labels=labels)
    return TaskData(
        task,
        {split: _load_split(source, task=task, root=root, split=split, cap=cap, seed=seed) for split in splits},
        source.corpora
        + (_NEGATIVE_CORPORA if source.near is not None else ())
        + ((PHRASES,) if has_phrases(name) else ()),
    )


def _corpus_labels(source: TaskSource, *, root: Path) -> tuple[str, ...]:
    found = {
        label
        for corpus in source.corpora
        for row in read_corpus(corpus, root=root, split="train")
        for label in row.labels
    }
    return (*sorted(found), *([OUT_OF_SCOPE] if source.near is not None else []))


def _load_split(source: TaskSource, *, task: Task, root: Path, split: str, cap: int, seed: int) -> list[Example]:
    examples: list[Example] = []
    for corpus in source.corpora:
        rows = read_corpus(corpus, root=root, split=split)
        if split == "train":
            rows = sample_rows(
                _drop_test_texts(rows, root=root, corpora=source.corpora), cap=cap, seed=f"{seed}/{corpus}"
            )
        examples += rows
    limit = min(cap, NEGATIVES[split]) if cap and split == "train" else NEGATIVES[split]
    if source.near is not None and limit:
        examples += sample_rows(load_negatives(source, root=root, split=split), cap=limit, seed=f"{seed}/{source.name}")
    if source.role == "intent" and split == "train":
        examples = [_add_boilerplate(row, seed=f"{seed}/{at}") for at, row in enumerate(examples)]
    own = [row for row in load_phrases(source.name, split=split) if row.labels[0] in task.names]
    examples += sample_rows(own, cap=cap, seed=f"{seed}/{PHRASES}") if split == "train" else own
    return [replace(example, task=source.name) for example in examples]


def _add_boilerplate(row: Example, *, seed: str) -> Example:
    """Put mail boilerplate around 15 % of the requests."""
    return replace(row, text=add_boilerplate(row.text, seed=seed)) if gets_boilerplate(seed) else row


def _drop_test_texts(rows: list[Example], *, root: Path, corpora: tuple[str, ...]) -> list[Example]:
    """Drop training rows whose text is also in a test file of the task: some corpora as published repeat texts."""
    forbidden = test_texts(corpora, root=root)
    return [row for row in rows if comparison_key(row.text) not in forbidden]


def sample_rows(rows: list[Example], *, cap: int, seed: str) -> list[Example]:
    """Return a random sample of at most `cap` rows in their original order; `cap` 0 keeps all rows."""
    if not cap or len(rows) <= cap:
        return rows
    chosen = sorted(random.Random(seed).sample(range(len(rows)), cap))
    return [rows[at] for at in chosen]


def load_negatives(source: TaskSource, *, root: Path, split: str) -> list[Example]:
    """Return examples of foreign intents with the label `out_of_scope`.

    Left out are intents close to the task's own (`near`) and, in training and validation, texts of any test file.
    """
    forbidden = test_texts((*source.corpora, *_NEGATIVE_CORPORA), root=root) if split != "test" else frozenset[str]()
    near = source.near or frozenset()
    return [
        replace(row, labels=(OUT_OF_SCOPE,))
        for corpus in _NEGATIVE_CORPORA
        for row in read_corpus(corpus, root=root, split=split)
        if row.labels[0] not in near and comparison_key(row.text) not in forbidden
    ]


@cache
def test_texts(corpora: tuple[str, ...], *, root: Path) -> frozenset[str]:
    """Return the comparison keys of all texts in the corpora's test files."""
    return frozenset(comparison_key(row.text) for name in corpora for row in read_corpus(name, root=root, split="test"))


def comparison_key(text: str) -> str:
    """Return the normalised, case-folded text: two texts with the same key count as the same text."""
    return normalise(text).text.casefold()
