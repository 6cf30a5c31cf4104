"""Export of corrections as the examples that training learns from."""

from __future__ import annotations

from collections.abc import Iterator

from app.core.errors import NotReady
from app.core.services import Services
from app.intents.decide import training_lines
from app.intents.store import corrections


def export_examples(services: Services) -> Iterator[str]:
    """Yield every correction in force as one JSONL line that training reads, oldest first."""
    try:
        tasks = dict(services.engine.tasks)
    except NotReady:
        tasks = {}
    for one in corrections.each(services.db):
        task = one.correction.task
        yield training_lines.line(
            one.text, label=one.correction.label, task=tasks.get(task), task_name=task, span=one.target
        )
