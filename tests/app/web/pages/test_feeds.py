"""The page of feeds says in words why a feed cannot be fetched."""

from __future__ import annotations

from io import BytesIO

import pytest

from app.domain.people import SYSTEM
from app.pipeline import feeds, jobs, market
from app.store import entities
from app.store import feeds as rows
from tests.app.web.pages.house import House, post

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
    feed = feeds.add_feed(services, viewer=SYSTEM, slug=fault.replace("_", "-"), name="Wire", kind="rss", url=URL)
    with services.db.transaction() as tx:
        rows.note(tx, feed.id, changes={"last_error": fault, "n_failures": 2})
    page = house.reader("analyst").get("/feeds").get_data(as_text=True)
    assert sentence in page
    assert "2 failures in a row" in page


def test_a_file_is_read_by_the_worker_and_its_faults_are_told(house: House) -> None:
    services, client = house.site.services, house.reader("analyst")
    lines = b'{"title": "Larkspur Home rises"}\nnot json\n'
    assert "read in the background" in post(client, f"/feeds/{house.feed}/upload", file=(BytesIO(lines), "june.jsonl"))
    page = client.get("/feeds").get_data(as_text=True)
    assert "june.jsonl" in page
    assert jobs.run_due(services) == 1
    page = client.get("/feeds").get_data(as_text=True)
    assert "1 rows taken, 1 not" in page
    assert "Row 2" in page


def test_a_list_of_companies_is_imported(house: House) -> None:
    client = house.reader("analyst")
    lines = "Symbol;Company;Sector;Aliases;Ambiguous\n$abcd;Abacus Tools;Tools;Abacus Inc|Abacus AG;Abacus\n?;x;y;z;\n"
    page = post(client, "/market/entities/import", file=(BytesIO(lines.encode()), "list.csv"))
    assert "New: 1. Changed: 0. Known already: 0." in page
    assert "is no ticker" in page
    found = entities.find_by_ticker(house.site.services.db, "ABCD")
    assert found is not None
    assert (found.aliases, found.ambiguous) == (("Abacus Inc", "Abacus AG"), ("Abacus",))
    again = post(client, "/market/entities/import", file=(BytesIO(lines.encode()), "list.csv"))
    assert "New: 0. Changed: 0. Known already: 1." in again
    market.remove_entity(house.site.services, found.id, viewer=SYSTEM)


def test_a_silent_feed_is_shown(house: House) -> None:
    services = house.site.services
    feed = feeds.add_feed(
        services, viewer=SYSTEM, slug="quiet", name="Quiet", kind="push", silent_after_ms=3_600_000, language="zh"
    )
    with services.db.transaction() as tx:
        rows.note(tx, feed.id, changes={"last_received_at": 1})
    page = house.reader("analyst").get("/feeds").get_data(as_text=True)
    assert "silent after" in page
