"""A process that only serves pages follows the model that another one puts live."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from app.core import clock
from app.core.permissions import SYSTEM
from app.model.flows import deploy_model
from models.artifact import Artifact
from tests.app.model.flows.test_deploy_model import copied
from tests.app.site import make_site


def test_a_web_process_follows(tiny: Artifact, tmp_path: Path) -> None:
    copied(tiny, tmp_path / "models/bellwether-1.0")
    copied(tiny, tmp_path / "instance/models/desk-2.0")
    web, other = make_site(tmp_path), make_site(tmp_path)
    web.services.engine.model()
    deploy_model.promote(other.services, "desk@2.0", viewer=SYSTEM)
    client = web.app.test_client()
    client.get("/health/live")
    assert deploy_model.answering(web.services) == "bellwether@1.0"
    with clock.frozen(clock.now_ms() + 31_000):
        client.get("/health/live")
        deadline = time.monotonic() + 30
        while deploy_model.answering(web.services) != "desk@2.0":
            assert time.monotonic() < deadline
            time.sleep(0.02)
    for site in (web, other):
        site.app.extensions["bellwether"].close()


def test_a_damaged_newcomer_is_told_in_the_log(
    tiny: Artifact, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    copied(tiny, tmp_path / "models/bellwether-1.0")
    own = copied(tiny, tmp_path / "instance/models/desk-2.0")
    web, other = make_site(tmp_path), make_site(tmp_path)
    web.services.engine.model()
    deploy_model.promote(other.services, "desk@2.0", viewer=SYSTEM)
    (own / "decision.json").write_text("{}", encoding="utf-8")
    with clock.frozen(clock.now_ms() + 31_000):
        web.app.test_client().get("/health/live")
        deadline = time.monotonic() + 30
        while "artifact_damaged" not in caplog.text:
            assert time.monotonic() < deadline
            time.sleep(0.02)
    assert deploy_model.answering(web.services) == "bellwether@1.0"
    for site in (web, other):
        site.app.extensions["bellwether"].close()
