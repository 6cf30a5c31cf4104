"""Articles and macros: found as they are now, their names taken once."""

from __future__ import annotations

import pytest

from app.answers.flows import index_articles, keep_articles, search_articles
from app.answers.flows.keep_macros import MACRO
from app.answers.store import articles
from app.core import changes
from app.core.errors import Conflict, InputError, NotReady
from app.core.permissions import SYSTEM
from app.core.services import Services
from tests.app.answers import library
from tests.app.conftest import Desk
from tests.app.fake_engine import FakeEngine


@pytest.fixture
def filled(services: Services, people: Desk) -> None:
    """Two articles and three macros."""
    library.fill(services)


@pytest.mark.usefixtures("filled")
def test_an_edited_article_is_read_anew(services: Services, engine: FakeEngine) -> None:
    article = next(one for one in articles.every(services.db) if one.slug == "delivery")
    engine.failure = NotReady()
    changes = {"body": "Parcels to the islands travel by ferry on Tuesdays only."}
    keep_articles.change_article(services, article.id, changes, viewer=SYSTEM, version=article.version)
    assert search_articles.search(services, "ferry")[0].slug == "delivery"
    assert search_articles.search(services, "express") == ()
    engine.failure = None
    assert index_articles.reindex(services) == 1
    assert index_articles.reindex(services) == 0
    assert "ferry" in search_articles.search(services, "ferry islands")[0].passage


@pytest.mark.usefixtures("filled")
def test_names_are_taken_once_and_actions_are_known(services: Services) -> None:
    with pytest.raises(Conflict, match="name_taken"):
        changes.add(services.db, MACRO, {"name": "Refund", "body": "x"}, viewer=SYSTEM)
    with pytest.raises(InputError, match="unknown_action"):
        changes.add(
            services.db,
            MACRO,
            {"name": "y", "body": "x", "actions": [{"type": "explode", "value": "1"}]},
            viewer=SYSTEM,
        )
    with pytest.raises(Conflict, match="slug_taken"):
        keep_articles.add_article(services, {"slug": "delivery", "title": "t", "body": "b"}, viewer=SYSTEM)
    with pytest.raises(InputError, match="empty_field"):
        keep_articles.add_article(services, {"slug": "s", "title": " ", "body": "b"}, viewer=SYSTEM)
