"""Which model answers: put live, gone back from, followed by other processes; two real tiny artifacts."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.core.db import open_database
from app.core.engine_interface import Request
from app.core.errors import ArtifactDamaged, ArtifactMissing, BellwetherError, Conflict
from app.core.events import event_log
from app.core.permissions import SYSTEM
from app.core.services import Services
from app.model.engine.opening import OpeningEngine, open_engine
from app.model.flows import deploy_model
from app.model.store import deployments
from app.people.flows import find_viewer, keep_accounts
from models.artifact import Artifact
from tests.app.policies import make_policy


def copied(tiny: Artifact, folder: Path, *, kind: str = "classifier") -> Path:
    """The tiny artifact under the name of `folder`."""
    shutil.copytree(tiny.folder, folder)
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    name, version = folder.name.rsplit("-", 1)
    changed = {**manifest, "name": name, "version": version, "kind": kind}
    (folder / "manifest.json").write_text(json.dumps(changed), encoding="utf-8")
    return folder


@pytest.fixture
def folders(tiny: Artifact, tmp_path: Path) -> tuple[Path, Path]:
    """What is shipped, `bellwether-1.0` and a search encoder, and what was trained here, `desk-2.0`."""
    shipped, own = tmp_path / "models", tmp_path / "instance/models"
    copied(tiny, shipped / "bellwether-1.0")
    copied(tiny, shipped / "search-3.0", kind="encoder")
    copied(tiny, own / "desk-2.0")
    return shipped, own


def process(tmp_path: Path, folders: tuple[Path, Path]) -> Services:
    """One more process on the same database."""
    db = open_database(tmp_path / "desk.sqlite")
    policy = make_policy(artifact_folders=folders, engine_threads=1, deadline_ms=60_000)

    def live() -> str | None:
        row = deployments.current(db)
        return None if row is None else row.model

    return Services(db=db, engine=open_engine(folders=folders, live=live, threads=1), policy=policy)


def close(services: Services) -> None:
    """End the process."""
    assert isinstance(services.engine, OpeningEngine)
    services.engine.close()
    services.db.close()


@pytest.fixture
def desk(tmp_path: Path, folders: tuple[Path, Path]) -> Iterator[Services]:
    """A process with a real engine."""
    made = process(tmp_path, folders)
    yield made
    close(made)


def answers(services: Services) -> str:
    """The model that a text is read by."""
    return services.engine.classify([Request(text="my card was stolen")])[0].model


def told(services: Services) -> list[tuple[str, str, str, str]]:
    """The history of the models: verb, from, to, by whom."""
    return [
        (one.verb, one.before["model"], one.after["model"], one.actor_kind)
        for one in event_log.after(services.db, 0)
        if one.noun == "model"
    ]


def test_what_is_shipped_answers_until_something_is_promoted(desk: Services) -> None:
    # What was trained has the higher version; nobody has put it live.
    assert answers(desk) == "bellwether@1.0"
    assert deploy_model.live_name(desk) is None
    assert deploy_model.available(desk) == ("desk@2.0", "bellwether@1.0")


def test_a_promoted_model_answers_and_the_way_back_is_open(desk: Services) -> None:
    assert answers(desk) == "bellwether@1.0"
    admin = keep_accounts.first_admin(desk, name="Maren", email="maren@example.com", password="correct horse")
    viewer = find_viewer.viewer_for(desk, admin)
    assert deploy_model.promote(desk, "desk@2.0", viewer=viewer).model == "desk@2.0"
    assert answers(desk) == deploy_model.answering(desk) == "desk@2.0"
    assert deploy_model.card(desk).id == "desk@2.0"
    assert deploy_model.rollback(desk, viewer=viewer).model == "bellwether@1.0"
    assert answers(desk) == "bellwether@1.0"
    rows = [(row.model, row.slot, row.actor_id) for row in deployments.every(desk.db)]
    assert rows == [
        ("bellwether@1.0", "live", str(admin.id)),
        ("desk@2.0", "live", str(admin.id)),
        ("bellwether@1.0", "live", "system"),
    ]
    assert told(desk) == [
        ("deployed", "bellwether@1.0", "desk@2.0", "agent"),
        ("rolled_back", "desk@2.0", "bellwether@1.0", "agent"),
    ]


def test_the_name_of_the_folder_does_as_well(desk: Services) -> None:
    assert deploy_model.promote(desk, "desk-2.0", viewer=SYSTEM).model == "desk@2.0"
    assert deploy_model.live_name(desk) == "desk@2.0"
    assert not deploy_model.follow(desk)


def test_there_is_nothing_to_go_back_to_at_first(desk: Services) -> None:
    with pytest.raises(Conflict, match="nothing_to_roll_back"):
        deploy_model.rollback(desk, viewer=SYSTEM)
    deploy_model.promote(desk, "bellwether@1.0", viewer=SYSTEM)
    with pytest.raises(Conflict, match="nothing_to_roll_back"):
        deploy_model.rollback(desk, viewer=SYSTEM)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("desk@2.1", ArtifactMissing),
        ("", ArtifactMissing),
        ("../desk@2.0", ArtifactMissing),
        ("search@3.0", ArtifactMissing),
        ("broken@5.0", ArtifactDamaged),
        ("hollow@5.0", ArtifactDamaged),
        ("renamed@5.0", ArtifactDamaged),
    ],
)
def test_what_cannot_answer_is_refused_and_the_old_model_goes_on(
    desk: Services, tiny: Artifact, folders: tuple[Path, Path], name: str, expected: type[BellwetherError]
) -> None:
    own = folders[1]
    (copied(tiny, own / "broken-5.0") / "heads.safetensors").write_bytes(b"\0" * 100)
    (copied(tiny, own / "hollow-5.0") / "manifest.json").write_text("{", encoding="utf-8")
    copied(tiny, own / "same-5.0").rename(own / "renamed-5.0")
    assert answers(desk) == "bellwether@1.0"
    with pytest.raises(expected):
        deploy_model.promote(desk, name, viewer=SYSTEM)
    assert answers(desk) == "bellwether@1.0"
    assert deployments.every(desk.db) == ()
    assert told(desk) == []
    assert not deploy_model.follow(desk)


def test_other_processes_follow(desk: Services, tmp_path: Path, folders: tuple[Path, Path]) -> None:
    other = process(tmp_path, folders)
    assert answers(other) == "bellwether@1.0"
    assert not deploy_model.follow(other)
    deploy_model.promote(desk, "desk@2.0", viewer=SYSTEM)
    assert answers(other) == "bellwether@1.0"
    assert deploy_model.follow(other)
    assert answers(other) == "desk@2.0"
    assert not deploy_model.follow(other)
    close(other)


def test_a_process_that_starts_later_opens_what_is_live(
    desk: Services, tmp_path: Path, folders: tuple[Path, Path]
) -> None:
    deploy_model.promote(desk, "desk@2.0", viewer=SYSTEM)
    later = process(tmp_path, folders)
    assert deploy_model.answering(later) == "desk@2.0"
    assert answers(later) == "desk@2.0"
    close(later)


def test_a_follower_keeps_what_it_has_when_the_new_one_is_damaged(
    desk: Services, tmp_path: Path, folders: tuple[Path, Path]
) -> None:
    other = process(tmp_path, folders)
    assert answers(other) == "bellwether@1.0"
    deploy_model.promote(desk, "desk@2.0", viewer=SYSTEM)
    (folders[1] / "desk-2.0/labels.json").write_text("[]", encoding="utf-8")
    with pytest.raises(ArtifactDamaged):
        deploy_model.follow(other)
    assert answers(other) == "bellwether@1.0"
    close(other)


def test_a_new_artifact_is_there_to_be_chosen_and_nothing_more(
    desk: Services, tiny: Artifact, tmp_path: Path, folders: tuple[Path, Path]
) -> None:
    assert answers(desk) == "bellwether@1.0"
    copied(tiny, folders[1] / "desk-7.0")
    assert "desk@7.0" in deploy_model.available(desk)
    assert not deploy_model.follow(desk)
    restarted = process(tmp_path, folders)
    assert answers(restarted) == "bellwether@1.0"
    close(restarted)
