"""Own topics on their pages and over the API."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.core.jobs import job_queue
from app.core.permissions import SYSTEM
from app.market.domain.market import PostFilter
from app.market.store import posts
from tests.app.page_house import SCRIPT, House, make_house, post


@pytest.fixture
def own(tmp_path: Path) -> Iterator[House]:
    """A house of one's own."""
    made = make_house(tmp_path)
    yield made
    made.site.app.extensions["bellwether"].close()


def test_a_topic_is_defined_shown_changed_and_deleted(own: House) -> None:
    client = own.reader("analyst")
    assert "No topic of your own yet" in client.get("/market/topics").get_data(as_text=True)
    text = post(client, "/market/topics", title="Probes & raids", words="probe, raid", without="space probe")
    assert "counts from now on" in text
    assert "without space probe" in text
    assert job_queue.run_due(own.site.services, limit=5) == 1
    page = client.get("/market/topics/own-1").get_data(as_text=True)
    assert "Probes &amp; raids" in page
    assert "fraud probe of lamps" in page
    assert page.count('<svg class="plot"') == 3
    assert "Probes &amp; raids" in client.get("/market").get_data(as_text=True)
    assert "Probes &amp; raids" in client.get("/market/posts?topic=own-1").get_data(as_text=True)
    assert "counted anew" in post(client, "/market/own-topics/1", title="Raids", words="raid")
    job_queue.run_due(own.site.services, limit=5)
    assert "fraud probe of lamps" not in client.get("/market/topics/own-1").get_data(as_text=True)
    assert "The topic is deleted." in post(client, "/market/own-topics/1/delete")
    assert client.get("/market/own-topics/1").status_code == 404


def test_examples_are_tried_before_they_count(own: House) -> None:
    client = own.reader("analyst")
    examples = "a fraud probe at Northbank\na probe of a fraud\nthe fraud probe goes on"
    given = {"title": "Inquiries", "examples": examples, "unlike": "", "reach": "20"}
    tried = post(client, "/market/topics", **given, preview="1")
    assert "These examples find" in tried
    assert "Nothing counts yet." in tried
    assert "fraud probe of lamps" in tried
    assert "No topic of your own yet" in client.get("/market/topics").get_data(as_text=True)
    assert "like 3 examples" in post(client, "/market/topics", **given)
    job_queue.run_due(own.site.services, limit=5)
    assert "fraud probe of lamps" in client.get("/market/topics/own-1").get_data(as_text=True)
    form = client.get("/market/own-topics/1").get_data(as_text=True)
    assert "the fraud probe goes on" in form
    assert "Nothing counts yet." in post(client, "/market/own-topics/1", **given, preview="1")


def test_posts_carry_their_own_topics(own: House) -> None:
    client = own.reader("analyst")
    post(client, "/market/topics", title="Probes & raids", words="probe, raid")
    job_queue.run_due(own.site.services, limit=5)
    chip = 'href="/market/topics/own-1" title="Own topic"><span>Probes &amp; raids</span>'
    probe = posts.page(own.site.services.db, PostFilter(topic="own-1"), viewer=SYSTEM, limit=1).items[0]
    lists = ("/market", "/wall", "/market/posts?q=lamps", f"/market/posts/{probe.id}", "/market/topics/own-1")
    assert [path for path in lists if chip not in client.get(path).get_data(as_text=True)] == []
    assert chip not in client.get("/market/posts?q=rises").get_data(as_text=True)
    post(client, "/language", locale="zh", next="/market/posts")
    assert chip.replace("Own topic", "自定义主题") in client.get("/market/posts").get_data(as_text=True)
    post(client, "/market/own-topics/1/delete")
    assert "Probes &amp; raids" not in client.get("/market/posts").get_data(as_text=True)


def test_what_cannot_be_a_topic_gets_a_sentence(own: House) -> None:
    client = own.reader("analyst")
    assert "too short or too long" in post(client, "/market/topics", title="A", words="a")
    assert "Please fill this in." in post(client, "/market/topics", title="", words="lamps")
    assert "at least 3 different examples" in post(client, "/market/topics", title="A", examples="a fire\na fire\nb")
    assert "at least one word" in post(client, "/market/topics", title="A", words=", ,")
    post(client, "/market/topics", title=SCRIPT, words="lamps")
    assert SCRIPT not in client.get("/market/topics").get_data(as_text=True)
    assert "already" in post(client, "/market/topics", title=SCRIPT.upper(), words="lamps")
    assert client.get("/market/topics/own-99").status_code == 404
    assert "Not allowed" in post(own.reader("agent"), "/market/topics", title="A", words="lamps")


def test_the_api_does_the_same(own: House) -> None:
    api = own.site.caller("admin")
    made = api("POST", "/api/v1/topics", json={"title": "Probes", "words": ["probe"]})
    assert made.status_code == 201, made.get_data(as_text=True)
    topic = made.get_json()
    assert (topic["id"], topic["subject"], topic["without"]) == ("top_1", "own-1", [])
    job_queue.run_due(own.site.services, limit=5)
    series = api("GET", "/api/v1/series?kind=topic&id=own-1").get_json()["data"]
    assert sum(point["n_stories"] for point in series) == 10
    changed = api("PATCH", "/api/v1/topics/top_1", json={"title": "Raids"}, headers={"If-Match": '"1"'})
    assert (changed.get_json()["title"], changed.get_json()["version"]) == ("Raids", 2)
    assert api("PATCH", "/api/v1/topics/1", json={"title": "x"}, headers={"If-Match": '"1"'}).status_code == 412
    assert api("POST", "/api/v1/topics", json={"title": "Raids", "words": ["x1"]}).status_code == 409
    assert api("POST", "/api/v1/topics", json={"title": "Q", "words": []}).status_code == 422
    assert api("DELETE", "/api/v1/topics/1").status_code == 204
    assert api("GET", "/api/v1/topics").get_json()["data"] == []
    assert own.site.caller("posts:read")("POST", "/api/v1/topics", json={}).status_code == 403
