"""Deployment: the models at hand, the live one, its promotion and its rollback."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.core import clock
from app.core.errors import ArtifactMissing, BellwetherError, Conflict, NotReady, TaskMissing
from app.core.events import history
from app.core.permissions import Viewer
from app.core.prediction import Role
from app.core.services import Services
from app.model.domain import Deployment
from app.model.engine import loader
from app.model.engine.dispatch import Model
from app.model.engine.engine import warm
from app.model.flows import find_texts
from app.model.store import deployments
from app.people.store import users


@dataclass(frozen=True, kw_only=True)
class LabelInfo:
    """A label as people choose it."""

    id: str
    title: str


@dataclass(frozen=True, kw_only=True)
class TaskInfo:
    """A task of the live model."""

    name: str
    role: Role
    kind: str
    labels: tuple[LabelInfo, ...]


@dataclass(frozen=True, kw_only=True)
class Status:
    """The state of the model: `model` is its `name@version`, `problem` the code that keeps it from answering."""

    model: str
    is_ready: bool
    problem: str | None
    n_waiting: int
    n_pending: int


@dataclass(frozen=True, kw_only=True)
class ModelCard:
    """The description of an artifact in its own JSON files; `size_bytes` is the whole folder's."""

    id: str
    folder: Path
    manifest: Mapping[str, Any]
    metrics: Mapping[str, Any]
    decision: Mapping[str, Any]
    size_bytes: int


def status(services: Services) -> Status:
    """Return the state of the live model, without opening it."""
    engine = services.engine
    return Status(
        model=answering(services),
        is_ready=engine.is_ready,
        problem=None if engine.is_ready else "not_ready",
        n_waiting=engine.n_waiting,
        n_pending=sum(source.n_pending(services.db) for source in find_texts.SOURCES),
    )


def tasks(services: Services) -> tuple[TaskInfo, ...]:
    """Return the tasks of the live model; raise NotReady."""
    return tuple(_task(task) for task in services.engine.tasks.values())


def _task(task: Any) -> TaskInfo:
    labels = tuple(LabelInfo(id=label.id, title=label.title) for label in task.labels)
    return TaskInfo(name=task.name, role=task.role, kind=task.kind, labels=labels)


def labels(services: Services, task: str) -> tuple[LabelInfo, ...]:
    """Return the labels of a task of the live model; raise TaskMissing, NotReady."""
    found = services.engine.tasks.get(task)
    if found is None:
        raise TaskMissing(task=task)
    return _task(found).labels


def available(services: Services) -> tuple[str, ...]:
    """Return the `name@version` of every sound classifier, newest version first."""
    return tuple(artifact.manifest.id for artifact in loader.artifacts(services.policy.artifact_folders))


def card(services: Services) -> ModelCard:
    """Return the description of the live artifact; raise ArtifactMissing, NotReady."""
    engine = services.engine
    if engine.is_ready:
        folder = engine.model().artifact.folder
    else:
        folder = loader.find(services.policy.artifact_folders, model=live_name(services))
    manifest = _json(folder / "manifest.json")
    return ModelCard(
        id=f"{manifest.get('name', folder.name)}@{manifest.get('version', '')}",
        folder=folder,
        manifest=manifest,
        metrics=_json(folder / "metrics.json"),
        decision=_json(folder / "decision.json"),
        size_bytes=sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()),
    )


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def list_deployments(services: Services) -> tuple[Deployment, ...]:
    """Return the models that were put live or into shadow, newest first."""
    return deployments.every(services.db)


def deployers(services: Services, rows: Sequence[Deployment]) -> dict[int, str]:
    """Return the names of the people who put these models into their slots, by id."""
    return users.names(services.db, {int(row.actor_id) for row in rows if row.actor_id.isdigit()})


def live_name(services: Services) -> str | None:
    """Return the `name@version` that was put live; None where the newest artifact answers by default."""
    found = deployments.current(services.db)
    return None if found is None else found.model or None


def answering(services: Services) -> str:
    """Return the `name@version` that answers, or would if it were opened now; empty when there is none."""
    if services.engine.is_ready:
        return _open_name(services)
    try:
        folder = loader.find(services.policy.artifact_folders, model=live_name(services))
    except ArtifactMissing:
        return ""
    name, _, version = folder.name.rpartition("-")
    return f"{name}@{version}"


def _open_name(services: Services) -> str:
    try:
        return str(services.engine.model().artifact.manifest.id)
    except NotReady:
        return ""


def promote(services: Services, name: str, *, viewer: Viewer) -> Deployment:
    """Put `name@version` live; raise ArtifactMissing or ArtifactDamaged and then change nothing."""
    return _deployed(services, name, viewer=viewer, verb="deployed")


def rollback(services: Services, *, viewer: Viewer) -> Deployment:
    """Put the model before the live one live again; raise Conflict `nothing_to_roll_back`."""
    rows = [row for row in deployments.every(services.db) if row.slot == "live"]
    live = rows[0].model if rows else ""
    earlier = next((row.model for row in rows if row.model != live), None)
    if earlier is None:
        raise Conflict("nothing_to_roll_back", model=live)
    return _deployed(services, earlier, viewer=viewer, verb="rolled_back")


def _deployed(services: Services, name: str, *, viewer: Viewer, verb: str) -> Deployment:
    before, model = _live_id(services), open_model(services, name)
    # Its own name, however it was asked for: what follows the rows compares with it.
    made = model.artifact.manifest.id
    at, actor = clock.now_ms(), history.of(viewer)
    with services.db.transaction() as tx:
        if deployments.current(tx) is None and before and before != made:
            # Without this row there would be no way back to what answered by default.
            deployments.insert(tx, model=before, slot="live", at=at, actor_id="system")
        row_id = deployments.insert(tx, model=made, slot="live", at=at, actor_id=actor[1])
        history.record(
            tx, actor=actor, verb=verb, noun="model", noun_id=row_id, before={"model": before}, after={"model": made}
        )
    services.engine.swap(model)
    return Deployment(id=row_id, model=made, slot="live", at=at, actor_id=actor[1])


def open_model(services: Services, name: str) -> Model:
    """Return a model that is opened, checked and warm: nothing is left that could go wrong once it answers."""
    policy = services.policy
    model = loader.load(loader.find(policy.artifact_folders, model=name), threads=policy.engine_threads)
    warm(model)
    return model


def _live_id(services: Services) -> str:
    try:
        return card(services).id
    except BellwetherError:
        return ""


def follow(services: Services) -> bool:
    """Swap to the model that another process has put live; return False where there is none."""
    wanted = live_name(services)
    if wanted is None or not services.engine.is_ready or services.engine.model().artifact.manifest.id == wanted:
        return False
    services.engine.swap(open_model(services, wanted))
    return True
