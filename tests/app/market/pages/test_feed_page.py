"""The page of feeds says in words why a feed cannot be fetched."""

from __future__ import annotations

from io import BytesIO

import pytest

from app.core import changes
from app.core.jobs import job_queue
from app.core.permissions import SYSTEM
from app.market.flows.keep_companies import ENTITY
from app.market.flows.keep_feeds import FEED
from app.market.store import companies
from app.market.store import feeds as rows
from tests.app.page_house import House, post

URL = "https://wire.example/feed.xml"


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ("timeout", f"{URL} did not answer as expected: it took too long."),
        ("http_503", f"{URL} did not answer as expected: it answered with an error (HTTP 503)."),
        ("unknown_host", f"{URL} did not answer as expected: it cannot be reached."),
        ("not_a_feed", "This is neither RSS nor Atom."),
        ("outgoing_refused", f"{URL} is not a public address and is not called."),
    ],
)
def test_the_fault_of_a_feed_is_told(house: House, fault: str, sentence: str) -> None:
    services = house.site.services
    feed = changes.add(
        services.db, FEED, {"slug": fault.replace("_", "-"), "name": "Wire", "kind": "rss", "url": URL}, viewer=SYSTEM
    ).row
    with services.db.transaction() as tx:
        rows.note(tx, feed.id, columns={"last_error": fault, "n_failures": 2})
    page = house.reader("analyst").get("/feeds").get_data(as_text=True)
    assert sentence in page
    assert "2 failures in a row" in page


def test_a_feed_is_changed_on_a_page_of_its_own(house: House) -> None:
    services, client = house.site.services, house.reader("analyst")
    feed = changes.add(
        services.db, FEED, {"slug": "quay", "name": "Quay", "kind": "rss", "url": URL, "language": "en"}, viewer=SYSTEM
    ).row
    path = f"/feeds/{feed.id}"
    assert f'href="{path}"' in client.get("/feeds").get_data(as_text=True)
    values = {"name": "Quay Ledger", "url": URL, "zone": "Europe/Dublin", "weight": "2.5"}
    page = post(client, path, **values, language="", licence_note="ask first", interval_minutes="60", silent_hours="48")
    assert "Saved." in page
    assert "ask first" in page
    found = rows.get(services.db, feed.id)
    assert (found.name, found.weight, found.zone, found.language) == ("Quay Ledger", 2.5, "Europe/Dublin", "")
    assert (found.interval_ms, found.silent_after_ms, found.kind) == (3_600_000, 48 * 3_600_000, "rss")
    assert 'value="60"' in client.get(path).get_data(as_text=True)
    assert "Number must be between" in post(client, path, **values, interval_minutes="1")
    assert "no such time zone" in post(client, path, **{**values, "zone": "Moon/Base"})
    assert "begins with http" in post(client, path, **{**values, "url": "quay"})
    assert "Not allowed" in post(house.reader("agent"), path, **values)


def test_a_feed_is_changed_over_the_api(house: House) -> None:
    services, api = house.site.services, house.site.caller("admin")
    feed = changes.add(services.db, FEED, {"slug": "pier", "name": "Pier", "kind": "push"}, viewer=SYSTEM).row
    answer = api("PATCH", f"/api/v1/feeds/fed_{feed.id}", json={"weight": 3, "language": "de", "silent_after_ms": None})
    assert answer.status_code == 200, answer.get_data(as_text=True)
    assert (answer.get_json()["weight"], answer.get_json()["language"]) == (3.0, "de")
    stale = api("PATCH", f"/api/v1/feeds/{feed.id}", json={"weight": 1}, headers={"If-Match": '"1"'})
    assert stale.status_code == 412
    assert api("PATCH", f"/api/v1/feeds/{feed.id}", json={"interval_ms": 1}).status_code == 422
    assert api("PATCH", f"/api/v1/feeds/{feed.id}", json={"zone": "Moon/Base"}).status_code == 422


def test_a_file_is_read_by_the_worker_and_its_faults_are_told(house: House) -> None:
    services, client = house.site.services, house.reader("analyst")
    lines = b'{"title": "Larkspur Home rises"}\nnot json\n'
    assert "read in the background" in post(client, f"/feeds/{house.feed}/upload", file=(BytesIO(lines), "june.jsonl"))
    page = client.get("/feeds").get_data(as_text=True)
    assert "june.jsonl" in page
    assert job_queue.run_due(services) == 1
    page = client.get("/feeds").get_data(as_text=True)
    assert "1 rows taken, 1 not" in page
    assert "Row 2" in page


def test_a_list_of_companies_is_imported(house: House) -> None:
    client = house.reader("analyst")
    lines = "Symbol;Company;Sector;Aliases;Ambiguous\n$abcd;Abacus Tools;Tools;Abacus Inc|Abacus AG;Abacus\n?;x;y;z;\n"
    page = post(client, "/market/entities/import", file=(BytesIO(lines.encode()), "list.csv"))
    assert "New: 1. Changed: 0. Known already: 0." in page
    assert "is no ticker" in page
    found = companies.find_by_ticker(house.site.services.db, "ABCD")
    assert found is not None
    assert (found.aliases, found.ambiguous) == (("Abacus Inc", "Abacus AG"), ("Abacus",))
    again = post(client, "/market/entities/import", file=(BytesIO(lines.encode()), "list.csv"))
    assert "New: 0. Changed: 0. Known already: 1." in again
    changes.remove(house.site.services.db, ENTITY, found.id, viewer=SYSTEM)


def test_a_silent_feed_is_shown(house: House) -> None:
    services = house.site.services
    feed = changes.add(
        services.db,
        FEED,
        {"slug": "quiet", "name": "Quiet", "kind": "push", "silent_after_ms": 3_600_000, "language": "zh"},
        viewer=SYSTEM,
    ).row
    with services.db.transaction() as tx:
        rows.note(tx, feed.id, columns={"last_received_at": 1})
    page = house.reader("analyst").get("/feeds").get_data(as_text=True)
    assert "silent after" in page
