"""Corrections as training examples: the one JSONL line that training reads."""

from __future__ import annotations

from models.examples import Example
from models.labels import Task


def line(text: str, *, label: str, task: Task | None, task_name: str, span: tuple[int, int] | None = None) -> str:
    """Return a text with a person's label as one JSONL line, in the label names of the source."""
    names = {} if task is None else {one.id: one.name for one in task.labels}
    target = None if span is None else text[span[0] : span[1]]
    example = Example(
        text=text,
        labels=(names.get(label, label),),
        task=task_name,
        target=target,
        span=span,
        source="correction",
    )
    return example.to_json()
