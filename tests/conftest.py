"""Real parts shared by many tests, made once a session."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

from models.artifact import Artifact
from models.runtime import Runtime

# A busy machine is no reason to fail.
settings.register_profile("bellwether", deadline=None)
settings.load_profile("bellwether")


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    """A real but tiny artifact, `tiny@1.0`."""
    from tests.tiny_artifact import tiny_artifact

    folder: Path = tmp_path_factory.mktemp("artifacts")
    return tiny_artifact(folder / "tiny-1.0", work=tmp_path_factory.mktemp("encoder"))


@pytest.fixture(scope="session")
def runtime(tiny: Artifact) -> Runtime:
    """The tiny artifact, opened for serving."""
    return Runtime(tiny, threads=1)
