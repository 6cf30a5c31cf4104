"""Read the ten public corpora: <corpus>/<split>.jsonl in the data folder, one JSON object per line."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NotRequired, TypedDict

from models.examples import Example, ExampleError, find_target, from_row
from training.data.slots import fill_slots

SPLITS = ("train", "validation", "test")
JsonRow = Mapping[str, Any]
"""One parsed line of a JSONL file, before it becomes an Example."""


class DataError(ValueError):
    """Training data are missing or invalid; the message names the file and row, and what to do."""


class CorpusDescription(TypedDict):
    """A corpus in a run's data.json: rows and SHA-256 by split; a user's own file has name and licence alone."""

    name: str
    licence: str
    origin: NotRequired[str]
    rows: NotRequired[dict[str, int]]
    sha256: NotRequired[dict[str, str]]


@dataclass(frozen=True)
class Corpus:
    """A public corpus with its licence and origin; `read` makes an example of a row and its <corpus>/<split>/<line>."""

    name: str
    licence: str
    origin: str
    read: Callable[[JsonRow, str], Example]


def _read_plain(row: JsonRow, where: str) -> Example:
    return from_row(row)


def _fill_slots(row: JsonRow, where: str) -> Example:
    return from_row(dict(row) | {"text": fill_slots(str(row["text"]), seed=where)})


_ESCAPE = re.compile(r"\\u(2019|002c)")


def _decode_escapes(row: JsonRow, where: str) -> Example:
    text = _ESCAPE.sub(lambda match: chr(int(match.group(1), 16)), str(row["text"]))
    return from_row(dict(row) | {"text": text})


EKMAN = {
    "anger": ("anger", "annoyance", "disapproval"),
    "disgust": ("disgust",),
    "fear": ("fear", "nervousness"),
    "joy": (
        "admiration",
        "amusement",
        "approval",
        "caring",
        "desire",
        "excitement",
        "gratitude",
        "joy",
        "love",
        "optimism",
        "pride",
        "relief",
    ),
    "sadness": ("disappointment", "embarrassment", "grief", "remorse", "sadness"),
    "surprise": ("confusion", "curiosity", "realization", "surprise"),
    "neutral": ("neutral",),
}
_GROUP = {emotion: group for group, emotions in EKMAN.items() for emotion in emotions}


def _group_emotions(row: JsonRow, where: str) -> Example:
    """Map the 27 emotions to Ekman's six and neutral, as in the corpus's paper (Demszky et al. 2020)."""
    example = from_row(row)
    return replace(example, labels=tuple(dict.fromkeys(_GROUP[label] for label in example.labels)))


_REPLACED_WORDS = (("neutral", "hold"), ("negative", "sell"), ("positive", "buy"))


def _restore_target(row: JsonRow, where: str) -> Example:
    """Undo a search-and-replace in the source's targets: `Bajaj neutralings` stands for Bajaj Holdings."""
    example = from_row(row)
    if example.span or not example.target:
        return example
    for mangled, word in _REPLACED_WORDS:
        span = find_target(example.text, target=example.target.replace(mangled, word))
        if span:
            return replace(example, target=example.text[slice(*span)], span=span)
    return example


CORPORA: dict[str, Corpus] = {
    corpus.name: corpus
    for corpus in (
        Corpus("banking77", "CC-BY-4.0", "https://github.com/PolyAI-LDN/task-specific-datasets", _read_plain),
        Corpus("bitext", "CDLA-Sharing-1.0", "https://github.com/bitext/customer-support-intent-dataset", _fill_slots),
        Corpus("clinc150", "CC-BY-3.0", "https://github.com/clinc/oos-eval", _read_plain),
        Corpus("hwu64", "CC-BY-4.0", "https://github.com/xliuhw/NLU-Evaluation-Data", _read_plain),
        Corpus("semeval2017_task4", "CC-BY-3.0", "https://alt.qcri.org/semeval2017/task4/", _decode_escapes),
        Corpus("goemotions", "Apache-2.0", "https://github.com/google-research/google-research", _group_emotions),
        Corpus("tfns", "MIT", "https://huggingface.co/datasets/zeroshot/twitter-financial-news-sentiment", _read_plain),
        Corpus(
            "tfn_topic", "MIT", "https://huggingface.co/datasets/zeroshot/twitter-financial-news-topic", _read_plain
        ),
        Corpus("sentfin", "MIT", "https://github.com/pyRis/SEntFiN", _restore_target),
        Corpus("finentity", "ODC-BY-1.0", "https://huggingface.co/datasets/yixuantt/FinEntity", _read_plain),
    )
}


def read_corpus(name: str, *, root: Path, split: str) -> list[Example]:
    """Return the examples of one split; raises DataError, which names file and line."""
    corpus, path = CORPORA[name], root / name / f"{split}.jsonl"
    if not path.is_file():
        raise DataError(f"There is no {path}. Set --data (or BELLWETHER_DATA) to the folder with the corpora.")
    examples = []
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                example = corpus.read(json.loads(line), f"{name}/{split}/{number}")
            except (ExampleError, KeyError, ValueError) as error:
                raise DataError(f"{path}, line {number}: {error}.") from error
            examples.append(replace(example, split=split, source=name))
    return examples


def read_rows(name: str, *, root: Path, split: str) -> list[JsonRow]:
    """Return the parsed JSON rows of a split in the order of `read_corpus`, for columns that Example does not have."""
    path = root / name / f"{split}.jsonl"
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def describe_corpus(name: str, *, root: Path) -> CorpusDescription:
    """Return name, licence and origin of a corpus, and rows and SHA-256 of each of its splits."""
    corpus = CORPORA[name]
    rows, digests = {}, {}
    for split in SPLITS:
        content = (root / name / f"{split}.jsonl").read_bytes()
        rows[split] = content.count(b"\n")
        digests[split] = hashlib.sha256(content).hexdigest()
    return {"name": name, "licence": corpus.licence, "origin": corpus.origin, "rows": rows, "sha256": digests}
