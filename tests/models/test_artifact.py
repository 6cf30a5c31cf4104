from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from models.artifact import Artifact, ArtifactError, open_artifact, write
from models.runtime import Runtime


@pytest.fixture
def copy(tiny: Artifact, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny.folder, tmp_path / "copy-1.0"))


def _edit(folder: Path, **values: object) -> None:
    path = folder / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text("utf-8")), **values}), encoding="utf-8")


def test_opening_gives_back_what_was_written(tiny: Artifact) -> None:
    opened = open_artifact(tiny.folder)
    assert opened == tiny
    assert opened.manifest.id == "tiny@1.0"
    assert set(opened.manifest.files) == {
        path.relative_to(tiny.folder).as_posix() for path in tiny.folder.rglob("*") if path.is_file()
    } - {"manifest.json"}


@pytest.mark.parametrize(
    "name", ["int8/main.bin", "int8/main.xml", "heads.safetensors", "tokenizer.json", "labels.json"]
)
def test_a_changed_byte_is_refused_with_the_files_name(copy: Path, name: str) -> None:
    raw = bytearray((copy / name).read_bytes())
    raw[len(raw) // 2] ^= 1
    (copy / name).write_bytes(bytes(raw))
    with pytest.raises(ArtifactError) as refused:
        Runtime.open(copy)
    assert (refused.value.code, refused.value.file) == ("damaged_file", name)
    assert name in refused.value.sentence


@pytest.mark.parametrize("name", ["int8/main.bin", "decision.json", "manifest.json"])
def test_a_missing_file_is_refused_with_its_name(copy: Path, name: str) -> None:
    (copy / name).unlink()
    with pytest.raises(ArtifactError, match=name) as refused:
        Runtime.open(copy)
    assert refused.value.code == "missing_file"


def test_a_cut_file_is_refused(copy: Path) -> None:
    raw = (copy / "int8/main.bin").read_bytes()
    (copy / "int8/main.bin").write_bytes(raw[:-1])
    with pytest.raises(ArtifactError, match="damaged"):
        open_artifact(copy)


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"schema": 99}, "unknown_schema"),
        ({"runtime": [7, 9]}, "unknown_runtime"),
        ({"text_version": 0}, "unknown_text_version"),
        ({"kind": "oracle"}, "unknown_kind"),
        ({"encoders": "main"}, "unreadable_manifest"),
    ],
)
def test_a_manifest_of_another_time_is_refused(copy: Path, values: dict[str, object], code: str) -> None:
    _edit(copy, **values)
    with pytest.raises(ArtifactError, match=r"manifest\.json") as refused:
        open_artifact(copy)
    assert refused.value.code == code


def test_a_manifest_that_is_no_json_is_refused(copy: Path) -> None:
    (copy / "manifest.json").write_bytes(b"\xff\x00 nonsense")
    with pytest.raises(ArtifactError) as refused:
        open_artifact(copy)
    assert refused.value.code == "unreadable_manifest"


def test_a_file_outside_the_folder_is_refused(copy: Path) -> None:
    files = json.loads((copy / "manifest.json").read_text("utf-8"))["files"]
    _edit(copy, files={**files, "../secret": {"size": 1, "sha256": "0"}})
    with pytest.raises(ArtifactError) as refused:
        open_artifact(copy)
    assert refused.value.code == "outside_file"


def _fill_from(tiny: Artifact) -> Callable[[Path], None]:
    def fill(part: Path) -> None:
        shutil.copytree(tiny.folder, part, dirs_exist_ok=True)
        (part / "manifest.json").unlink()

    return fill


def test_a_missing_head_is_refused_before_anything_is_renamed(tiny: Artifact, tmp_path: Path) -> None:
    from safetensors.numpy import load_file, save_file

    def fill(part: Path) -> None:
        _fill_from(tiny)(part)
        heads = load_file(part / "heads.safetensors")
        save_file({name: value for name, value in heads.items() if "emotion" not in name}, part / "heads.safetensors")

    with pytest.raises(ArtifactError, match="emotion") as refused:
        write(tmp_path / "new-1.0", manifest=tiny.manifest, fill=fill, check=Runtime.open)
    assert refused.value.code == "missing_head"
    assert list(tmp_path.iterdir()) == []


def test_a_failed_write_leaves_the_artifact_that_stood_there(tiny: Artifact, copy: Path) -> None:
    def fill(part: Path) -> None:
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write(copy, manifest=tiny.manifest, fill=fill)
    assert open_artifact(copy).sha256 == tiny.sha256
    assert [path.name for path in copy.parent.iterdir()] == [copy.name]


def test_writing_again_replaces_the_old(tiny: Artifact, copy: Path) -> None:
    (copy / "stray.txt").write_text("old")
    written = write(copy, manifest=tiny.manifest, fill=_fill_from(tiny))
    assert not (copy / "stray.txt").exists()
    assert written.manifest.files == tiny.manifest.files
