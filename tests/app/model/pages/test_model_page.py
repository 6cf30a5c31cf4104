"""The model page on a real, tiny artifact."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

from app.core.permissions import SYSTEM
from app.desk.domain.ticket import TicketDraft
from app.desk.flows import file_ticket
from app.model.flows import run_shadow
from tests.app.page_house import post
from tests.app.site import Site, make_site
from tests.tiny_artifact import TEXTS, tiny_artifact


def test_the_page_names_the_artifact_and_its_bands(model_site: Site) -> None:
    text = model_site.signed_in().get("/model").get_data(as_text=True)
    assert "tiny@1.0" in text
    assert "Intent (banking)" in text
    assert "band" in text


def test_an_admin_puts_an_artifact_live_and_the_history_says_who(model_site: Site) -> None:
    text = post(model_site.signed_in(), "/model/promote", name="tiny@1.0")
    assert "tiny@1.0 is live." in text
    assert "Admin" in text
    assert "No model was in force before" in post(model_site.signed_in(), "/model/rollback")


def test_others_see_the_page_but_may_not_change_the_model(model_site: Site) -> None:
    client = model_site.signed_in("agent")
    assert "Put live" not in client.get("/model").get_data(as_text=True)
    assert "Not allowed" in post(client, "/model/promote", name="tiny@1.0")


def test_a_shadow_is_started_compared_and_ended_on_the_page(tmp_path: Path, artifacts: Path) -> None:
    shutil.copytree(artifacts, tmp_path / "models")
    tiny_artifact(tmp_path / "models/other-0.5", seed=3, work=tmp_path / "encoder")
    site = make_site(tmp_path / "site", models=tmp_path / "models", intent_task="banking_intent")
    site.person("admin")
    site.services.policy = replace(site.services.policy, deadline_ms=60_000)
    client = site.signed_in()
    assert "Nothing acts on it" in client.get("/model").get_data(as_text=True)
    text = post(client, "/model/shadow", name="other@0.5")
    assert "other@0.5 reads along in shadow." in text
    assert "the comparison appears with the first texts" in text
    for body in TEXTS:
        file_ticket.receive(site.services, TicketDraft(subject="", body=body, channel="api"), viewer=SYSTEM)
    assert run_shadow.read_on(site.services) == len(TEXTS)
    text = client.get("/model").get_data(as_text=True)
    assert "Same label" in text
    assert f'<td class="n">{len(TEXTS)}</td>' in text
    assert "Not allowed" in post(site.signed_in("agent"), "/model/shadow", name="other@0.5")
    assert "Nothing acts on it" in post(client, "/model/shadow", name="")
    site.app.extensions["bellwether"].close()
