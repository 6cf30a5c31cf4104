"""Parts of the market's pages: cards of alerts that fire or are open, and a panel of past ones."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import cast

from flask import get_template_attribute
from markupsafe import Markup

from app.alerts.domain.alert import OPEN_STATES, Alert
from app.alerts.flows import keep_rules, show_alerts
from app.alerts.forms import Missed
from app.market.flows.find_alerts import SubjectAlert
from app.market.pages.alert_parts import Subject
from app.market.pages.market_page import title_of
from app.web.access import services, viewer
from app.web.display.translation import gettext as _

SHOWN_PAST = 8


def firing(*, subjects: Collection[Subject] | None = None, most: int | None = None) -> Markup:
    """Return cards of the firing alerts in the reader's sight on these subjects (None: all); empty without any."""
    shown = [
        alert
        for alert in show_alerts.open_ones(services(), viewer())
        if alert.state == "firing" and (subjects is None or (alert.subject_kind, alert.subject_id) in subjects)
    ][:most]
    return _cards(
        shown,
        titles={alert.id: title_of(alert.subject_kind, alert.subject_id) for alert in shown},
        label=_("Firing alerts"),
    )


def open_ones(alerts: Sequence[SubjectAlert], *, title: str) -> Markup:
    """Return cards of those of a subject's alerts that are not over; empty where there is none."""
    shown = [alert for alert in cast(Sequence[Alert], alerts) if alert.state in OPEN_STATES]
    return _cards(shown, titles={alert.id: title for alert in shown}, label=_("Open alerts"))


def _cards(shown: Sequence[Alert], *, titles: dict[int, str], label: str) -> Markup:
    if not shown:
        return Markup()
    return _drawn("alert_strip", shown, titles, keep_rules.rule_names(services()), label)


def past(
    alerts: Sequence[SubjectAlert], *, subject: Subject, none_yet: str, is_over: bool = False, can_report: bool = False
) -> Markup:
    """Return a panel of a subject's newest alerts (`is_over`: resolved ones); empty for who may not read alerts."""
    if not viewer().may("alerts:read"):
        return Markup()
    shown = [alert for alert in alerts if not is_over or alert.state == "resolved"][:SHOWN_PAST]
    missed = Missed(formdata=None) if can_report and viewer().may("alerts:write") else None
    return _drawn("past_alerts", shown, none_yet, subject, missed)


def _drawn(macro: str, *given: object) -> Markup:
    found: Markup = get_template_attribute("parts/alerting.html", macro)(*given)
    return found
