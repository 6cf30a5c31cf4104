"""The heat map, the wall and what can be taken along from a chart."""

from __future__ import annotations

import csv
import io
import struct
from xml.etree import ElementTree

import pytest

from app.market.pages import heat_map as heat
from tests.app import page_house as made
from tests.app.page_house import House


@pytest.mark.parametrize(
    ("net", "expected"),
    [(None, ""), (0.0, "heat-0"), (-0.09, "heat-0"), (0.1, "heat-p1"), (-0.3, "heat-n2"), (-1.0, "heat-n3")],
)
def test_a_mood_has_a_tone(net: float | None, expected: str) -> None:
    assert heat.tone(net) == expected


def test_the_market_shows_companies_over_time(house: House) -> None:
    page = house.reader("analyst").get("/market?days=7").get_data(as_text=True)
    assert 'class="heat-n' in page
    assert page.count("<td") > 28
    assert made.SCRIPT not in page


def test_the_wall_shows_what_fires_and_follows_it(house: House) -> None:
    client = house.reader("analyst")
    page = client.get("/wall").get_data(as_text=True)
    assert "Larkspur Home" in page
    assert "js/live.js" in page
    assert house.reader("agent").get("/wall").status_code == 403


def _size(picture: bytes) -> tuple[int, int]:
    """Width and height of a PNG."""
    assert picture.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", picture[16:24])
    return width, height


def test_a_chart_is_taken_along_as_csv_and_svg(house: House) -> None:
    client = house.reader("analyst")
    answer = client.get("/market/series.csv?kind=entity&id=1&days=28")
    rows = list(csv.DictReader(io.StringIO(answer.get_data(as_text=True).removeprefix("\ufeff"))))
    assert len(rows) == 28
    assert sum(int(row["n_stories"]) for row in rows) >= 20
    last = rows[-1]
    assert float(last["negative_share_low"]) <= float(last["negative_share"]) <= float(last["negative_share_high"])
    assert 0 <= float(last["usual_n_stories_low"]) <= float(last["usual_n_stories_high"]) < 10
    for chart in ("sentiment", "share", "volume"):
        drawn = client.get(f"/market/series.svg?kind=entity&id=1&chart={chart}")
        assert drawn.mimetype == "image/svg+xml"
        assert ElementTree.fromstring(drawn.get_data()).tag.endswith("svg")
        assert b"<polygon" in drawn.get_data()
        picture = client.get(f"/market/series.png?kind=entity&id=1&chart={chart}")
        assert picture.mimetype == "image/png"
        assert _size(picture.get_data()) == (2096, 768)
    heat_map = client.get("/market/heat.png").get_data()
    assert _size(heat_map)[0] == 2160
    assert ElementTree.fromstring(client.get("/market/heat.svg").get_data()).tag.endswith("svg")
    assert made.SCRIPT not in client.get("/market/heat.svg").get_data(as_text=True)
    evil = client.get("/market/series.svg?kind=entity&id=2").get_data(as_text=True)
    assert made.SCRIPT not in evil
    assert client.get("/market/heat.csv").get_data(as_text=True).startswith("\ufeffticker,name,")
    for path in ("series.csv?kind=planet&id=1", "series.svg?chart=pie", "series.csv?kind=entity&id=99"):
        assert client.get(f"/market/{path}").status_code == 404


def test_a_company_shows_its_topics_and_past(house: House) -> None:
    page = house.reader("analyst").get("/market/entities/LKSP").get_data(as_text=True)
    assert "Report it as missed" in page
    assert "No alert of this company yet." in page
