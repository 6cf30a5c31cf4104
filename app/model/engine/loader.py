"""Artifacts are found in their folders and opened, with the app's own errors."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from app.core.errors import ArtifactDamaged, ArtifactMissing
from models.artifact import MANIFEST, Artifact, ArtifactError, Kind, open_artifact
from models.runtime import Runtime

_FOLDER = re.compile(r"(?P<name>[a-z0-9][a-z0-9_-]*)-(?P<version>\d+(?:\.\d+)*)")


def artifacts(folders: Iterable[Path], *, kind: Kind = "classifier") -> list[Artifact]:
    """Return every sound artifact of a kind in the folders, newest version first."""
    found = [artifact for folder in _candidates(folders) if (artifact := _sound(folder)) is not None]
    same = [artifact for artifact in found if artifact.manifest.kind == kind]
    return sorted(same, key=lambda artifact: _version(artifact.folder), reverse=True)


def find(folders: Sequence[Path], *, model: str | None = None, kind: Kind = "classifier") -> Path:
    """Return the folder of `model` (name@version or the folder's name), or of the newest artifact of the kind.

    The newest is that of the first folder that has any: one that was trained into a later folder answers only once it
    is promoted. Raises ArtifactMissing.
    """
    wanted = None if model is None else model.replace("@", "-")
    # A manifest that cannot be read has no kind; opening it will say what is wrong with it.
    kinds = (kind,) if wanted is None else (kind, "")
    for one in folders:
        candidates = [folder for folder in _candidates([one]) if wanted in (None, folder.name)]
        fitting = [folder for folder in candidates if _kind(folder) in kinds]
        if fitting:
            return max(fitting, key=_version)
    raise ArtifactMissing(folder=", ".join(str(folder) for folder in folders), model=model or kind)


def load(folder: Path, *, threads: int | None = None) -> Runtime:
    """Open an artifact for serving; raise ArtifactMissing or ArtifactDamaged (folder, file, reason)."""
    if not (folder / MANIFEST).is_file():
        raise ArtifactMissing(folder=str(folder))
    try:
        runtime = Runtime.open(folder, threads=threads)
    except ArtifactError as error:
        raise ArtifactDamaged(folder=str(folder), file=error.file, reason=error.code) from error
    if folder.name != runtime.artifact.manifest.id.replace("@", "-"):
        # Under another name it would not be found again after it was put live.
        raise ArtifactDamaged(folder=str(folder), file=MANIFEST, reason="other_name")
    return runtime


def _candidates(folders: Iterable[Path]) -> list[Path]:
    return [path.parent for folder in folders for path in sorted(folder.glob(f"*/{MANIFEST}"))
            if _FOLDER.fullmatch(path.parent.name)]  # fmt: skip


def _version(folder: Path) -> tuple[int, ...]:
    match = _FOLDER.fullmatch(folder.name)
    return tuple(int(part) for part in match["version"].split(".")) if match else ()


def _sound(folder: Path) -> Artifact | None:
    try:
        return open_artifact(folder)
    except ArtifactError:
        return None


def _kind(folder: Path) -> str:
    """Return the kind that a manifest names, without checking the files it lists."""
    found = re.search(r'"kind":\s*"(\w+)"', (folder / MANIFEST).read_text(encoding="utf-8", errors="replace"))
    return found[1] if found else ""
