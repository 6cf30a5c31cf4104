"""Read and write artifacts: an artifact is a folder with everything that serving needs.

An artifact is written to a temporary folder, verified by opening it, and then renamed. Opening checks the schema, the
versions, and the size and SHA-256 of every file. The formats are JSON, safetensors and OpenVINO IR; there is no pickle.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal

from models.text import TEXT_VERSION

SCHEMA = 1
RUNTIME = 1
MANIFEST = "manifest.json"

Kind = Literal["classifier", "encoder"]


class ArtifactError(Exception):
    """An artifact is refused: `code` and `file` are for programs, `sentence` is for users."""

    def __init__(self, code: str, *, file: str, sentence: str) -> None:
        self.code, self.file, self.sentence = code, file, sentence
        super().__init__(sentence)


@dataclass(frozen=True)
class FileEntry:
    """Size in bytes and SHA-256 (hex) of a file."""

    size: int
    sha256: str


@dataclass(frozen=True)
class EncoderEntry:
    """An encoder: its int8 graph, its adapter folder (empty: none), and the tasks that it answers, in order."""

    name: str
    graph: str
    adapter: str = ""
    tasks: tuple[str, ...] = ()


@dataclass(frozen=True)
class DataEntry:
    """A corpus that the artifact was trained on; SHA-256 and number of rows are those of its training split."""

    name: str
    licence: str
    sha256: str
    rows: int


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """manifest.json: name, version, kind, data, recipe and files of an artifact; writing it fills in `files`."""

    name: str
    version: str
    kind: Kind
    base: Mapping[str, str]
    encoders: tuple[EncoderEntry, ...]
    max_length: int
    schema: int = SCHEMA
    text_version: int = TEXT_VERSION
    runtime: tuple[int, int] = (RUNTIME, RUNTIME)
    data: tuple[DataEntry, ...] = ()
    recipe: Mapping[str, Any] = field(default_factory=dict)
    packages: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, FileEntry] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """`name@version`, which identifies the model in database rows and API answers."""
        return f"{self.name}@{self.version}"


@dataclass(frozen=True)
class Artifact:
    """An opened and verified artifact; `sha256` is that of its manifest, which covers every file."""

    folder: Path
    manifest: Manifest
    sha256: str

    def path(self, relative: str) -> Path:
        """Return the path of a file; raises ArtifactError when the manifest does not list it."""
        if relative not in self.manifest.files:
            raise _missing(relative, folder=self.folder)
        return self.folder / relative


def open_artifact(folder: Path) -> Artifact:
    """Open and verify an artifact. Raises ArtifactError, which names the file at fault."""
    path = folder / MANIFEST
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise _missing(MANIFEST, folder=folder) from error
    manifest = _parse(raw, path=path)
    _check_versions(manifest, path=path)
    for relative, entry in manifest.files.items():
        _check_file(folder, relative=relative, entry=entry)
    for needed in _needed(manifest):
        if needed not in manifest.files:
            raise _missing(needed, folder=folder)
    return Artifact(folder, manifest, hashlib.sha256(raw).hexdigest())


def write(
    folder: Path, *, manifest: Manifest, fill: Callable[[Path], None], check: Callable[[Path], object] = open_artifact
) -> Artifact:
    """Write an artifact atomically: `fill` a temporary folder, add the manifest, `check` the artifact, rename it.

    An existing artifact at `folder` is replaced only after the new one has passed the check. After an error nothing of
    the new one is left.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    part = folder.parent / f".{folder.name}.part"
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir()
    try:
        fill(part)
        _seal(part, manifest=manifest)
        open_artifact(part)
        check(part)
        _rename(part, to=folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return open_artifact(folder)


def _seal(part: Path, *, manifest: Manifest) -> None:
    names = sorted(path.relative_to(part).as_posix() for path in part.rglob("*") if path.is_file())
    files = {name: FileEntry((part / name).stat().st_size, _sha256(part / name)) for name in names if name != MANIFEST}
    text = json.dumps(asdict(replace(manifest, files=files)), ensure_ascii=False, indent=1)
    (part / MANIFEST).write_text(text + "\n", encoding="utf-8")


def _rename(part: Path, *, to: Path) -> None:
    old = to.parent / f".{to.name}.old"
    shutil.rmtree(old, ignore_errors=True)
    if to.exists():
        os.replace(to, old)
    os.replace(part, to)
    shutil.rmtree(old, ignore_errors=True)


def _parse(raw: bytes, *, path: Path) -> Manifest:
    try:
        row = json.loads(raw)
        known = {entry.name for entry in fields(Manifest)}
        if row.get("schema") != SCHEMA:
            raise ArtifactError(
                "unknown_schema",
                file=MANIFEST,
                sentence=f"{path} has schema {row.get('schema')!r}; this program reads schema {SCHEMA}.",
            )
        values = {key: value for key, value in row.items() if key in known}
        return Manifest(**values | _typed(row))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ArtifactError(
            "unreadable_manifest", file=MANIFEST, sentence=f"{path} cannot be read as a manifest: {error}."
        ) from error


def _typed(row: Mapping[str, Any]) -> dict[str, Any]:
    encoders = tuple(EncoderEntry(**{**entry, "tasks": tuple(entry["tasks"])}) for entry in row["encoders"])
    low, high = row["runtime"]
    return {
        "encoders": encoders,
        "runtime": (int(low), int(high)),
        "data": tuple(DataEntry(**entry) for entry in row["data"]),
        "files": {name: FileEntry(**entry) for name, entry in row["files"].items()},
    }


def _check_versions(manifest: Manifest, *, path: Path) -> None:
    low, high = manifest.runtime
    if not low <= RUNTIME <= high:
        sentence = f"{path} asks for runtime {low} to {high}; this program is runtime {RUNTIME}."
        raise ArtifactError("unknown_runtime", file=MANIFEST, sentence=sentence)
    if manifest.text_version != TEXT_VERSION:
        sentence = (
            f"{path} was trained with text version {manifest.text_version}; this program prepares texts as "
            f"version {TEXT_VERSION}: export the run again."
        )
        raise ArtifactError("unknown_text_version", file=MANIFEST, sentence=sentence)
    if manifest.kind not in ("classifier", "encoder"):
        sentence = f"{path} is of the unknown kind {manifest.kind!r}."
        raise ArtifactError("unknown_kind", file=MANIFEST, sentence=sentence)


def _check_file(folder: Path, *, relative: str, entry: FileEntry) -> None:
    path = folder / relative
    if not path.resolve().is_relative_to(folder.resolve()):
        sentence = f"{folder / MANIFEST} lists {relative}, which lies outside the artifact."
        raise ArtifactError("outside_file", file=relative, sentence=sentence)
    if not path.is_file():
        raise _missing(relative, folder=folder)
    if path.stat().st_size != entry.size or _sha256(path) != entry.sha256:
        sentence = f"{path} is damaged: its content is not what {MANIFEST} lists. Copy the artifact again."
        raise ArtifactError("damaged_file", file=relative, sentence=sentence)


def _needed(manifest: Manifest) -> list[str]:
    graphs = [name for entry in manifest.encoders for name in (entry.graph, weights_of(entry.graph))]
    heads = ["labels.json", "decision.json", "heads.safetensors"] if manifest.kind == "classifier" else []
    return ["tokenizer.json", *graphs, *heads]


def weights_of(graph: str) -> str:
    """Return the weights file of a graph in OpenVINO IR: `main.bin` for `main.xml`."""
    return graph.removesuffix(".xml") + ".bin"


def _missing(relative: str, *, folder: Path) -> ArtifactError:
    sentence = f"{folder / relative} is missing: the artifact is not complete. Copy or export it again."
    return ArtifactError("missing_file", file=relative, sentence=sentence)


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
