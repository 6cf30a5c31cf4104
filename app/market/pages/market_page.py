"""The market at a glance: firing alerts, companies and topics, the newest posts and those chosen for the reader."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, render_template, request

from app.core.permissions import Viewer
from app.market.domain.market import Post, PostFilter, SubjectKind
from app.market.domain.topic import own_id
from app.market.flows import find_posts, keep_companies, keep_topics, recommend_posts, show_market
from app.market.flows.show_market import SubjectSummary
from app.market.pages import alert_parts, heat_map, post_lists, subject_trend
from app.market.pages.heat_map import SubjectRow
from app.market.pages.subject_trend import Stretch
from app.recommend.domain import Recommendation
from app.web.access import requires, services, viewer
from app.web.display import charts
from app.web.display.enum_words import word
from app.web.display.label_titles import TOPICS, label_title

blueprint = Blueprint("pages_market", __name__)

MARKET = "all"
MOST_ROWS = 40
SHOWN_POSTS = 14
SHOWN_REASONS = 3


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A post in the feed, with the reasons when it was chosen for the reader."""

    post: Post
    reasons: tuple[str, ...] = ()


def _rows(*, stretch: Stretch, me: Viewer) -> dict[SubjectKind, list[SubjectRow]]:
    """Companies and topics, those with most stories first."""
    found = services()
    now = show_market.overview(found, since=stretch.since, until=stretch.until, viewer=me)
    earlier = show_market.overview(found, since=stretch.before, until=stretch.since, viewer=me)
    before = {(entry.subject_kind, entry.subject_id): entry.net_sentiment for entry in earlier}
    tickers = {str(entity.id): entity.ticker for entity in keep_companies.every(found)}
    rows: dict[SubjectKind, list[SubjectRow]] = {"entity": [], "topic": []}
    for entry in sorted(now, key=lambda entry: -entry.window.n_stories):
        shown = rows.get(entry.subject_kind)
        is_entity = entry.subject_kind == "entity"
        if shown is not None and (is_entity or entry.window.n_stories) and len(shown) < MOST_ROWS:
            key = tickers.get(entry.subject_id, entry.subject_id) if is_entity else entry.subject_id
            shown.append(_row(entry, key=key, before=before, stretch=stretch))
    return rows


def _row(
    entry: SubjectSummary, *, key: str, before: dict[tuple[SubjectKind, str], float | None], stretch: Stretch
) -> SubjectRow:
    earlier = before.get((entry.subject_kind, entry.subject_id))
    points = subject_trend.points_of(entry.subject_kind, entry.subject_id, stretch=stretch)
    is_known = entry.net_sentiment is not None and earlier is not None
    return SubjectRow(
        key=key,
        title=_topic_title(entry) if entry.subject_kind == "topic" else entry.title,
        net=entry.net_sentiment,
        delta=(entry.net_sentiment or 0.0) - (earlier or 0.0) if is_known else None,
        share=entry.window.negative_share,
        n_stories=entry.window.n_stories,
        n_firing=entry.n_firing,
        spark=charts.sparkline([point.net_sentiment for point in points]),
        points=points,
    )


def _topic_title(entry: SubjectSummary) -> str:
    return label_title(entry.subject_id) if own_id(entry.subject_id) is None else entry.title


def company_rows(*, stretch: Stretch) -> list[SubjectRow]:
    """Return companies, those with most stories first."""
    return _rows(stretch=stretch, me=viewer())["entity"]


def topic_titles() -> list[tuple[str, str]]:
    """Return subject id and title of the topics of the model and of the analysts, by title."""
    own = [(topic.subject_id, topic.title) for topic in keep_topics.every(services())]
    return sorted([*((topic, label_title(topic)) for topic in TOPICS), *own], key=lambda entry: entry[1])


def title_of(kind: SubjectKind, subject_id: str) -> str:
    """Return the title of a subject in the reader's language; raises NotFound when it is gone."""
    if kind == "topic" and own_id(subject_id) is None:
        return label_title(subject_id)
    if kind == "market":
        return word("subject", "market")
    return show_market.subject_title(services(), kind, subject_id, viewer=viewer())


def _reason(feature: str, *, names: dict[str, str]) -> str:
    kind, _sep, value = feature.partition(":")
    if kind == "entity":
        return names.get(value, value)
    return label_title(value) if value else word("reason", kind)


def _chosen(me: Viewer, *, names: dict[str, str]) -> list[Entry]:
    if me.user_id is None:
        return []
    ranked: tuple[Recommendation, ...] = recommend_posts.recommend(
        services(), me.user_id, viewer=me, limit=SHOWN_POSTS, exclude_seen=True
    )
    found = find_posts.by_ids(services(), [entry.post_id for entry in ranked], viewer=me)
    return [
        Entry(
            post=found[entry.post_id],
            reasons=tuple(
                _reason(reason.feature, names=names)
                for reason in entry.reasons[:SHOWN_REASONS]
                if reason.contribution > 0
            ),
        )
        for entry in ranked
        if entry.post_id in found
    ]


@blueprint.get("/market")
@requires("market:read")
def index() -> str:
    """Show firing alerts on top, then the figures, then the newest posts."""
    me, found, stretch = viewer(), services(), subject_trend.chosen_stretch()
    names = {str(entity.id): entity.name for entity in keep_companies.every(found)}
    is_for_you = request.args.get("feed") == "for_you" and me.may("recommendations:read")
    latest = find_posts.page(found, PostFilter(), viewer=me, limit=SHOWN_POSTS)
    feed = _chosen(me, names=names) if is_for_you else [Entry(post=post) for post in latest.items]
    rows = _rows(stretch=stretch, me=me)
    down, up = heat_map.movers(rows["entity"])
    return render_template(
        "market/index.html",
        firing=alert_parts.parts().firing(),
        rows=rows["entity"],
        heat=heat_map.heat_map(rows["entity"], step_ms=stretch.step_ms),
        down=down,
        up=up,
        topics=rows["topic"],
        whole=subject_trend.figures("market", MARKET, stretch=stretch),
        volume=subject_trend.course("market", MARKET, stretch=stretch).volume,
        has_posts=bool(latest.items),
        days=stretch.days,
        periods=subject_trend.periods(),
        feed=feed,
        is_for_you=is_for_you,
        can_recommend=me.may("recommendations:read"),
        **post_lists.around(found.db, [entry.post for entry in feed], viewer=me),
    )
