"""Registration of each area's parts: flows that lower areas call, pages, and API operations in documented order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import Flask

from app.alerts.api import alert_api, false_alarm_api
from app.alerts.flows import draw_band, keep_rules, notify_alerts, show_alerts
from app.alerts.flows.act_on_alert import ALERT
from app.alerts.flows.keep_rules import RULE
from app.alerts.flows.keep_silences import SILENCE
from app.alerts.flows.share_budget import ALARM_BUDGET
from app.alerts.pages import alert_page, market_parts, rule_page
from app.alerts.store import alerts
from app.answers.flows import find_destinations, index_articles
from app.answers.flows.keep_articles import ARTICLE
from app.answers.flows.keep_macros import MACRO
from app.answers.pages import article_section, macro_page, macro_section
from app.core import nouns, viewers
from app.core.events import history
from app.core.jobs import job_queue
from app.core.jobs.job import Job, JobKind
from app.core.jobs.job_progress import Progress
from app.core.nouns import Noun
from app.core.permissions import Viewer
from app.core.quarantine import try_again
from app.core.quarantine.arrival import ItemKind, Quarantined
from app.core.quarantine.try_again import Filed
from app.core.services import Services
from app.core.views.keep_saved_views import VIEW
from app.desk.api import answer_api, bulk_api, export_api, lesson_api, routing_api, ticket_api
from app.desk.flows import desk_jobs, file_quarantined, keep_queues, show_queues
from app.desk.flows.act_on_ticket import TICKET
from app.desk.flows.correct_message import MessageSubject
from app.desk.flows.find_message_texts import MessageTexts
from app.desk.flows.imports import import_tickets
from app.desk.flows.keep_queues import QUEUE
from app.desk.flows.keep_routing_rules import ROUTING_RULE
from app.desk.flows.keep_sla_policies import SLA_POLICY
from app.desk.flows.mail.keep_mailboxes import MAILBOX
from app.desk.pages import (
    bulk_page,
    command_palette,
    correction_pages,
    customer_page,
    import_page,
    inbox_page,
    lesson_page,
    mailbox_section,
    new_ticket_page,
    queue_section,
    report_page,
    routing_page,
    saved_view_pages,
    sla_section,
    ticket_actions,
    ticket_page,
)
from app.desk.store import queues
from app.intents.flows import correct_prediction
from app.intents.flows.correct_prediction import CorrectionSubject
from app.market.api import dashboard_api, market_api, recommend_api, topic_api
from app.market.flows import find_alerts, keep_topics, market_jobs, show_market
from app.market.flows.correct_post import POST, MentionSubject, PostSubject
from app.market.flows.find_posts import PostTexts
from app.market.flows.keep_companies import ENTITY
from app.market.flows.keep_feeds import FEED
from app.market.flows.keep_topics import OWN_TOPIC
from app.market.flows.quarantine_posts import file_quarantined_post
from app.market.pages import (
    alert_parts,
    chart_export,
    company_page,
    dashboard_page,
    feed_page,
    market_page,
    post_page,
    topic_page,
    wall_page,
)
from app.market.store import feeds
from app.model.api import analyze_api, model_api, predict_api
from app.model.flows import count_corrections, find_texts
from app.model.pages import model_page
from app.notify import api as notify_api
from app.notify import pages as receiver_pages
from app.notify.flows import deliver_notifications
from app.notify.flows.keep_receivers import RECEIVER
from app.notify.flows.queue_webhooks import queue_webhooks
from app.people import api as people_api
from app.people.flows import find_viewer, keep_accounts, keep_teams
from app.people.flows.keep_accounts import USER
from app.people.flows.keep_teams import TEAM
from app.people.flows.keep_tokens import TOKEN
from app.people.pages import (
    account_pages,
    admin_pages,
    admin_section,
    home_page,
    people_section,
    quarantine_page,
    sign_in_pages,
    team_section,
)
from app.web import event_stream, template_context
from app.web.api import health_api, job_api, openapi, problem_pages

JOBS: Mapping[JobKind, Callable[[Services, Job, Progress], None]] = {
    "import_posts": market_jobs.import_posts,
    "import_tickets": desk_jobs.import_rows,
    "reindex_articles": index_articles.reindex_articles,
    "fetch_feed": market_jobs.fetch_feed,
    "bulk_edit": desk_jobs.edit_many,
    "bulk_undo": desk_jobs.undo_many,
    "check_file": import_tickets.work_check,
    "import_file": desk_jobs.import_export,
    "count_topic": market_jobs.count_topic,
}
FILERS: Mapping[ItemKind, Callable[[Services, Quarantined, Viewer], Filed]] = {
    "mail": file_quarantined.file_quarantined_mail,
    "ticket": file_quarantined.file_quarantined_row,
    "record": file_quarantined.file_quarantined_record,
    "post": file_quarantined_post,
}
SUBJECTS: Mapping[str, CorrectionSubject] = {
    "message": MessageSubject(),
    "post": PostSubject(),
    "mention": MentionSubject(),
}
NOUNS: tuple[Noun[Any], ...] = (
    USER,
    TEAM,
    TOKEN,
    VIEW,
    MACRO,
    ARTICLE,
    QUEUE,
    SLA_POLICY,
    MAILBOX,
    ROUTING_RULE,
    TICKET,
    POST,
    FEED,
    ENTITY,
    OWN_TOPIC,
    ALERT,
    RULE,
    SILENCE,
    ALARM_BUDGET,
    RECEIVER,
)
BLUEPRINTS = (
    home_page.blueprint,
    sign_in_pages.blueprint,
    account_pages.blueprint,
    inbox_page.blueprint,
    bulk_page.blueprint,
    saved_view_pages.blueprint,
    new_ticket_page.blueprint,
    import_page.blueprint,
    ticket_page.blueprint,
    ticket_actions.blueprint,
    correction_pages.blueprint,
    lesson_page.blueprint,
    customer_page.blueprint,
    market_page.blueprint,
    company_page.blueprint,
    chart_export.blueprint,
    wall_page.blueprint,
    dashboard_page.blueprint,
    post_page.blueprint,
    feed_page.blueprint,
    alert_page.blueprint,
    rule_page.blueprint,
    topic_page.blueprint,
    receiver_pages.blueprint,
    model_page.blueprint,
    report_page.blueprint,
    admin_pages.blueprint,
    quarantine_page.blueprint,
    command_palette.blueprint,
    macro_page.blueprint,
    routing_page.blueprint,
)
SECTIONS = (
    people_section.SECTION,
    team_section.SECTION,
    queue_section.SECTION,
    sla_section.SECTION,
    macro_section.SECTION,
    article_section.SECTION,
    mailbox_section.SECTION,
)
"""The sections of the administrator's pages, in the order of the tabs."""

GROUPS = (
    predict_api.group,
    analyze_api.group,
    ticket_api.group,
    bulk_api.group,
    lesson_api.group,
    export_api.group,
    answer_api.group,
    routing_api.group,
    market_api.group,
    topic_api.group,
    dashboard_api.group,
    alert_api.group,
    false_alarm_api.group,
    notify_api.group,
    recommend_api.group,
    event_stream.group,
    job_api.group,
    model_api.group,
    people_api.group,
    health_api.group,
    problem_pages.group,
)


def register_flows() -> None:
    """Register the parts of higher areas that lower ones need; a second call changes nothing."""
    history.SUBSCRIBERS.register("webhooks", queue_webhooks)
    deliver_notifications.STANDINGS.register("alert", notify_alerts.standings)
    show_market.USUAL.register("alerts", draw_band.draw_band)
    find_alerts.OPEN.register("alerts", show_alerts.open_ones)
    find_alerts.OF_SUBJECT.register("alerts", show_alerts.of_subject)
    keep_topics.WATCHERS.register("alerts", keep_rules.rules_watching)
    viewers.LOOK_UPS.register("people", find_viewer.find_person)
    find_viewer.SIGHTS.register("queues", queues.visible_ids)
    find_viewer.SIGHTS.register("feeds", feeds.visible_ids)
    keep_accounts.FURNISHINGS.register("queue", keep_queues.first_queue)
    keep_accounts.FURNISHINGS.register("rule", keep_rules.first_rule)
    keep_teams.HOLDINGS.register("queues", keep_queues.titles_by_team)
    keep_teams.HOLDINGS.register("feeds", feeds.names_by_team)
    for noun in NOUNS:
        nouns.NOUNS.register(noun.name, noun)
    for source in (MessageTexts(), PostTexts()):
        find_texts.SOURCES.register(source.kind, source)
    for subject_kind, subject in SUBJECTS.items():
        correct_prediction.SUBJECTS.register(subject_kind, subject)
    count_corrections.COUNTS.register("corrections", correct_prediction.count_by_task)
    find_destinations.LISTS.register("queues", show_queues.every)
    for kind, handler in JOBS.items():
        job_queue.HANDLERS.register(kind, handler)
    for item, filer in FILERS.items():
        try_again.FILERS.register(item, filer)


def register_pages(app: Flask) -> None:
    """Register every page, and the functions of their templates."""
    template_context.install(app)
    template_context.COUNTS.register("pages_alerts.index", alerts.n_firing)
    for section in SECTIONS:
        admin_section.SECTIONS.register(section.slug, section)
    alert_parts.DRAWN.register("alerts", market_parts)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)


def register_api(app: Flask) -> None:
    """Register every group of operations, in documented order."""
    event_stream.install(app)
    openapi.install(app, GROUPS)
