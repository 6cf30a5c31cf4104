"""Posts, feeds, entities, series, alerts and recommendations through the API."""

from __future__ import annotations

import json
import resource
from collections import Counter
from typing import Any

import pytest

from app.alerts.domain.alert import Alert
from app.alerts.flows.keep_rules import RULE
from app.alerts.store import alerts
from app.core import changes
from app.core.permissions import SYSTEM
from tests.app.site import Caller, Site

LINES = {"Content-Type": "application/x-ndjson"}


@pytest.fixture(scope="module")
def api(model_site: Site) -> Caller:
    """An administrator's token on a site with a feed and a company."""
    caller = model_site.caller("admin")
    made = caller("POST", "/api/v1/feeds", json={"slug": "wire", "name": "Wire"})
    assert made.status_code == 201, made.get_data(as_text=True)
    company = {"ticker": "ACME", "name": "Acme Corporation", "aliases": ["Acme"]}
    assert caller("POST", "/api/v1/entities", json=company).status_code == 201
    return caller


def _post(number: int, **changed: Any) -> dict[str, Any]:
    return {
        "external_id": f"p{number}",
        "title": f"Acme profit falls for the {number}th quarter",
        "published_at": f"2026-03-{1 + number % 28:02d}T09:00:00Z",
        **changed,
    }


def _statuses(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return [row["status"] for row in answer.get_json()["data"]]


def test_one_post_or_many_each_answers_for_itself(api: Caller) -> None:
    assert _statuses(api("POST", "/api/v1/posts?feed=wire", json=_post(1))) == ["created"]
    sent = [_post(1), _post(2), _post(1, title="Acme profit rises after all"), {"text": ""}]
    found = api("POST", "/api/v1/posts?feed=wire", json=sent)
    assert _statuses(found) == ["unchanged", "created", "updated", "failed"]
    assert found.get_json()["data"][3]["error"]["detail"]
    assert found.get_json()["data"][0]["id"].startswith("pst_")


def test_lines_are_answered_line_by_line(api: Caller) -> None:
    body = "\n".join([json.dumps(_post(11)), "not json", json.dumps(_post(12))])
    answer = api("POST", "/api/v1/posts?feed=wire", data=body, headers=LINES)
    assert answer.content_type == "application/x-ndjson"
    rows = [json.loads(line) for line in answer.get_data(as_text=True).splitlines()]
    assert sorted(row["status"] for row in rows) == ["created", "created", "failed"]


def test_a_push_of_a_hundred_thousand_rows_is_answered_row_by_row(model_site: Site, api: Caller) -> None:
    assert api("POST", "/api/v1/feeds", json={"slug": "flood", "name": "Flood"}).status_code == 201
    lines = [json.dumps({"external_id": f"f{number}", "title": f"Mill {number} opens"}) for number in range(1500)]
    body = ("\n".join(lines) + "\n").encode() * 67
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    answer = api("POST", "/api/v1/posts?feed=flood", data=body, headers=LINES, buffered=False)
    states = Counter(json.loads(line)["status"] for line in answer.response)
    assert states == {"created": 1500, "unchanged": 66 * 1500}
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # KB
    db = model_site.services.db
    assert db.value("SELECT count(*) FROM post WHERE external_id LIKE 'f%' AND title LIKE 'Mill %'") == 1500


def test_lines_with_a_key_are_taken_once(api: Caller) -> None:
    headers = {**LINES, "Idempotency-Key": "lines-1"}
    body = json.dumps(_post(21)) + "\n"
    first = api("POST", "/api/v1/posts?feed=wire", data=body, headers=headers)
    again = api("POST", "/api/v1/posts?feed=wire", data=body, headers=headers)
    assert json.loads(first.get_data())["status"] == json.loads(again.get_data())["status"] == "created"
    assert again.headers["Idempotency-Replayed"] == "true"


@pytest.mark.parametrize(("query", "pointer"), [("", "/feed"), ("?feed=nowhere", "/feed")])
def test_posts_need_a_feed(api: Caller, query: str, pointer: str) -> None:
    answer = api("POST", f"/api/v1/posts{query}", json=_post(3))
    assert answer.status_code == 422
    assert answer.get_json(force=True)["errors"][0]["pointer"] == pointer


def test_a_post_is_shown_with_what_it_names(api: Caller) -> None:
    api("POST", "/api/v1/posts?feed=wire", json=_post(31))
    listed = api("GET", "/api/v1/posts?entity=acme&limit=200").get_json()["data"]
    post = next(post for post in listed if post["external_id"] == "p31")
    assert post["feed"] == "wire"
    assert post["published_at"] == "2026-03-04T09:00:00Z"
    mention = post["mentions"][0]
    assert (mention["ticker"], mention["surface"]) == ("ACME", "Acme")
    assert mention["sentiment"] in {"negative", "neutral", "positive", None}
    shown = api("GET", f"/api/v1/posts/{post['id']}")
    assert shown.get_json() == post
    assert shown.headers["ETag"]


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("entity=NOPE", "/entity"),
        ("feed=nowhere", "/feed"),
        ("since=yesterday", "/since"),
        ("sentiment=angry", "/sentiment"),
    ],
)
def test_bad_filters_name_the_parameter(api: Caller, query: str, pointer: str) -> None:
    answer = api("GET", f"/api/v1/posts?{query}")
    assert answer.status_code == 422
    assert answer.get_json(force=True)["errors"][0]["pointer"] == pointer


def test_posts_within_a_time(api: Caller) -> None:
    api("POST", "/api/v1/posts?feed=wire", json=[_post(5), _post(6)])
    query = "since=2026-03-06T00:00:00Z&until=2026-03-07T00:00:00%2B00:00&limit=200"
    found = api("GET", f"/api/v1/posts?{query}").get_json()["data"]
    assert {post["published_at"][:10] for post in found} == {"2026-03-06"}


def test_a_series_counts_what_was_said(api: Caller) -> None:
    api("POST", "/api/v1/posts?feed=wire", json=_post(8))
    query = "kind=entity&id=ACME&since=2026-03-01T00:00:00Z&until=2026-03-29T00:00:00Z"
    answer = api("GET", f"/api/v1/series?{query}")
    assert answer.status_code == 200, answer.get_data(as_text=True)
    points = answer.get_json()["data"]
    assert sum(point["n_posts"] for point in points) >= 1
    assert points[0]["at"] == "2026-03-01T00:00:00Z"
    said = next(point for point in points if point["negative_share"] is not None)
    sure = said["usual"]["share_seen"]
    assert sure["low"] <= said["negative_share"] <= sure["high"]
    assert said["usual"]["stories"] is None  # a single post is no history


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("kind=entity&id=NOPE", 422),
        ("kind=planet&id=1", 422),
        ("kind=market&since=2026-03-02T00:00:00Z&until=2026-03-01T00:00:00Z", 422),
        ("kind=market&step=hour&since=2000-01-01T00:00:00Z&until=2026-01-01T00:00:00Z", 413),
    ],
)
def test_series_that_cannot_be_drawn(api: Caller, query: str, status: int) -> None:
    assert api("GET", f"/api/v1/series?{query}").status_code == status


@pytest.mark.parametrize(
    ("sent", "pointer"),
    [
        ({"slug": "Bad Slug", "name": "x"}, "/slug"),
        ({"slug": "ok"}, "/name"),
        ({"slug": "ok", "name": "x", "kind": "rss"}, "/url"),
        ({"slug": "ok", "name": "x", "kind": "fax"}, "/kind"),
    ],
)
def test_feeds_that_cannot_be_added(api: Caller, sent: dict[str, Any], pointer: str) -> None:
    answer = api("POST", "/api/v1/feeds", json=sent)
    assert answer.status_code == 422
    assert answer.get_json(force=True)["errors"][0]["pointer"] == pointer


@pytest.mark.parametrize(
    ("path", "sent"),
    [
        ("/api/v1/feeds", {"slug": "twice", "name": "Twice"}),
        ("/api/v1/entities", {"ticker": "TWICE", "name": "Twice Limited"}),
    ],
)
def test_what_exists_is_not_added_again(api: Caller, path: str, sent: dict[str, Any]) -> None:
    assert api("POST", path, json=sent).status_code == 201
    answer = api("POST", path, json=sent)
    assert answer.status_code in (409, 422), answer.get_data(as_text=True)


def test_rules_silences_and_alerts(api: Caller, model_site: Site) -> None:
    changes.add(model_site.services.db, RULE, {"name": "Bad news", "min_stories": 1, "min_negative": 1}, viewer=SYSTEM)
    assert [rule["name"] for rule in api("GET", "/api/v1/rules").get_json()["data"]] == ["Bad news"]
    surge = api("POST", "/api/v1/rules", json={"name": "Surge", "kind": "surge", "budget": 0.5}).get_json()
    assert (surge["kind"], surge["budget"]) == ("surge", 0.5)
    tested = api("GET", f"/api/v1/rules/{surge['id']}/backtest?days=7").get_json()
    assert (tested["a_week"], tested["episodes"]) == (0.0, [])
    assert api("GET", f"/api/v1/rules/{surge['id']}/backtest?days=700").status_code == 422
    sent = {"subject_kind": "market", "subject_id": "all", "until": "2999-01-01T00:00:00Z", "comment": "weekend"}
    made = api("POST", "/api/v1/silences", json=sent).get_json()
    assert made["until"] == "2999-01-01T00:00:00Z"
    assert made["id"] in [one["id"] for one in api("GET", "/api/v1/silences").get_json()["data"]]
    ended = api("DELETE", f"/api/v1/silences/{made['id']}")
    assert (ended.status_code, ended.get_data()) == (204, b"")
    assert made["id"] not in [one["id"] for one in api("GET", "/api/v1/silences").get_json()["data"]]
    assert api("GET", "/api/v1/alerts?state=firing").status_code == 200
    assert api("POST", "/api/v1/alerts/alr_999/acknowledge").status_code == 404


def test_a_silence_of_the_past_is_refused(api: Caller) -> None:
    answer = api("POST", "/api/v1/silences", json={"until": "2001-01-01T00:00:00Z", "comment": "late"})
    assert answer.get_json(force=True)["errors"][0] | {"detail": ""} == {
        "pointer": "/until",
        "code": "in_the_past",
        "detail": "",
    }


def test_recommendations_follow_what_was_liked(api: Caller) -> None:
    post = api("GET", "/api/v1/posts?limit=1").get_json()["data"][0]
    assert api("POST", "/api/v1/feedback", json={"post": post["id"], "kind": "like"}).get_json() == {"accepted": 1}
    found = api("GET", "/api/v1/recommend?n=3")
    assert found.status_code == 200, found.get_data(as_text=True)
    for one in found.get_json()["data"]:
        assert one["title"]
        assert sum(reason["contribution"] for reason in one["reasons"]) == pytest.approx(one["score"], abs=1e-6)
    assert api("POST", "/api/v1/feedback", json=[{"post": post["id"], "kind": "ate"}]).status_code == 422


def test_one_s_own_posts_are_ranked(api: Caller) -> None:
    posts = [post["id"] for post in api("GET", "/api/v1/posts?limit=3").get_json()["data"]]
    answer = api("POST", "/api/v1/rank", json={"items": [{"id": post} for post in [*posts, "pst_99999"]]})
    assert answer.status_code == 200, answer.get_data(as_text=True)
    items = answer.get_json()["items"]
    assert sorted(item["item"] for item in items) == sorted([*posts, "pst_99999"])
    assert next(item for item in items if item["item"] == "pst_99999")["score"] is None
    scores = [item["score"] for item in items if item["score"] is not None]
    assert scores == sorted(scores, reverse=True)
    assert api("POST", "/api/v1/rank", json={"items": []}).status_code == 422


def test_knowledge_jobs_and_models(api: Caller) -> None:
    assert api("GET", "/api/v1/macros").get_json()["data"] == []
    assert api("GET", "/api/v1/articles").get_json()["data"] == []
    assert api("GET", "/api/v1/jobs").get_json()["meta"]["total"] == 0
    assert api("GET", "/api/v1/jobs/job_1").status_code == 404
    models = api("GET", "/api/v1/models").get_json()
    assert models["live"] == "tiny@1.0"
    assert {task["role"] for task in models["tasks"]} >= {"intent", "market_topic"}


def test_alerts_on_a_feed_are_for_who_sees_the_feed(site: Site) -> None:
    db = site.services.db
    admin = site.caller("alerts:write", "posts:read")
    with db.transaction() as tx:
        team_id = tx.insert("team", {"name": "Wire desk"})
        feed_id = tx.insert("feed", {"slug": "closed", "name": "Closed", "kind": "push", "team_id": team_id})
        rule = changes.add(tx, RULE, {"name": "Feed", "subject_kind": "feed"}, viewer=SYSTEM).row
        firing = Alert(
            id=0, rule_id=rule.id, subject_kind="feed", subject_id=str(feed_id), state="firing", severity="info",
            since_at=1, started_at=1,
        )  # fmt: skip
        alert_id = alerts.put(tx, firing, is_step=True).id
    analyst = site.caller("alerts:write", role="analyst")
    path = f"/api/v1/alerts/alr_{alert_id}"
    assert admin("GET", path).status_code == 200
    assert analyst("GET", path).status_code == 404
    assert analyst("POST", f"{path}/acknowledge", json={}).status_code == 404
    listed = analyst("GET", "/api/v1/alerts?kind=feed").get_json()["data"]
    assert alert_id not in [int(one["id"].removeprefix("alr_")) for one in listed]
    page = site.signed_in("analyst")
    assert page.get(f"/alerts/{alert_id}").status_code == 404
    assert f"/alerts/{alert_id}" not in page.get("/alerts").get_data(as_text=True)
