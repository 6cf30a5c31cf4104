"""What was typed is on the error page: escaped, without secrets, and to be sent again where that helps."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup
from flask.testing import FlaskClient

from app.core.db import open_database
from app.core.errors import NotReady
from tests.app.page_house import SCRIPT, House, make_house
from tests.app.site import PASSWORD, csrf

TEXT = f"\n  Dear Ana,\n{SCRIPT} </textarea> we blocked your card & sent a new one.\n"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A house whose database gives up soon when another program writes."""
    made = make_house(tmp_path)
    made.site.services.db = open_database(tmp_path / "instance" / "bellwether.sqlite", timeout_ms=100)
    yield made
    made.site.app.extensions["bellwether"].close()


@contextmanager
def _locked(house: House) -> Iterator[None]:
    path = house.site.services.db.path
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()


def _send(client: FlaskClient, path: str, **fields: Any) -> Any:
    return client.post(path, data={"csrf_token": csrf(client, "/account"), **fields}, headers={"Accept": "text/html"})


def _form(answer: Any) -> tuple[dict[str, str], str | None]:
    """The fields of the form on an error page, and where it goes."""
    page = BeautifulSoup(answer.get_data(as_text=True), "html.parser")
    main = page.find("main")
    assert main is not None
    form = main.find("form")
    assert form is not None
    # A parser keeps the line end after the tag, which a browser takes away.
    texts = {str(one["name"]): one.text.removeprefix("\n") for one in form.find_all("textarea")}
    hidden = {str(one["name"]): str(one["value"]) for one in form.find_all("input")}
    return texts | hidden, str(form["action"]) if form.has_attr("action") else None


def test_a_reply_that_meets_a_busy_database_is_given_back_and_can_be_sent_again(house: House) -> None:
    client, path = house.reader("agent"), f"/tickets/{house.stolen}/reply"
    with _locked(house):
        answer = _send(client, path, body=TEXT, action="reply", version="")
    assert answer.status_code == 503
    assert SCRIPT not in answer.get_data(as_text=True)
    fields, action = _form(answer)
    assert fields["body"] == TEXT
    assert action == path
    again = client.post(action, data=fields, follow_redirects=True)
    assert again.status_code == 200
    assert "we blocked your card" in again.get_data(as_text=True)


def test_a_note_a_macro_and_an_article_are_given_back_too(house: House) -> None:
    client = house.reader("admin")
    for path, fields in (
        (f"/tickets/{house.stolen}/reply", {"body": "Call her on Monday.", "action": "note"}),
        ("/macros", {"name": "Long ago", "body": "We are sorry for the wait."}),
        ("/tickets/new", {"body": "She wrote by post.", "queue": "shop", "customer_tier": "standard"}),
    ):
        with _locked(house):
            answer = _send(client, path, **fields)
        if answer.status_code == 503:
            assert fields["body"] in _form(answer)[0]["body"], path
        else:
            assert fields["body"] in answer.get_data(as_text=True), path


def test_passwords_and_tokens_are_not_given_back(house: House) -> None:
    client = house.reader("admin")
    secret = "a long secret sentence of mine"
    with _locked(house):
        answer = _send(client, "/account/password", current=PASSWORD, password=secret, again=secret)
    text = answer.get_data(as_text=True)
    assert answer.status_code == 503
    assert secret not in text
    assert PASSWORD not in text
    token = csrf(client, "/account")
    refused = client.post(
        f"/tickets/{house.stolen}/reply", data={"csrf_token": "wrong " + token, "body": "We blocked it."}
    )
    assert refused.status_code == 400
    fields, action = _form(refused)
    assert (fields, action) == ({"body": "We blocked it."}, None)


def test_a_session_that_ended_meanwhile_does_not_cost_the_text(house: House) -> None:
    answer = house.site.browser().post(
        f"/tickets/{house.stolen}/reply", data={"body": "We blocked it."}, headers={"Accept": "text/html"}
    )
    assert answer.status_code == 401
    assert _form(answer) == ({"body": "We blocked it."}, None)
    assert 'href="/sign-in"' in answer.get_data(as_text=True)
    assert house.site.browser().post("/tickets/1/take", headers={"Accept": "text/html"}).status_code == 302


def test_the_bare_page_gives_it_back(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    client = house.reader("agent")

    def fail(*_: object, **__: object) -> None:
        raise NotReady

    monkeypatch.setattr("app.desk.pages.ticket_actions.act_on_ticket.reply", fail)
    token = csrf(client, "/account")
    house.site.app.jinja_env.globals.pop("page_locale")
    answer = client.post(f"/tickets/{house.stolen}/reply", data={"csrf_token": token, "body": TEXT, "action": "reply"})
    page = BeautifulSoup(answer.get_data(as_text=True), "html.parser")
    box = page.find("textarea")
    assert box is not None
    assert box.text.removeprefix("\n") == TEXT
