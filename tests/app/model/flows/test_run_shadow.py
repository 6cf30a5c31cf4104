"""A model in shadow: started, read on by the worker, compared, ended; two real tiny artifacts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.core.errors import ArtifactMissing, Conflict
from app.core.events import event_log
from app.core.permissions import SYSTEM
from app.core.services import Services
from app.desk.domain.ticket import TicketDraft
from app.desk.flows import file_ticket
from app.desk.store import tickets as rows
from app.model.flows import deploy_model, run_shadow
from app.model.store import predictions
from models.artifact import Artifact
from tests.app.model.flows.test_deploy_model import close, copied, process
from tests.tiny_artifact import TEXTS, tiny_artifact


@pytest.fixture
def folders(tiny: Artifact, tmp_path: Path) -> tuple[Path, Path]:
    """`bellwether-1.0`, and `other-2.0` of other weights."""
    copied(tiny, tmp_path / "models/bellwether-1.0")
    tiny_artifact(tmp_path / "own/other-2.0", seed=3, work=tmp_path / "encoder")
    return tmp_path / "models", tmp_path / "own"


@pytest.fixture
def desk(tmp_path: Path, folders: tuple[Path, Path]) -> Iterator[Services]:
    """A process with a queue and a ticket for each text."""
    made = process(tmp_path, folders)
    with made.db.transaction() as tx:
        tx.insert("queue", {"slug": "shop", "title": "Shop", "intent_task": "commerce_intent"})
    for text in TEXTS:
        file_ticket.receive(made, TicketDraft(subject="", body=text, channel="api"), viewer=SYSTEM)
    yield made
    close(made)


def test_a_shadow_reads_what_was_read_and_is_compared(desk: Services) -> None:
    assert run_shadow.read_on(desk) == 0
    assert run_shadow.start(desk, "other@2.0", viewer=SYSTEM).model == "other@2.0"
    assert run_shadow.agreement(desk) == ()
    assert run_shadow.read_on(desk) == len(TEXTS)
    assert run_shadow.read_on(desk) == 0
    found = {one.task: one for one in run_shadow.agreement(desk)}
    assert {one.n for one in found.values()} == {len(TEXTS)}
    for one in found.values():
        assert one.n_same + sum(pair.n for pair in one.differences) <= one.n
        assert all(pair.live != pair.shadow for pair in one.differences)
    assert sum(one.n_same for one in found.values()) < sum(one.n for one in found.values())


def test_the_agreement_counts_what_the_rows_say(desk: Services) -> None:
    run_shadow.start(desk, "other@2.0", viewer=SYSTEM)
    run_shadow.read_on(desk)
    found = predictions.of_messages(desk.db, range(1, len(TEXTS) + 1))
    said = {
        is_shadow: {(row.subject_id, row.prediction.task): row.prediction.label for row in found
                    if row.prediction.is_shadow == is_shadow}
        for is_shadow in (False, True)
    }  # fmt: skip
    assert said[True].keys() == said[False].keys()
    same = sum(said[False][at] == label for at, label in said[True].items())
    assert sum(one.n_same for one in run_shadow.agreement(desk)) == same
    assert {row.prediction.model for row in found if row.prediction.is_shadow} == {"other@2.0"}


def test_nothing_acts_on_a_shadow(desk: Services) -> None:
    before = [rows.read(desk.db, at + 1) for at in range(len(TEXTS))]
    run_shadow.start(desk, "other@2.0", viewer=SYSTEM)
    run_shadow.read_on(desk)
    assert [rows.read(desk.db, at + 1) for at in range(len(TEXTS))] == before
    assert deploy_model.answering(desk) == "bellwether@1.0"


def test_another_process_follows(desk: Services, tmp_path: Path, folders: tuple[Path, Path]) -> None:
    worker = process(tmp_path, folders)
    worker.engine.model()
    run_shadow.start(desk, "other@2.0", viewer=SYSTEM)
    assert run_shadow.read_on(worker) == len(TEXTS)
    run_shadow.stop(desk, viewer=SYSTEM)
    assert run_shadow.read_on(worker) == 0
    close(worker)
    verbs = [one.verb for one in event_log.after(desk.db, 0) if one.noun == "model"]
    assert verbs == ["shadowed", "unshadowed"]


def test_a_shadow_is_another_model_that_is_there(desk: Services) -> None:
    with pytest.raises(Conflict, match="shadow_is_live"):
        run_shadow.start(desk, "bellwether@1.0", viewer=SYSTEM)
    with pytest.raises(ArtifactMissing):
        run_shadow.start(desk, "other@9.9", viewer=SYSTEM)
    with pytest.raises(Conflict, match="no_shadow"):
        run_shadow.stop(desk, viewer=SYSTEM)
    assert run_shadow.name(desk) is None
