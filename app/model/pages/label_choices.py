"""Labels with their titles, as forms offer them."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

from app.core.errors import BellwetherError
from app.model.flows import deploy_model
from app.web.access import services
from app.web.display.label_titles import label_title

Choices = tuple[tuple[str, str], ...]
"""Labels and their titles, by title."""


def of_tasks(tasks: Iterable[str]) -> Choices:
    """The labels of tasks; none of a task that no open model has, so that the form is shown all the same."""
    labels: list[str] = []
    for task in sorted(set(tasks)):
        with suppress(BellwetherError):
            labels += [label.id for label in deploy_model.labels(services(), task)]
    return titled(labels)


def titled(labels: Iterable[str]) -> Choices:
    """Labels, each once."""
    return tuple(sorted(((label, label_title(label)) for label in dict.fromkeys(labels)), key=lambda entry: entry[1]))
