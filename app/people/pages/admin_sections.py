"""What administrators keep, a section each: how it is listed, which form edits it, and which flows do the work."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l

from app.answers.domain import MacroAction
from app.answers.flows import suggest
from app.answers.store import articles, macros
from app.core.quarantine import quarantine_rows
from app.desk.flows import keep_queues
from app.desk.flows.mail import read_mailbox
from app.desk.pages import sla_section
from app.desk.store import mailboxes as boxes
from app.desk.store import outbox, queues, sla_policies
from app.people.flows import keep_teams
from app.people.pages import admin_forms, people_section
from app.people.pages.admin_section import Row, Section, attributes, form_fields, split
from app.people.store import teams, users
from app.web import problem_sentences
from app.web.access import services, viewer
from app.web.display.enum_words import word
from app.web.display.formats import ago
from app.web.display.translation import gettext as _

NOBODY = 0
"""The choice of no team: select fields hold numbers."""


# Teams


def _teams() -> list[Row]:
    db = services().db
    owned: dict[int | None, list[str]] = {}
    for queue in queues.every(db):
        owned.setdefault(queue.team_id, []).append(queue.title)
    return [
        Row(
            id=team.id,
            cells=(
                team.name,
                ", ".join(member.name for member in teams.members(db, team.id)) or "—",
                ", ".join(owned.get(team.id, [])) or "—",
            ),
        )
        for team in teams.every(db)
    ]


def _team_form(form: Any) -> None:
    form.members.choices = [(user.id, user.name) for user in users.every(services().db, is_active=True)]


def _team(number: int) -> dict[str, Any]:
    db = services().db
    return {"name": teams.get(db, number).name, "members": [member.id for member in teams.members(db, number)]}


def _add_team(form: Any) -> int:
    team = keep_teams.add_team(services(), viewer=viewer(), name=form.name.data)
    keep_teams.set_team_members(services(), team.id, viewer=viewer(), user_ids=form.members.data or [])
    return team.id


def _change_team(number: int, form: Any) -> object:
    keep_teams.set_team_members(services(), number, viewer=viewer(), user_ids=form.members.data or [])
    return keep_teams.rename_team(services(), number, viewer=viewer(), name=form.name.data)


# Queues


_QUEUE = ("title", "slug", "intent_task", "is_redacting")


def _queues() -> list[Row]:
    db = services().db
    names = {team.id: team.name for team in teams.every(db)}
    return [
        Row(
            id=queue.id,
            cells=(
                queue.title,
                queue.slug,
                names.get(queue.team_id or NOBODY, _("everybody")),
                queue.intent_task,
                _("yes") if queue.is_redacting else _("no"),
            ),
        )
        for queue in queues.every(db)
    ]


def _queue_form(form: Any) -> None:
    db = services().db
    form.team_id.choices = [(NOBODY, _("everybody"))] + [(team.id, team.name) for team in teams.every(db)]
    named = [(policy.id, policy.name) for policy in sla_policies.every(db) if not policy.is_default]
    form.sla_policy_id.choices = [(NOBODY, _("the default one")), *named]


def _queue(number: int) -> dict[str, Any]:
    queue = queues.get(services().db, number)
    chosen = {"team_id": queue.team_id or NOBODY, "sla_policy_id": queue.sla_policy_id or NOBODY}
    return {**attributes(queue, *_QUEUE), **chosen}


def _queue_values(form: Any) -> dict[str, Any]:
    chosen = {"team_id": form.team_id.data or None, "sla_policy_id": form.sla_policy_id.data or None}
    return {**form_fields(form, *_QUEUE), **chosen}


def _add_queue(form: Any) -> int:
    values = _queue_values(form)
    policy_id = values.pop("sla_policy_id")
    made = keep_queues.add_queue(services(), viewer=viewer(), **values)
    if policy_id is not None:
        keep_queues.change_queue(services(), made.id, viewer=viewer(), changes={"sla_policy_id": policy_id})
    return made.id


def _change_queue(number: int, form: Any) -> object:
    was = queues.get(services().db, number)
    changes = {name: value for name, value in _queue_values(form).items() if getattr(was, name) != value}
    return keep_queues.change_queue(services(), number, viewer=viewer(), changes=changes) if changes else None


# Macros and articles


def _macros() -> list[Row]:
    return [
        Row(
            id=macro.id,
            cells=(
                macro.name,
                ", ".join(macro.intents) or _("any"),
                "; ".join(f"{word('action', action.type)}: {action.value}" for action in macro.actions) or "—",
                str(macro.n_used),
            ),
        )
        for macro in macros.every(services().db)
    ]


def _macro(number: int) -> dict[str, Any]:
    macro = macros.get(services().db, number)
    return {
        "name": macro.name,
        "body": macro.body,
        "intents": ", ".join(macro.intents),
        "actions": "\n".join(f"{action.type} {action.value}" for action in macro.actions),
    }


def _macro_values(form: Any) -> dict[str, Any]:
    lines = [line.strip().partition(" ") for line in (form.actions.data or "").splitlines() if line.strip()]
    actions = [MacroAction(type=kind, value=value.strip()) for kind, _space, value in lines]
    return {**form_fields(form, "name", "body"), "intents": split(form.intents.data), "actions": actions}


def _articles() -> list[Row]:
    return [
        Row(id=one.id, cells=(one.title, one.slug, ", ".join(one.intents) or "—", ago(one.updated_at)))
        for one in articles.every(services().db)
    ]


def _article(number: int) -> dict[str, Any]:
    article = articles.get(services().db, number)
    joined = {"intents": ", ".join(article.intents), "tags": ", ".join(article.tags)}
    return {**attributes(article, "title", "slug", "body"), **joined}


def _article_values(form: Any) -> dict[str, Any]:
    lists = {"intents": split(form.intents.data), "tags": split(form.tags.data)}
    return {**form_fields(form, "title", "slug", "body"), **lists}


def _change_article(number: int, form: Any) -> object:
    was = articles.get(services().db, number)
    changes = {name: value for name, value in _article_values(form).items() if getattr(was, name) != value}
    return suggest.change_article(services(), number, viewer=viewer(), changes=changes) if changes else None


# Mailboxes


_MAILBOX = (
    *("address", "name", "queue_id", "username", "imap_host", "imap_port", "imap_security", "imap_folder"),
    *("smtp_host", "smtp_port", "smtp_security", "is_reading_old", "is_active"),
)


def _mailboxes() -> list[Row]:
    db = services().db
    titles = {queue.id: queue.title for queue in queues.every(db)}
    return [
        Row(
            id=box.id,
            cells=(
                box.address,
                titles.get(box.queue_id, "—"),
                box.imap_host or "—",
                box.smtp_host or "—",
                ago(box.last_polled_at),
                word("mail", box.last_error) if box.last_error else _("in order") if box.is_active else _("off"),
            ),
            is_muted=not box.is_active,
        )
        for box in boxes.every(db)
    ]


def _mailbox_form(form: Any) -> None:
    form.queue_id.choices = [(queue.id, queue.title) for queue in queues.every(services().db)]


def _add_mailbox(form: Any) -> int:
    values = _mailbox_values(form)
    return read_mailbox.add_mailbox(services(), viewer=viewer(), password=form.password.data or "", **values).id


def _change_mailbox(number: int, form: Any) -> object:
    password = form.password.data or ""
    return read_mailbox.change_mailbox(
        services(), number, viewer=viewer(), changes=_mailbox_values(form), password=password
    )


def _mailbox_values(form: Any) -> dict[str, Any]:
    return {name: value if value is not None else "" for name, value in form_fields(form, *_MAILBOX).items()}


def _mailbox_notes(number: int) -> list[str]:
    """How its letters stand, and which mail could not be read."""
    db = services().db
    states = outbox.counts(db, number)
    letters = [_("%(n)s letters: %(state)s", n=n, state=word("letter", state)) for state, n in sorted(states.items())]
    unread = [
        _(
            "Mail %(uid)s was not taken in: %(why)s",
            uid=item.uid,
            why=problem_sentences.sentence(item.code, item.params)[1],
        )
        for item in quarantine_rows.of_mailbox(db, number, limit=20)
    ]
    return [*letters, *unread]


SECTIONS: tuple[Section, ...] = (
    Section(
        slug="users",
        noun="user",
        icon="people",
        title=_l("People"),
        one=_l("Person"),
        about=_l("Who signs in and what they may do. Who leaves is switched off, so that the history keeps the name."),
        heads=(_l("Name"), _l("E-mail"), _l("Role"), _l("Teams"), _l("May sign in")),
        rows=people_section.rows,
        form=admin_forms.EditUser,
        values=people_section.values,
        add=people_section.add,
        change=people_section.change,
        sessions=people_section.sessions,
    ),
    Section(
        slug="teams",
        noun="team",
        icon="diagram-3",
        title=_l("Teams"),
        one=_l("Team"),
        about=_l("A team owns queues and feeds; only its people and administrators see them."),
        heads=(_l("Name"), _l("Members"), _l("Queues")),
        rows=_teams,
        form=admin_forms.EditTeam,
        prepare=_team_form,
        values=_team,
        add=_add_team,
        change=_change_team,
        remove=lambda number: keep_teams.remove_team(services(), number, viewer=viewer()),
    ),
    Section(
        slug="queues",
        noun="queue",
        icon="inboxes",
        title=_l("Queues"),
        one=_l("Queue"),
        about=_l("Where tickets wait. A queue without a team is in everybody's sight."),
        heads=(_l("Title"), _l("Short name"), _l("Team"), _l("Intent task"), _l("Masks")),
        rows=_queues,
        form=admin_forms.EditQueue,
        prepare=_queue_form,
        values=_queue,
        add=_add_queue,
        change=_change_queue,
    ),
    Section(
        slug="sla",
        noun="sla_policy",
        icon="stopwatch",
        title=_l("SLA"),
        one=_l("SLA policy"),
        about=_l("How soon a normal ticket is answered and solved: low ×2, high ×½, urgent ×¼, in opening hours."),
        heads=(
            *(_l("Name"), _l("First response"), _l("Resolution"), _l("Opening hours")),
            *(_l("Time zone"), _l("Holidays"), _l("Holds for")),
        ),
        rows=sla_section.rows,
        form=admin_forms.EditPolicy,
        values=sla_section.values,
        add=sla_section.add,
        change=sla_section.change,
        remove=sla_section.remove,
    ),
    Section(
        slug="macros",
        noun="macro",
        icon="lightning",
        title=_l("Macros"),
        one=_l("Macro"),
        about=_l("Replies with placeholders such as {{ customer.name }}, and what they do besides."),
        heads=(_l("Name"), _l("Answers"), _l("Actions"), _l("Times used")),
        rows=_macros,
        form=admin_forms.EditMacro,
        values=_macro,
        add=lambda form: suggest.add_macro(services(), viewer=viewer(), **_macro_values(form)).id,
        change=lambda number, form: suggest.change_macro(
            services(), number, viewer=viewer(), changes=_macro_values(form)
        ),
        remove=lambda number: suggest.remove_macro(services(), number, viewer=viewer()),
    ),
    Section(
        slug="articles",
        noun="article",
        icon="book",
        title=_l("Articles"),
        one=_l("Article"),
        about=_l("What drafts quote and agents look up."),
        heads=(_l("Title"), _l("Short name"), _l("Answers"), _l("Changed")),
        rows=_articles,
        form=admin_forms.EditArticle,
        values=_article,
        add=lambda form: suggest.add_article(services(), viewer=viewer(), **_article_values(form)).id,
        change=_change_article,
        remove=lambda number: suggest.remove_article(services(), number, viewer=viewer()),
    ),
    Section(
        slug="mailboxes",
        noun="mailbox",
        icon="envelope",
        title=_l("Mailboxes"),
        one=_l("Mailbox"),
        about=_l("Mail to these addresses becomes tickets (IMAP); replies go out from them (SMTP)."),
        heads=(_l("Address"), _l("Arrives in"), _l("IMAP server"), _l("SMTP server"), _l("Read"), _l("State")),
        rows=_mailboxes,
        form=admin_forms.EditMailbox,
        prepare=_mailbox_form,
        values=lambda number: attributes(boxes.get(services().db, number), *_MAILBOX),
        add=_add_mailbox,
        change=_change_mailbox,
        remove=lambda number: read_mailbox.remove_mailbox(services(), number, viewer=viewer()),
        notes=_mailbox_notes,
    ),
)
BY_SLUG = {section.slug: section for section in SECTIONS}
