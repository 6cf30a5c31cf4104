"""The model page on a real, tiny artifact."""

from __future__ import annotations

from tests.app.web.pages.house import post
from tests.app.web.site import Site


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
