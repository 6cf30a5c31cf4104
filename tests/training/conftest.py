"""A tiny encoder and small corpora, made once a session."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tests.tiny import tiny_encoder
from tests.training.corpora import write_corpora


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    """Tiny matrices gain nothing from threads, and waiting for a busy core costs a lot."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def corpora(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder with ten small corpora."""
    return write_corpora(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="session")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a tiny encoder."""
    return tiny_encoder(tmp_path_factory.mktemp("encoder") / "tiny")
