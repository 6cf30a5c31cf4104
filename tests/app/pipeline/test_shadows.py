"""A model in shadow: started, read on by the worker, compared, ended; two real tiny artifacts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.domain.people import SYSTEM
from app.domain.ticket import TicketDraft
from app.errors import ArtifactMissing, Conflict
from app.pipeline import models, shadows, tickets
from app.pipeline.services import Services
from app.store import events, predictions, queues
from app.store import tickets as rows
from models.artifact import Artifact
from tests.app.pipeline.test_models import close, copied, process
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
        queues.insert(tx, slug="shop", title="Shop", intent_task="commerce_intent")
    for text in TEXTS:
        tickets.receive(made, TicketDraft(subject="", body=text, channel="api"), viewer=SYSTEM)
    yield made
    close(made)


def test_a_shadow_reads_what_was_read_and_is_compared(desk: Services) -> None:
    assert shadows.read_on(desk) == 0
    assert shadows.start(desk, "other@2.0", viewer=SYSTEM).model == "other@2.0"
    assert shadows.agreement(desk) == ()
    assert shadows.read_on(desk) == len(TEXTS)
    assert shadows.read_on(desk) == 0
    found = {one.task: one for one in shadows.agreement(desk)}
    assert {one.n for one in found.values()} == {len(TEXTS)}
    for one in found.values():
        assert one.n_same + sum(pair.n for pair in one.differences) <= one.n
        assert all(pair.live != pair.shadow for pair in one.differences)
    assert sum(one.n_same for one in found.values()) < sum(one.n for one in found.values())


def test_the_agreement_counts_what_the_rows_say(desk: Services) -> None:
    shadows.start(desk, "other@2.0", viewer=SYSTEM)
    shadows.read_on(desk)
    found = predictions.of_messages(desk.db, range(1, len(TEXTS) + 1))
    said = {
        is_shadow: {(row.subject_id, row.prediction.task): row.prediction.label for row in found
                    if row.prediction.is_shadow == is_shadow}
        for is_shadow in (False, True)
    }  # fmt: skip
    assert said[True].keys() == said[False].keys()
    same = sum(said[False][at] == label for at, label in said[True].items())
    assert sum(one.n_same for one in shadows.agreement(desk)) == same
    assert {row.prediction.model for row in found if row.prediction.is_shadow} == {"other@2.0"}


def test_nothing_acts_on_a_shadow(desk: Services) -> None:
    before = [rows.read(desk.db, at + 1) for at in range(len(TEXTS))]
    shadows.start(desk, "other@2.0", viewer=SYSTEM)
    shadows.read_on(desk)
    assert [rows.read(desk.db, at + 1) for at in range(len(TEXTS))] == before
    assert models.answering(desk) == "bellwether@1.0"


def test_another_process_follows(desk: Services, tmp_path: Path, folders: tuple[Path, Path]) -> None:
    worker = process(tmp_path, folders)
    worker.engine.model()
    shadows.start(desk, "other@2.0", viewer=SYSTEM)
    assert shadows.read_on(worker) == len(TEXTS)
    shadows.stop(desk, viewer=SYSTEM)
    assert shadows.read_on(worker) == 0
    close(worker)
    verbs = [one.verb for one in events.after(desk.db, 0) if one.noun == "model"]
    assert verbs == ["shadowed", "unshadowed"]


def test_a_shadow_is_another_model_that_is_there(desk: Services) -> None:
    with pytest.raises(Conflict, match="shadow_is_live"):
        shadows.start(desk, "bellwether@1.0", viewer=SYSTEM)
    with pytest.raises(ArtifactMissing):
        shadows.start(desk, "other@9.9", viewer=SYSTEM)
    with pytest.raises(Conflict, match="no_shadow"):
        shadows.stop(desk, viewer=SYSTEM)
    assert shadows.name(desk) is None
