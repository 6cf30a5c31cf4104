"""Dashboards of the market kept under a name: which subjects stand on them, and who may change them."""

from __future__ import annotations

from collections.abc import Iterable

from app.core import changes
from app.core.errors import FieldError, InputError
from app.core.nouns import Changed, Fields
from app.core.permissions import Viewer
from app.core.services import Services
from app.core.views import keep_saved_views, saved_view_rows
from app.core.views.keep_saved_views import DASHBOARD
from app.core.views.saved_view import Place, SavedView
from app.market.domain.dashboard import Dashboard, of_query
from app.market.domain.market import Feed
from app.market.domain.topic import own_id
from app.market.store import companies, feeds, topics

PLACE: Place = "market"


def add(
    services: Services, *, viewer: Viewer, name: str, shown: Dashboard, is_shared: bool = False
) -> Changed[SavedView]:
    """Keep a dashboard; raises InputError for a subject that is not in sight, and as `keep_saved_views.add`."""
    _check(services, shown.subjects, viewer=viewer)
    return keep_saved_views.add(services, viewer=viewer, name=name, query=shown.query, is_shared=is_shared, place=PLACE)


def change(
    services: Services, view_id: int, *, viewer: Viewer, given: Fields, version: int | None = None
) -> Changed[SavedView]:
    """Change `name`, `is_shared`, `subjects` or `days`; raises as `add` and `changes.change`."""
    kept = of_query(saved_view_rows.get(services.db, view_id, viewer=viewer, place=PLACE).query)
    wanted = {key: value for key, value in given.items() if key in ("name", "is_shared")}
    if {"subjects", "days"} & set(given):
        subjects = tuple(dict.fromkeys(given.get("subjects", kept.subjects)))
        _check(services, set(subjects) - set(kept.subjects), viewer=viewer)
        wanted["query"] = Dashboard(subjects=subjects, days=given.get("days", kept.days)).query
    return changes.change(services.db, DASHBOARD, view_id, wanted, viewer=viewer, version=version)


def feeds_to_choose(services: Services, *, viewer: Viewer) -> tuple[Feed, ...]:
    """Return the feeds that the viewer may put on a dashboard, by name."""
    return feeds.every(services.db, viewer=viewer) if viewer.may("feeds:read") else ()


def in_sight(services: Services, keys: Iterable[str], *, viewer: Viewer) -> tuple[str, ...]:
    """Those of these subjects that there are and that the viewer may see."""
    tickers = {one.ticker for one in companies.every(services.db)}
    own = {one.subject_id for one in topics.every(services.db)}
    slugs = {one.slug for one in feeds_to_choose(services, viewer=viewer)}

    def is_known(key: str) -> bool:
        kind, _, name = key.partition(":")
        if kind == "topic":
            # Which topics the model has is the artifact's matter: a label of another one has no posts.
            return name in own if own_id(name) is not None else name.replace("_", "").isalnum()
        return key == "market" or name in {"entity": tickers, "feed": slugs}.get(kind, ())

    return tuple(key for key in keys if is_known(key))


def _check(services: Services, keys: Iterable[str], *, viewer: Viewer) -> None:
    asked = list(keys)
    known = set(in_sight(services, asked, viewer=viewer))
    unknown = [
        FieldError(pointer="/subjects", code="unknown_subject", params=(("value", key),))
        for key in asked
        if key not in known
    ]
    if unknown:
        raise InputError(fields=unknown[:1])
