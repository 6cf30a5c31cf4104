"""The reports page, its tables and its CSV files, and who sees which."""

from __future__ import annotations

import csv
from io import StringIO

import pytest

from tests.app.page_house import House


def test_every_chart_has_its_table(house: House) -> None:
    page = house.reader("admin").get("/reports").get_data(as_text=True)
    for heading in ("Arrivals and resolutions", "Backlog", "First response", "Resolution", "SLA", "Automation"):
        assert heading in page
    assert page.count('class="plot"') == 7
    assert "Corrections per intent" in page
    assert "Workload" in page


@pytest.mark.parametrize(
    "query", ["since=yesterday", "since=2026-05-01&until=2026-04-01", "since=1066-10-14", "queue=x"]
)
def test_a_period_that_cannot_be_is_told(house: House, query: str) -> None:
    answer = house.reader("admin").get(f"/reports?{query}")
    assert answer.status_code in (200, 422)
    if answer.status_code == 422:
        assert 'role="alert"' in answer.get_data(as_text=True)


@pytest.mark.parametrize(
    ("name", "column"), [("days", "arrived"), ("intents", "correction_rate"), ("agents", "replies")]
)
def test_csv(house: House, name: str, column: str) -> None:
    answer = house.reader("admin").get(f"/reports/{name}.csv")
    assert answer.content_type == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(StringIO(answer.get_data(as_text=True))))
    assert name == "agents" or column in rows[0]
    if name == "days":
        n_tickets = house.site.services.db.value("SELECT count(*) FROM ticket")
        assert sum(int(row["arrived"]) for row in rows) == n_tickets >= 3


def test_no_such_table(house: House) -> None:
    assert house.reader("admin").get("/reports/secrets.csv").status_code == 404


def test_who_may_read_reports(house: House) -> None:
    assert house.reader("agent").get("/reports").status_code == 200
    assert house.reader("analyst").get("/reports").status_code == 403
