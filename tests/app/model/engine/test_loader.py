from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from app.core.errors import ArtifactDamaged, ArtifactMissing
from app.model.engine import loader
from models.artifact import Artifact


def _named(tiny: Artifact, *, folder: Path, name: str, kind: str = "classifier") -> Path:
    copied = Path(shutil.copytree(tiny.folder, folder / name))
    manifest = json.loads((copied / "manifest.json").read_text("utf-8"))
    stem, version = name.rsplit("-", 1)
    changed = {**manifest, "name": stem, "version": version, "kind": kind}
    (copied / "manifest.json").write_text(json.dumps(changed), encoding="utf-8")
    return copied


def test_the_newest_of_the_first_folder_is_found(tiny: Artifact, tmp_path: Path) -> None:
    shipped, own = tmp_path / "models", tmp_path / "own"
    newest = _named(tiny, folder=shipped, name="bellwether-1.10")
    _named(tiny, folder=shipped, name="bellwether-1.9")
    _named(tiny, folder=own, name="desk-2.0")
    _named(tiny, folder=own, name="search-2.0", kind="encoder")
    folders = [tmp_path / "nowhere", shipped, own]
    assert loader.find(folders) == newest
    assert loader.find([own, shipped]) == own / "desk-2.0"
    assert loader.find(folders, kind="encoder") == own / "search-2.0"
    names = ["desk@2.0", "bellwether@1.10", "bellwether@1.9"]
    assert [found.manifest.id for found in loader.artifacts(folders)] == names


@pytest.mark.parametrize("name", ["bellwether@1.0", "bellwether-1.0"])
def test_a_model_is_found_by_its_name_in_every_folder(tiny: Artifact, tmp_path: Path, name: str) -> None:
    _named(tiny, folder=tmp_path / "models", name="search-1.0", kind="encoder")
    wanted = _named(tiny, folder=tmp_path / "own", name="bellwether-1.0")
    folders = [tmp_path / "models", tmp_path / "own"]
    assert loader.find(folders, model=name) == wanted
    with pytest.raises(ArtifactMissing):
        loader.find(folders, model="search@1.0")


def test_an_artifact_under_another_name_is_refused(tiny: Artifact, tmp_path: Path) -> None:
    folder = shutil.copytree(tiny.folder, tmp_path / "better-9.0")
    with pytest.raises(ArtifactDamaged) as refused:
        loader.load(Path(folder))
    assert (refused.value.params["file"], refused.value.params["reason"]) == ("manifest.json", "other_name")


def test_a_missing_artifact_names_the_folders(tmp_path: Path) -> None:
    with pytest.raises(ArtifactMissing) as refused:
        loader.find([tmp_path], model="bellwether@9.9")
    assert refused.value.params == {"folder": str(tmp_path), "model": "bellwether@9.9"}
    with pytest.raises(ArtifactMissing):
        loader.load(tmp_path / "bellwether-9.9")


def test_a_damaged_artifact_names_the_file(tiny: Artifact, tmp_path: Path) -> None:
    folder = _named(tiny, folder=tmp_path, name="bellwether-1.0")
    (folder / "int8/main.bin").write_bytes(b"\0")
    with pytest.raises(ArtifactDamaged) as refused:
        loader.load(folder)
    assert refused.value.params == {"folder": str(folder), "file": "int8/main.bin", "reason": "damaged_file"}
    assert loader.artifacts([tmp_path]) == []


def test_a_sound_artifact_opens(tiny: Artifact) -> None:
    assert loader.load(tiny.folder, threads=1).artifact == tiny
