"""The administrator's quarantine page: what waits is listed and shown as text, filed after all, or discarded."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest

from app.core.errors import BellwetherError, InputError, TooLarge
from app.core.events import event_log
from app.core.permissions import UserRole
from app.core.quarantine import keep_in_quarantine
from app.core.quarantine import quarantine_rows as items
from app.core.quarantine.arrival import Arrival
from app.desk.store import tickets as ticket_rows
from tests.app.page_house import SCRIPT, House, make_house, post
from tests.app.site import csrf

PAGE = "/admin/quarantine"
MAIL = f"From: Ann <ann@example.org>\r\nSubject: {SCRIPT}\r\n\r\nWhere is it? \u202egnp.exe {SCRIPT}".encode()


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A house of its own: what is filed after all would be counted by the tests of others."""
    made = make_house(tmp_path_factory.mktemp("quarantine"))
    yield made
    made.site.app.extensions["bellwether"].close()


def held(
    house: House, *, raw: bytes | None = MAIL, error: BellwetherError | None = None, uid: int | None = None
) -> int:
    """Put a mail into quarantine; its id."""
    arrival = Arrival(kind="mail", form="eml", source=f"a {SCRIPT}.eml", place="mail", raw=raw, uid=uid)
    fault = error or InputError("unreadable", error=f"ValueError({SCRIPT})")
    keep_in_quarantine.put(house.site.services, [(arrival, fault)])
    return items.page(house.site.services.db, limit=1).items[0].id


def emptied(house: House) -> None:
    """Discard what other tests left."""
    for item in items.page(house.site.services.db, limit=200).items:
        keep_in_quarantine.discard(house.site.services, item.id, viewer=house.viewer("admin"))


def test_an_empty_quarantine_says_what_will_appear(house: House) -> None:
    emptied(house)
    page = house.reader("admin").get(PAGE).get_data(as_text=True)
    assert "Nothing is in quarantine" in page
    assert "appear here, with the reason" in page


def test_what_waits_is_listed_and_shown_as_text(house: House) -> None:
    number = held(house)
    admin = house.reader("admin")
    listed = admin.get(PAGE).get_data(as_text=True)
    assert "has a form that was not foreseen" in listed
    shown = admin.get(f"{PAGE}/{number}").get_data(as_text=True)
    for page in (listed, shown):
        assert SCRIPT not in page
    assert "&lt;script&gt;" in shown
    assert "\u202e" not in shown, "nothing changes the direction of the page"
    assert "Try again" in shown
    chinese = admin.get(f"{PAGE}/{number}", headers={"Accept-Language": "zh"})
    assert chinese.status_code == 200


def test_the_raw_form_is_a_download_and_never_a_page(house: House) -> None:
    number = held(house, raw=MAIL + b"<html>")
    answer = house.reader("admin").get(f"{PAGE}/{number}/raw")
    assert answer.data == MAIL + b"<html>"
    assert answer.content_type == "application/octet-stream"
    assert answer.headers["Content-Disposition"] == f"attachment; filename=quarantine-{number}.eml"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_it_is_filed_after_all_and_leads_to_its_ticket(house: House) -> None:
    number = held(house, raw=MAIL.replace(b"Subject: ", b"Subject: Filed after all "))
    page = post(house.reader("admin"), f"{PAGE}/{number}/retry", page=PAGE)
    assert "is in quarantine no longer" in page
    assert "Filed after all" in page
    (event,) = (one for one in event_log.of(house.site.services.db, "quarantine", number) if one.verb == "released")
    assert ticket_rows.read(house.site.services.db, event.after["ticket_id"]).subject.startswith("Filed after all")
    assert event.actor_id == str(house.site.person("admin").id)
    assert house.reader("admin").get(f"{PAGE}/{number}").status_code == 404


def test_what_fails_again_tells_why_and_stays(house: House) -> None:
    number = held(house, raw=b"no mail at all")
    page = post(house.reader("admin"), f"{PAGE}/{number}/retry", page=PAGE)
    assert "This is not a mail" in page
    assert "1 time" in page
    gone = held(house, raw=None, error=TooLarge(size=9, limit=3), uid=7)
    page = post(house.reader("admin"), f"{PAGE}/{gone}/retry", page=PAGE)
    assert "no longer in its mailbox" in page
    assert "stays in the mailbox" in page


def test_it_is_discarded_with_a_trace(house: House) -> None:
    number = held(house, raw=MAIL + b"discard me")
    page = post(house.reader("admin"), f"{PAGE}/{number}/discard", page=PAGE)
    assert "It was discarded." in page
    audit = house.reader("admin").get("/admin/audit?noun=quarantine").get_data(as_text=True)
    assert "discarded" in audit
    assert post(house.reader("admin"), f"{PAGE}/{number}/discard", page=PAGE).count("There is no quarantine") == 1


@pytest.mark.parametrize("role", ["agent", "analyst"])
def test_only_administrators_see_and_decide(house: House, role: UserRole) -> None:
    number = held(house, raw=MAIL + role.encode())
    reader = house.reader(role)
    for path in (PAGE, f"{PAGE}/{number}", f"{PAGE}/{number}/raw"):
        assert reader.get(path).status_code == 403
    token = csrf(reader, "/account")
    for act in ("retry", "discard"):
        assert reader.post(f"{PAGE}/{number}/{act}", data={"csrf_token": token}).status_code == 403
    assert items.get(house.site.services.db, number).state == "waiting"


def test_a_saved_mail_that_cannot_be_filed_is_kept(house: House) -> None:
    file = (io.BytesIO(b"\x00\x01 this is no mail"), "../odd name.eml")
    page = post(house.reader("agent"), "/tickets/mail", page="/tickets/new", file=file)
    assert "This is not a mail" in page
    item = items.page(house.site.services.db, limit=1).items[0]
    assert (item.code, item.source, item.user_id) == ("not_a_mail", "../odd name.eml", house.site.person("agent").id)


def test_a_feed_names_the_limit_that_was_passed(house: House) -> None:
    with house.site.services.db.transaction() as tx:
        tx.execute("UPDATE feed SET last_error = 'feed_too_slow' WHERE id = ?", (house.feed,))
    page = house.reader("admin").get("/feeds").get_data(as_text=True)
    with house.site.services.db.transaction() as tx:
        tx.execute("UPDATE feed SET last_error = NULL WHERE id = ?", (house.feed,))
    assert "The document took longer than 10 s to read." in page
