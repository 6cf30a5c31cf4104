"""The web: pages for people, the API for programs, and what both share; `build` puts the application together."""

from __future__ import annotations

import threading
from pathlib import Path

from flask import Flask, has_request_context, request, session
from flask_babel import Babel
from flask_bootstrap import Bootstrap5

from app.config import Settings
from app.domain.people import User
from app.errors import BellwetherError
from app.web import api, auth, errors, long_answers, memory, opening, pages, problems, security
from app.web.forwarded import ForwardedClient
from app.web.pages import translate

LOCALES = ("en", "zh")
HERE = Path(__file__).parent


def build(settings: Settings) -> Flask:
    """The Flask application: nothing is opened before the first use."""
    memory.bound()
    app = Flask("app.web", template_folder="templates", static_folder="static", root_path=str(HERE))
    app.extensions["bellwether"] = opening.LazyServices(settings)
    app.extensions["bellwether.settings"] = settings
    app.config.update(
        BABEL_TRANSLATION_DIRECTORIES=str(HERE / "translations"),
        BABEL_DEFAULT_LOCALE=settings.locale,
        BOOTSTRAP_SERVE_LOCAL=True,
    )
    app.extensions["bellwether.sentence"] = problems.sentence
    security.install(app, settings)
    Babel(app, locale_selector=locale, timezone_selector=zone)
    translate.install(app)
    Bootstrap5(app)
    auth.install(app)
    long_answers.install(app)
    api.install(app)
    # After flask-smorest, which brings an error handler of its own.
    errors.install(app)
    pages.register(app)
    security.limit_sign_in(app)
    # A process that serves pages only has no worker to tell it that another model was put live.
    app.before_request(app.extensions["bellwether"].follow)
    app.teardown_appcontext(_release)
    if settings.proxy_networks:
        vars(app)["wsgi_app"] = ForwardedClient(app.wsgi_app, networks=settings.proxy_networks)
    return app


def _release(_: BaseException | None) -> None:
    # Flask's own server makes a thread a request; its database connection goes with it. Other threads keep theirs.
    if "process_request_thread" in threading.current_thread().name:
        auth.services().db.release()


def locale() -> str:
    """The reader's language: chosen in this session, their own, the browser's, then the setting."""
    if not has_request_context():
        return auth.settings().locale
    chosen = session.get("locale")
    if chosen in LOCALES:
        return str(chosen)
    user = _reader()
    if user is not None:
        return user.locale
    return request.accept_languages.best_match(LOCALES) or auth.settings().locale


def zone() -> str:
    """The reader's time zone, or the setting's."""
    user = _reader() if has_request_context() else None
    return user.zone if user is not None else auth.settings().zone


def _reader() -> User | None:
    try:
        return auth.signed_in_user()
    except BellwetherError:
        # The page that tells of a database that cannot be read needs a language too.
        return None
