"""Labelled examples as JSON Lines: the application exports corrections in this format, training reads it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


class ExampleError(ValueError):
    """A line is not a valid example; the message says which line and why."""


@dataclass(frozen=True)
class Example:
    """A text with its labels for a task; `span` is the character range of the target that the labels are about."""

    text: str
    labels: tuple[str, ...]
    task: str = ""
    target: str | None = None
    span: tuple[int, int] | None = None
    split: str = ""
    source: str = ""

    def to_json(self) -> str:
        """Return the example as a JSON line without its empty fields."""
        row: dict[str, Any] = {"text": self.text}
        row |= {"label": self.labels[0]} if len(self.labels) == 1 else {"labels": list(self.labels)}
        optional = {"task": self.task, "target": self.target, "split": self.split, "source": self.source}
        row |= {key: value for key, value in optional.items() if value}
        if self.span is not None:
            row["span"] = list(self.span)
        return json.dumps(row, ensure_ascii=False)


def from_row(row: Mapping[str, Any], *, task: str = "", split: str = "", source: str = "") -> Example:
    """Make an example of a row: `text`, `label` or `labels`, optional `target`, `span`, `task`, `split`, `source`.

    The span of a target without one is its first occurrence in the text, exact or else in any case. Without an
    occurrence there is no span, which means the whole text. Raises ExampleError.
    """
    text = row.get("text")
    if not isinstance(text, str) or not text.strip():
        raise ExampleError("the text is empty")
    target = str(row["target"]) if row.get("target") else None
    return Example(
        text=text,
        labels=_labels(row),
        task=str(row.get("task") or task),
        target=target,
        span=_span(row, text=text, target=target),
        split=str(row.get("split") or split),
        source=str(row.get("source") or source),
    )


def _labels(row: Mapping[str, Any]) -> tuple[str, ...]:
    raw = row.get("labels", row.get("label"))
    names = list(raw) if isinstance(raw, (list, tuple)) else [raw]
    labels = tuple(str(name).strip() for name in names if name is not None and str(name).strip())
    if not labels and not isinstance(row.get("labels"), (list, tuple)):
        raise ExampleError("the label is empty")
    return labels


def _span(row: Mapping[str, Any], *, text: str, target: str | None) -> tuple[int, int] | None:
    given = row.get("span")
    if given is None:
        return find_target(text, target=target) if target else None
    if not _is_span(given, length=len(text)):
        raise ExampleError(f"the span {given!r} does not lie inside the text")
    return int(given[0]), int(given[1])


def _is_span(given: object, *, length: int) -> bool:
    if not isinstance(given, (list, tuple)) or len(given) != 2 or not all(isinstance(at, int) for at in given):
        return False
    return bool(0 <= given[0] < given[1] <= length)


def find_target(text: str, *, target: str) -> tuple[int, int] | None:
    """Return the character range of the first occurrence of `target`, exact or else in any case, or None."""
    at = text.find(target)
    if at < 0:
        at = text.lower().find(target.lower())
    end = at + len(target)
    return (at, end) if at >= 0 and end <= len(text) else None


def read_examples(path: Path, *, on_error: list[str] | None = None) -> Iterator[Example]:
    """Read a JSONL file line by line; blank lines are skipped.

    A bad line raises ExampleError, which names file and line; with a list `on_error` its message is appended instead.
    """
    with path.open(encoding="utf-8", errors="replace") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                yield from_row(_object(line))
            except ExampleError as error:
                sentence = f"{path.name}, line {number}: {error}."
                if on_error is None:
                    raise ExampleError(sentence) from error
                on_error.append(sentence)


def _object(line: str) -> Mapping[str, Any]:
    try:
        row = json.loads(line)
    except json.JSONDecodeError as error:
        raise ExampleError("not a JSON object") from error
    if not isinstance(row, dict):
        raise ExampleError("not a JSON object")
    return row


def write_examples(path: Path, *, examples: Iterable[Example]) -> int:
    """Write examples as JSONL and return their number."""
    lines = [example.to_json() + "\n" for example in examples]
    path.write_text("".join(lines), encoding="utf-8")
    return len(lines)
