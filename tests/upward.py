"""Imports that still lead from a lower area up to a higher one; the list only gets shorter."""

from __future__ import annotations

UPWARD: frozenset[tuple[str, str]] = frozenset(
    {
        ("app.answers.api", "app.desk.flows.note_outcome"),
        ("app.answers.flows.suggest", "app.desk.domain.ticket"),
        ("app.answers.flows.suggest", "app.desk.store.customers"),
        ("app.answers.flows.suggest", "app.desk.store.messages"),
        ("app.answers.flows.suggest", "app.desk.store.tickets"),
        ("app.answers.pages.macro_page", "app.desk.store.queues"),
        ("app.desk.flows.correct_prediction", "app.market.flows.count_posts"),
        ("app.desk.flows.correct_prediction", "app.market.store.mentions"),
        ("app.desk.flows.correct_prediction", "app.market.store.posts"),
        ("app.desk.flows.read_drafts", "app.market.domain.market"),
        ("app.desk.flows.read_drafts", "app.market.sources.post_drafts"),
        ("app.market.api.market_api", "app.desk.flows.read_drafts"),
        ("app.market.flows.keep_topics", "app.alerts.store.alert_rules"),
        ("app.market.flows.show_market", "app.alerts.decide.expected_band"),
        ("app.market.flows.show_market", "app.alerts.decide.history_scoring"),
        ("app.market.flows.show_market", "app.alerts.store.alerts"),
        ("app.market.pages.company_page", "app.alerts.forms"),
        ("app.market.pages.company_page", "app.alerts.store.alert_rules"),
        ("app.market.pages.dashboard_page", "app.alerts.domain.alert"),
        ("app.market.pages.dashboard_page", "app.alerts.store.alert_rules"),
        ("app.market.pages.dashboard_page", "app.alerts.store.alerts"),
        ("app.market.pages.market_page", "app.alerts.domain.alert"),
        ("app.market.pages.market_page", "app.alerts.store.alert_rules"),
        ("app.market.pages.market_page", "app.alerts.store.alerts"),
        ("app.market.pages.subject_trend", "app.alerts.domain.alert"),
        ("app.market.pages.subject_trend", "app.alerts.store.alerts"),
        ("app.market.pages.wall_page", "app.alerts.store.alert_rules"),
        ("app.market.pages.wall_page", "app.alerts.store.alerts"),
        ("app.notify.decide.alert_routes", "app.alerts.domain.alert"),
        ("app.notify.decide.sentences", "app.alerts.domain.alert"),
        ("app.notify.flows.deliver_notifications", "app.alerts.store.alerts"),
        ("app.notify.pages", "app.alerts.forms"),
    }
)
