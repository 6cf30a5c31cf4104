"""The administrator's section of articles."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l

from app.answers.flows import keep_articles
from app.answers.forms import EditArticle
from app.answers.store import articles
from app.people.pages.admin_section import Row, Section, attributes, form_fields, split
from app.web.access import services, viewer
from app.web.display.formats import ago


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
    return keep_articles.change_article(services(), number, viewer=viewer(), changes=changes) if changes else None


SECTION = Section(
    slug="articles",
    noun="article",
    icon="book",
    title=_l("Articles"),
    one=_l("Article"),
    about=_l("What drafts quote and agents look up."),
    heads=(_l("Title"), _l("Short name"), _l("Answers"), _l("Changed")),
    rows=_articles,
    form=EditArticle,
    values=_article,
    add=lambda form: keep_articles.add_article(services(), viewer=viewer(), **_article_values(form)).id,
    change=_change_article,
    remove=lambda number: keep_articles.remove_article(services(), number, viewer=viewer()),
)
