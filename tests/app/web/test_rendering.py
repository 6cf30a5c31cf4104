"""Every page renders for whom it is meant, in both languages, safely; everybody else is told so."""

from __future__ import annotations

import pytest
from bs4 import BeautifulSoup

from app.core.permissions import UserRole
from tests.app.page_house import SCRIPT, House, post
from tests.app.site import csrf

DESK = ("/tickets", "/tickets/new", "/tickets/{stolen}", "/tickets/tkt_{unsure}", "/tickets/{script}", "/teach")
MARKET = (
    "/market",
    "/market?feed=for_you&days=7",
    "/market/posts",
    "/market/posts?entity=1&sentiment=negative",
    "/market/posts/1",
    "/market/entities",
    "/market/entities/LKSP",
    "/market/entities/evil",
    "/market/topics/legal_regulation",
    "/feeds",
    "/alerts",
    "/alerts?state=resolved",
    "/alerts/alr_{alert}",
    "/rules",
    "/rules/new",
    "/rules/{rule}",
)
SHARED = ("/account", "/model")


def _paths(house: House, paths: tuple[str, ...]) -> list[str]:
    return [path.format(**vars(house)) for path in paths]


@pytest.mark.parametrize(
    ("role", "allowed", "refused"),
    [("admin", DESK + MARKET + SHARED, ()), ("agent", DESK + SHARED, MARKET), ("analyst", MARKET + SHARED, DESK)],
)
def test_each_role_sees_its_own_pages(
    house: House, role: UserRole, allowed: tuple[str, ...], refused: tuple[str, ...]
) -> None:
    client = house.reader(role)
    assert {path: client.get(path).status_code for path in _paths(house, allowed)} == dict.fromkeys(
        _paths(house, allowed), 200
    )
    for path in _paths(house, refused):
        answer = client.get(path)
        assert answer.status_code == 403, path
        assert "Not allowed" in answer.get_data(as_text=True)


def test_pages_hold_no_inline_script_and_no_inline_style(house: House) -> None:
    client = house.reader()
    for path in _paths(house, DESK + MARKET + SHARED):
        text = client.get(path).get_data(as_text=True)
        soup = BeautifulSoup(text, "html.parser")
        for tag in soup.find_all(True):
            names = set(tag.attrs)
            assert "style" not in names, (path, tag)
            assert not any(name.startswith("on") for name in names), (path, tag)
            assert tag.name != "script" or tag.get("src"), (path, tag)
            assert not str(tag.get("href", "")).startswith("javascript:"), (path, tag)


def test_what_people_wrote_is_shown_as_text(house: House) -> None:
    client = house.reader()
    for path in ("/tickets", f"/tickets/{house.script}", "/market", "/market/entities", "/market/entities/EVIL"):
        text = client.get(path).get_data(as_text=True)
        assert SCRIPT not in text, path
        assert "&lt;script&gt;alert(1)" in text, path


def test_every_form_that_changes_something_carries_its_token(house: House) -> None:
    client = house.reader()
    for path in _paths(house, DESK + MARKET + SHARED):
        soup = BeautifulSoup(client.get(path).get_data(as_text=True), "html.parser")
        for form in soup.find_all("form"):
            if str(form.get("method", "get")).lower() == "post":
                assert form.find("input", {"name": "csrf_token"}), (path, form.get("action"))


def test_a_form_without_its_token_is_refused(house: House) -> None:
    answer = house.reader().post(f"/tickets/{house.stolen}/status", data={"status": "solved"})
    assert answer.status_code == 400
    assert "The form has expired" in answer.get_data(as_text=True)


def test_a_reader_of_tickets_of_another_desk_does_not_find_them(house: House) -> None:
    assert house.reader("agent").get("/tickets/999").status_code == 404


def test_pages_are_chinese_for_who_reads_chinese(house: House) -> None:
    client = house.reader()
    post(client, "/language", locale="zh", next="/tickets")
    try:
        for path, word in (("/tickets", "工单"), ("/market", "净情感"), ("/model", "模型"), ("/alerts/1", "触发中")):
            text = client.get(path).get_data(as_text=True)
            assert '<html lang="zh"' in text
            assert word in text, path
        assert "遗失或被盗" in client.get(f"/tickets/{house.stolen}").get_data(as_text=True)
    finally:
        post(client, "/language", locale="en", next="/tickets")


def test_an_empty_house_says_what_will_appear(tmp_path_factory: pytest.TempPathFactory) -> None:
    from tests.app.site import make_site

    site = make_site(tmp_path_factory.mktemp("empty"))
    client = site.signed_in()
    told = {
        "/tickets": "New messages appear here as they arrive",
        "/market": "add a feed, upload a file",
        "/market/posts": "Posts appear here once a feed brings them",
        "/market/entities": "Posts are searched for the names",
        "/feeds": "Posts come from feeds",
        "/alerts": "An alert appears when",
        "/rules": "Without a rule nothing can raise an alert",
        "/model": "No model artifact was found",
    }
    for path, sentence in told.items():
        answer = client.get(path)
        assert answer.status_code == 200, path
        assert sentence in answer.get_data(as_text=True), path
    site.app.extensions["bellwether"].close()


def test_the_start_page_leads_each_role_to_its_desk(house: House) -> None:
    leads = {role: house.reader(role).get("/").headers["Location"] for role in ("admin", "agent", "analyst")}
    assert leads == {"admin": "/tickets", "agent": "/tickets", "analyst": "/market"}
    assert house.site.browser().get("/").headers["Location"] == "/sign-in"


def test_a_token_stands_in_every_page_for_scripts(house: House) -> None:
    assert csrf(house.reader(), "/tickets")
