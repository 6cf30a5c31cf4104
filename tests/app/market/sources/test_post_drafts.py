"""Posts from RSS, Atom, CSV, JSON lines and the API."""

import socket
import time
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.durations import DAY_MS
from app.core.errors import InputError
from app.market.domain.market import PostDraft
from app.market.sources.post_drafts import RowFault, from_csv, from_json, from_jsonl, from_rss

AT = 1_709_546_400_000  # 2024-03-04T10:00:00Z

RSS = """<?xml version="1.0"?><rss version="2.0"><channel><title>F</title>
<item><title>Acme &amp; Co fall</title><link>https://x.example/1</link><guid>g1</guid><author>Ann</author>
<pubDate>Mon, 04 Mar 2024 10:00:00 GMT</pubDate>
<description>&lt;p&gt;Shares &lt;b&gt;fell&lt;/b&gt; 3%.&lt;/p&gt;</description></item>
<item><title>No date</title><link>javascript:alert(1)</link></item>
<item><description>Only a description.</description><pubDate>2024-03-04</pubDate></item>
<item><title> </title></item></channel></rss>"""

ATOM = """<feed xmlns="http://www.w3.org/2005/Atom"><title>F</title><entry><id>urn:1</id>
<title type="html">A &lt;i&gt;title&lt;/i&gt;</title>
<updated>2024-03-04T10:00:00Z</updated><link href="https://x.example/2"/>
<content type="html">&lt;script&gt;x&lt;/script&gt;Body</content></entry></feed>"""


def drafts(found: object) -> list[PostDraft]:
    assert isinstance(found, list)
    assert all(isinstance(draft, PostDraft) for draft in found), found
    return found


def read(raw: bytes) -> list[PostDraft]:
    """The posts of a document of which every entry can be read."""
    found = from_rss(raw)
    drafts = [one for one in found if isinstance(one, PostDraft)]
    assert len(drafts) == len(found)
    return drafts


def test_reads_rss() -> None:
    first, second, third = read(RSS.encode())
    assert first == PostDraft(
        external_id="g1",
        title="Acme & Co fall",
        body="Shares fell 3%.",
        url="https://x.example/1",
        author="Ann",
        occurred_at=AT,
    )
    assert (second.title, second.url, second.occurred_at) == ("No date", None, None)
    assert (third.title, third.occurred_at, third.precision) == ("Only a description.", AT - 10 * 3_600_000, "day")
    assert third.external_id.startswith("sha256:")


def test_reads_atom() -> None:
    assert read(ATOM.encode()) == [
        PostDraft(external_id="urn:1", title="A title", body="Body", url="https://x.example/2", occurred_at=AT)
    ]


@pytest.mark.parametrize(
    "raw",
    [
        RSS.replace("&amp;", "&").encode(),
        RSS.split("</item>")[0].encode(),
        RSS.replace('<?xml version="1.0"?>', "\n\n").encode(),
        RSS.replace('"1.0"?>', '"1.0" encoding="utf-8"?>').replace("Ann", "J\u00f6rg").encode("cp1252"),
        RSS.encode("utf-16"),
        RSS.replace('"1.0"?>', '"1.0" encoding="utf-16"?>').encode("utf-16"),
        RSS.replace("<channel>", "<channel>\0\x08").encode(),
        RSS.replace("</item>", "", 1).encode(),
    ],
)
def test_malformed_feeds_are_read_as_well_as_they_can_be(raw: bytes) -> None:
    assert read(raw)[0].occurred_at == AT


@pytest.mark.parametrize("raw", [b"", b"\0\1\2", b"<html><body><p>Not found</p></body></html>", b"{}", b"plain text"])
def test_what_is_no_feed_is_refused(raw: bytes) -> None:
    with pytest.raises(InputError) as caught:
        read(raw)
    assert caught.value.code == "not_a_feed"


def test_an_empty_feed_is_a_feed() -> None:
    assert read(b'<rss version="2.0"><channel><title>F</title></channel></rss>') == []


@pytest.mark.parametrize("raw", [b"/etc/passwd", b"http://127.0.0.1:9/feed", b"file:///etc/passwd"])
def test_an_address_as_content_is_never_opened(raw: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    with pytest.raises(InputError):
        read(raw)


def test_entities_that_multiply_do_not() -> None:
    bomb = '<!DOCTYPE r [<!ENTITY a "aaaaaaaaaa">' + "".join(
        f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9)
    )
    begun = time.thread_time()
    item = "<item><title>&j;x</title></item>"
    raw = f'<?xml version="1.0"?>{bomb}]><rss version="2.0"><channel>{item}</channel></rss>'
    found = read(raw.encode())
    assert time.thread_time() - begun < 2
    assert all(len(draft.title) + len(draft.body) < 200_000 for draft in found)


def test_reads_both_replay_corpora() -> None:
    headlines = b'{"published_on": "2024-03-04", "title": "Acme falls", "source": "reuters"}\n'
    tweets = (
        b'{"published_at": "2024-03-04T10:00:00Z", "ticker": "AAPL", "text": "Up: $AAPL $GE"}\n'
        b'{"published_at": "2024-03-04T10:00:00Z", "ticker": "GE", "text": "Up: $AAPL $GE"}\n'
    )
    (headline,) = drafts(list(from_jsonl(headlines)))
    assert (headline.title, headline.precision, headline.occurred_at) == ("Acme falls", "day", AT - 10 * 3_600_000)
    assert headline.author == "reuters"
    first, second = drafts(list(from_jsonl(tweets)))
    assert first == second
    assert (first.title, first.body, first.occurred_at) == ("Up: $AAPL $GE", "", AT)


def test_the_same_words_on_another_day_are_another_post() -> None:
    row = '{"title": "Wall Street opens higher", "date": "%s"}\n'
    one, same, other = drafts(list(from_jsonl(row % "2024-03-04" + row % "2024-03-04" + row % "2025-03-04")))
    assert one.external_id == same.external_id != other.external_id


def test_reads_csv_with_other_names() -> None:
    raw = "\ufeffHeadline;Pub Date;Link;GUID;Summary\nAcme falls;2024-03-04 10:00;https://x.example/1;7;Why it fell\n"
    assert list(from_csv(raw.encode())) == [
        PostDraft(external_id="7", title="Acme falls", body="Why it fell", url="https://x.example/1", occurred_at=AT)
    ]


def test_bad_rows_are_told_and_good_ones_kept() -> None:
    raw = "title,published_at\nA good row,2024-03-04\nA bad time,soon\n,2024-03-04\nAnother good row,\n"
    good, bad, empty, other = from_csv(raw)
    assert isinstance(good, PostDraft)
    assert bad == RowFault(row=3, code="not_a_time", params={"value": "soon"})
    assert empty == RowFault(row=4, code="empty")
    assert isinstance(other, PostDraft)
    assert other.occurred_at is None


@pytest.mark.parametrize(
    "payload", [{"title": "T"}, [{"title": "T"}], {"items": [{"title": "T"}]}, {"posts": [{"title": "T"}]}]
)
def test_the_api_takes_one_or_many(payload: object) -> None:
    (draft,) = drafts(list(from_json(payload)))
    assert draft.title == "T"


def test_the_api_tells_bad_items_by_their_place() -> None:
    found = list(
        from_json([{"title": "T"}, 5, {"title": {"a": 1}}, {"text": " "}, {"title": "T", "published_at": [1]}])
    )
    assert found[1:] == [
        RowFault(row=2, code="not_an_object"),
        RowFault(row=3, code="not_text", params={"column": "title"}),
        RowFault(row=4, code="empty"),
        RowFault(row=5, code="not_a_time", params={"value": "[1]"}),
    ]
    with pytest.raises(InputError):
        from_json("text")


def test_a_time_in_the_future_is_not_believed() -> None:
    def occurred(written: str, *, now: int) -> int | None:
        (draft,) = drafts(list(from_json({"title": "T", "published_at": written}, now=now)))
        return draft.occurred_at

    assert occurred("2024-03-04T10:00:00Z", now=AT) == AT
    assert occurred("2024-03-04T10:00:01Z", now=AT) is None
    assert occurred("2024-03-05", now=AT) == AT + 14 * 3_600_000
    assert occurred("2024-03-06", now=AT) is None
    assert occurred("2034-03-06", now=AT + DAY_MS) is None


def test_zones_of_feeds() -> None:
    (draft,) = drafts(list(from_json({"title": "T", "date": "2024-03-04 05:00"}, zone="America/New_York")))
    assert draft.occurred_at == AT


def test_a_long_post_without_title_begins_with_its_first_sentence() -> None:
    text = "Acme said today that it fell. " + "More follows here. " * 60
    (draft,) = drafts(list(from_json({"text": text})))
    assert draft.title == "Acme said today that it fell."
    assert f"{draft.title} {draft.body}" == text.strip()


@pytest.mark.parametrize(
    "url",
    ["javascript:alert(1)", "data:text/html,x", "//x.example", "ftp://x.example", 'https://x.example/" onclick=', 5],
)
def test_only_web_addresses_become_links(url: object) -> None:
    (draft,) = drafts(list(from_json({"title": "T", "url": url})))
    assert draft.url is None


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [
                "<item>",
                "</item>",
                "<title>",
                "<rss>",
                "<channel>",
                "x",
                "&",
                "<![CDATA[",
                "]]>",
                "<pubDate>",
                "\0",
                "<a:b>",
                "<!--",
            ]
        ),
        max_size=14,
    )
)
def test_no_feed_breaks_it(pieces: list[str]) -> None:
    found: list[PostDraft] = []
    with suppress(InputError):
        found = read(("<rss version='2.0'>" + "".join(pieces)).encode())
    assert all(draft.title for draft in found)
