"""Read the ten public corpora: <corpus>/<split>.jsonl in the data folder, one JSON object per line."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from models.examples import Example, ExampleError, find_target, from_row
from training.data.slots import fill

SPLITS = ("train", "validation", "test")


class DataError(ValueError):
    """Training data are missing or invalid; the message names the file and row, and what to do."""


@dataclass(frozen=True)
class Corpus:
    """A public corpus with its licence and origin; `read` makes an example of a row and its <corpus>/<split>/<line>."""

    name: str
    licence: str
    origin: str
    read: Callable[[Mapping[str, Any], str], Example]


def _plain(row: Mapping[str, Any], where: str) -> Example:
    return from_row(row)


def _slots_filled(row: Mapping[str, Any], where: str) -> Example:
    return from_row(dict(row) | {"text": fill(str(row["text"]), seed=where)})


_ESCAPE = re.compile(r"\\u(2019|002c)")


def _escapes_decoded(row: Mapping[str, Any], where: str) -> Example:
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


def _ekman(row: Mapping[str, Any], where: str) -> Example:
    """Map the 27 emotions to Ekman's six and neutral, as in the corpus's paper (Demszky et al. 2020)."""
    example = from_row(row)
    return replace(example, labels=tuple(dict.fromkeys(_GROUP[label] for label in example.labels)))


_MANGLED = (("neutral", "hold"), ("negative", "sell"), ("positive", "buy"))


def _target_mended(row: Mapping[str, Any], where: str) -> Example:
    """Undo a search-and-replace in the source's targets: `Bajaj neutralings` stands for Bajaj Holdings."""
    example = from_row(row)
    if example.span or not example.target:
        return example
    for mangled, word in _MANGLED:
        span = find_target(example.text, target=example.target.replace(mangled, word))
        if span:
            return replace(example, target=example.text[slice(*span)], span=span)
    return example


CORPORA: dict[str, Corpus] = {
    corpus.name: corpus
    for corpus in (
        Corpus("banking77", "CC-BY-4.0", "https://github.com/PolyAI-LDN/task-specific-datasets", _plain),
        Corpus(
            "bitext", "CDLA-Sharing-1.0", "https://github.com/bitext/customer-support-intent-dataset", _slots_filled
        ),
        Corpus("clinc150", "CC-BY-3.0", "https://github.com/clinc/oos-eval", _plain),
        Corpus("hwu64", "CC-BY-4.0", "https://github.com/xliuhw/NLU-Evaluation-Data", _plain),
        Corpus("semeval2017_task4", "CC-BY-3.0", "https://alt.qcri.org/semeval2017/task4/", _escapes_decoded),
        Corpus("goemotions", "Apache-2.0", "https://github.com/google-research/google-research", _ekman),
        Corpus("tfns", "MIT", "https://huggingface.co/datasets/zeroshot/twitter-financial-news-sentiment", _plain),
        Corpus("tfn_topic", "MIT", "https://huggingface.co/datasets/zeroshot/twitter-financial-news-topic", _plain),
        Corpus("sentfin", "MIT", "https://github.com/pyRis/SEntFiN", _target_mended),
        Corpus("finentity", "ODC-BY-1.0", "https://huggingface.co/datasets/yixuantt/FinEntity", _plain),
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


def read_rows(name: str, *, root: Path, split: str) -> list[dict[str, Any]]:
    """Return the parsed JSON rows of a split in the order of `read_corpus`, for columns that Example does not have."""
    path = root / name / f"{split}.jsonl"
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def describe(name: str, *, root: Path) -> dict[str, Any]:
    """Return name, licence, origin, and rows and SHA-256 of each split, as data.json and the manifest store them."""
    corpus = CORPORA[name]
    rows, digests = {}, {}
    for split in SPLITS:
        content = (root / name / f"{split}.jsonl").read_bytes()
        rows[split] = content.count(b"\n")
        digests[split] = hashlib.sha256(content).hexdigest()
    return {"name": name, "licence": corpus.licence, "origin": corpus.origin, "rows": rows, "sha256": digests}
