"""The administrator's section of articles."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l

from app.answers.flows import keep_articles, search_articles
from app.answers.flows.keep_articles import ARTICLE
from app.answers.forms import EditArticle
from app.core.nouns import Fields
from app.people.pages.admin_section import Row, Section, attributes, form_fields, split
from app.web.access import services, viewer
from app.web.display.formats import ago


def _articles() -> list[Row]:
    return [
        Row(id=one.id, cells=(one.title, one.slug, ", ".join(one.intents) or "—", ago(one.updated_at)))
        for one in search_articles.every(services())
    ]


def _article(number: int) -> Fields:
    article = ARTICLE.get(services().db, number, viewer=viewer())
    joined = {"intents": ", ".join(article.intents), "tags": ", ".join(article.tags)}
    return {**attributes(article, "title", "slug", "body"), **joined}


def _given(form: Any) -> Fields:
    lists = {"intents": split(form.intents.data), "tags": split(form.tags.data)}
    return {**form_fields(form, "title", "slug", "body"), **lists}


SECTION = Section(
    slug="articles",
    noun=ARTICLE,
    icon="book",
    title=_l("Articles"),
    one=_l("Article"),
    about=_l("What drafts quote and agents look up."),
    heads=(_l("Title"), _l("Short name"), _l("Answers"), _l("Changed")),
    rows=_articles,
    form=EditArticle,
    values=_article,
    given=_given,
    add=lambda form: keep_articles.add_article(services(), _given(form), viewer=viewer()),
    change=lambda number, form: keep_articles.change_article(services(), number, _given(form), viewer=viewer()),
    is_removable=True,
)
