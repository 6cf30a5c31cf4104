"""Feeds from outside: read in a process with limits, entry by entry where the whole fails."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest

from app.core.errors import InputError, NotReady, TooLarge
from app.core.text.file_rows import RowFault
from app.market.domain.market import PostDraft
from app.market.sources import feed_process
from app.market.sources.post_drafts import from_rss

HEAD = (
    b"<rss version='2.0' xmlns:georss='http://www.georss.org/georss' xmlns:gml='http://www.opengis.net/gml'><channel>"
)
GOOD = b"<item><guid>%d</guid><title>Northwharf falls %d</title></item>"
BAD = b"<item><title>Larkspur rises</title><gml:Point srsName='EPSG:q'><gml:pos>1 2</gml:pos></gml:Point></item>"
END = b"</channel></rss>"
NOW = 1_780_000_000_000


def refused(raw: bytes, **options: Any) -> tuple[str, dict[str, object]]:
    """The code and the parameters of the error that reading a document raises."""
    with pytest.raises(InputError) as caught:
        feed_process.drafts_of(raw, **options)
    return caught.value.code, dict(caught.value.params)


def test_the_process_reads_what_the_reader_reads() -> None:
    item = b"<item><title>B\xc3\xa4r</title><link>https://x.example/1</link><pubDate>2 Mar 2026 09:00</pubDate></item>"
    raw = HEAD + GOOD % (1, 1) + item + END
    found = feed_process.drafts_of(raw, zone="Europe/Berlin", now=NOW)
    assert found == from_rss(raw, zone="Europe/Berlin", now=NOW)
    assert isinstance(found[1], PostDraft)
    assert (found[1].title, found[1].occurred_at) == ("Bär", 1_772_438_400_000)


def test_a_document_that_takes_too_long_is_ended() -> None:
    attributes = b" ".join(b'a%d="1"' % number for number in range(200_000))
    raw = HEAD + b"<item " + attributes + b"><title>x</title></item>" + END
    assert refused(raw, most_cpu_s=1) == ("feed_too_slow", {"limit": 1})
    assert refused(b"<" * 9_000_000, most_cpu_s=1) == ("feed_too_slow", {"limit": 1})


def test_a_process_that_does_not_end_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed_process, "MOST_WALL_S", 0.01)
    assert refused(HEAD + END) == ("feed_too_slow", {"limit": 0.01})


def test_a_document_that_takes_too_much_memory_is_ended() -> None:
    hungry = (
        "import sys; from app.market.sources import feed_process, post_drafts;"
        "post_drafts.from_rss = lambda raw, **_: [bytearray(100_000_000) for _ in range(20)];"
        "feed_process.main()"
    )
    asked = b'{"zone": "UTC", "now": null, "most_cpu_s": 5}\n'
    done = subprocess.run([sys.executable, "-c", hungry], input=asked, capture_output=True, check=True)
    assert done.stdout == b'{"code": "feed_too_costly", "params": {"megabytes": 1000}}'


def test_a_reader_that_dies_is_a_fault_of_the_document(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    assert refused(HEAD + END)[0] == "unreadable"
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(NotReady):
        feed_process.drafts_of(HEAD + END)


def test_what_is_too_large_starts_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(TooLarge):
        feed_process.drafts_of(b"x" * 10_000_001)


def test_what_is_no_feed_is_told_by_the_process() -> None:
    assert refused(b"<html><body>Sign in</body></html>") == ("not_a_feed", {})


@pytest.mark.parametrize("number", ["99999999999", "x110000", "0", "55296", "xDFFF", "9" * 6000, "0" * 6000 + "65"])
def test_characters_that_cannot_exist_are_replaced(number: str) -> None:
    raw = HEAD + f"<item><title>Northwharf &#{number}; falls</title></item>".encode() + END
    (draft,) = from_rss(raw)
    expected = "Northwharf A falls" if number.endswith("65") else "Northwharf \ufffd falls"
    assert isinstance(draft, PostDraft)
    assert draft.title == expected


def test_an_odd_entry_costs_no_other() -> None:
    found = from_rss(HEAD + GOOD % (1, 1) + BAD + GOOD % (2, 2) + END)
    drafts = [one.external_id for one in found if isinstance(one, PostDraft)]
    (fault,) = (one for one in found if isinstance(one, RowFault))
    assert (drafts, fault.row, fault.code, fault.form) == (["1", "2"], 2, "unreadable", "rss")
    assert "EPSG" in str(fault.params["error"]) or "invalid literal" in str(fault.params["error"])
    again = from_rss(fault.raw.encode("latin-1"))
    assert again == [replace(fault, row=1)], "the raw form is a document of that entry alone"


def test_an_odd_head_costs_no_entry() -> None:
    head = HEAD + b"<gml:Point srsName='EPSG:q'><gml:pos>1 2</gml:pos></gml:Point>"
    assert [type(one) for one in from_rss(head + GOOD % (1, 1) + GOOD % (2, 2) + END)] == [PostDraft, PostDraft]


@pytest.mark.parametrize(
    "declaration",
    [
        b"<?xml version='1.0' encoding='utf-7'?>",
        b"<?xml version='1.0' encoding='\xff\xfe'?>",
        b"<?xml version='1.0' encoding='punycode'?>",
        b"<?xml version='1.0' " + b"encoding='x' " * 2000 + b"?>",
        b"<?xml " + b"encoding='" * 3000,
    ],
)
def test_odd_declarations_are_passed_over(declaration: bytes) -> None:
    raw = declaration + HEAD + b"<item><title>Northwharf f\xc3\xa4llt</title></item>" + END
    (draft,) = from_rss(raw)
    assert isinstance(draft, PostDraft)
    assert draft.title == "Northwharf fällt"


def test_a_declared_charset_is_believed() -> None:
    raw = "<?xml version='1.0' encoding='windows-1251'?><rss version='2.0'><item><title>Новости</title></item></rss>"
    (draft,) = from_rss(raw.encode("windows-1251"))
    assert isinstance(draft, PostDraft)
    assert draft.title == "Новости"
