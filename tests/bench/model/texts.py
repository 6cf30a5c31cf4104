"""The texts that speed is measured on: real test texts, seeded."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from models.artifact import open_artifact
from tests import corpora, shipped
from tests.bench.model.contestants import Course
from training.data.corpora import read_corpus

TASK = "banking_intent"


def course(*, threads: int) -> Course:
    """The shipped artifact on the task whose test texts are read."""
    return Course(open_artifact(shipped.newest()), TASK, threads)


@dataclass(frozen=True)
class Labelled:
    """Texts and the names of their labels."""

    texts: list[str]
    labels: list[str]


def banking(*, seed: int = 0) -> Labelled:
    """The 3,080 test texts of banking77 in a seeded order."""
    rows = read_corpus("banking77", root=corpora.folder(), split="test")
    random.Random(seed).shuffle(rows)
    return Labelled([row.text for row in rows], [row.labels[0] for row in rows])


def calibration(*, n: int = 200, seed: int = 0) -> list[str]:
    """Training texts of banking77, for contestants that need them."""
    rows = read_corpus("banking77", root=corpora.folder(), split="train")
    return [row.text for row in random.Random(seed).sample(rows, n)]


def short() -> list[str]:
    """Test texts of banking77 and the market's headlines."""
    return [
        row.text
        for name in ("banking77", "tfn_topic")
        for row in read_corpus(name, root=corpora.folder(), split="test")
    ]


def long(*, n: int, seed: int = 0, count: Callable[[str], int]) -> list[str]:
    """Texts of 200 to 400 tokens, as `count` counts them, joined from short ones."""
    chance, pool = random.Random(seed), short()
    made: list[str] = []
    while len(made) < n:
        wanted, text = chance.randint(220, 380), ""
        while count(text) < wanted:
            text = f"{text} {chance.choice(pool)}".strip()
        if count(text) <= 400:
            made.append(text)
    return made


def traffic(*, n: int = 2000, seed: int = 0) -> list[str]:
    """A mix as it comes in: short texts of two corpora, 5 % long ones, 30 % repeats with Zipf's frequencies."""
    chance, pool = random.Random(seed), short()
    fresh = [*chance.sample(pool, n), *(" ".join(chance.sample(pool, 14)) for _ in range(n // 20))]
    chance.shuffle(fresh)
    sent: list[str] = []
    for text in fresh:
        sent.append(text)
        if chance.random() < 0.3 / 0.7:
            rank = min(int(chance.paretovariate(1.0)), len(sent))
            sent.append(sent[rank - 1])
    return sent[:n]
