"""The administrator's section of queues."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l

from app.core.nouns import Fields
from app.desk.flows import show_queues
from app.desk.flows.keep_queues import QUEUE
from app.desk.forms import EditQueue
from app.people.pages.admin_section import Row, Section, attributes, form_fields
from app.web.access import services, viewer
from app.web.display.translation import gettext as _
from app.web.form_fields import EVERYBODY

_QUEUE = ("title", "slug", "intent_task", "is_redacting")


def _queues() -> list[Row]:
    names = {team.id: team.name for team in show_queues.teams(services())}
    return [
        Row(
            id=queue.id,
            cells=(
                queue.title,
                queue.slug,
                names.get(queue.team_id or EVERYBODY, _("everybody")),
                queue.intent_task,
                _("yes") if queue.is_redacting else _("no"),
            ),
        )
        for queue in show_queues.every(services())
    ]


def _queue_form(form: Any) -> None:
    teams = [(team.id, team.name) for team in show_queues.teams(services())]
    form.team_id.choices = [(EVERYBODY, _("everybody")), *teams]
    named = [(policy.id, policy.name) for policy in show_queues.policies(services()) if not policy.is_default]
    form.sla_policy_id.choices = [(EVERYBODY, _("the default one")), *named]


def _queue(number: int) -> Fields:
    queue = QUEUE.get(services().db, number, viewer=viewer())
    chosen = {"team_id": queue.team_id or EVERYBODY, "sla_policy_id": queue.sla_policy_id or EVERYBODY}
    return {**attributes(queue, *_QUEUE), **chosen}


def _given(form: Any) -> Fields:
    chosen = {"team_id": form.team_id.data or None, "sla_policy_id": form.sla_policy_id.data or None}
    return {**form_fields(form, *_QUEUE), **chosen}


SECTION = Section(
    slug="queues",
    noun=QUEUE,
    icon="inboxes",
    title=_l("Queues"),
    one=_l("Queue"),
    about=_l("Where tickets wait. A queue without a team is in everybody's sight."),
    heads=(_l("Title"), _l("Short name"), _l("Team"), _l("Intent task"), _l("Masks")),
    rows=_queues,
    form=EditQueue,
    prepare=_queue_form,
    values=_queue,
    given=_given,
)
