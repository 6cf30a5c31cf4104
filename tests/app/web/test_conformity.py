"""The server does what its description says, and the description what the server does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.app.site import Site, make_site
from tests.app.web import conformity

N_DRAWN = 2
"""Requests drawn for an operation, besides those at the boundaries of what it takes."""


@pytest.fixture
def fresh(tmp_path: Path, artifacts: Path) -> Iterator[Site]:
    """A site of its own with the tiny model: requests are sent that change everything."""
    made = make_site(tmp_path, models=artifacts, intent_task="banking_intent")
    made.person("admin")
    made.services.policy = replace(made.services.policy, deadline_ms=60_000)
    made.services.engine.model()
    yield made
    made.app.extensions["bellwether"].close()


def test_no_answer_breaks_a_promise(fresh: Site) -> None:
    found = list(conformity.survey(fresh, n_examples=N_DRAWN, things=conformity.furnish(fresh)))
    assert not found, "\n\n".join(f"{one.operation}: {one.check}\n{one.detail}" for one in found)
