"""Sites for the web's tests: one without a model for every test to share, one with a tiny real model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.app.web.site import Site, make_site
from tests.tiny_artifact import tiny_artifact


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site without a model; tests that change settings or break things make their own."""
    made = make_site(tmp_path_factory.mktemp("site"))
    made.person("admin")
    yield made
    made.app.extensions["bellwether"].close()


@pytest.fixture(scope="session")
def artifacts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds the tiny artifact."""
    folder = tmp_path_factory.mktemp("models")
    tiny_artifact(folder / "tiny-1.0")
    return folder


@pytest.fixture(scope="session")
def model_site(tmp_path_factory: pytest.TempPathFactory, artifacts: Path) -> Iterator[Site]:
    """A site whose model is tiny and real."""
    made = make_site(tmp_path_factory.mktemp("model-site"), models=artifacts, intent_task="banking_intent")
    made.person("admin")
    # On a busy machine the first answer may take longer than a reader would wait.
    made.services.policy = replace(made.services.policy, deadline_ms=60_000)
    made.services.engine.model()
    yield made
    made.app.extensions["bellwether"].close()
