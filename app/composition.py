"""The composition root: `build` combines the areas into one Flask application."""

from __future__ import annotations

import threading
from pathlib import Path

from flask import Flask, has_request_context, request, session
from flask_babel import Babel
from flask_bootstrap import Bootstrap5
from jinja2 import FileSystemLoader

from app import lazy_services, registration
from app.core.config import Settings
from app.core.errors import BellwetherError
from app.core.permissions import User
from app.people.pages import identity, sign_in_limits
from app.web import access, error_rendering, problem_sentences, security
from app.web.display import translation
from app.web.serving import long_answers, memory
from app.web.serving.forwarded import ForwardedClient

LOCALES = ("en", "zh")
HERE = Path(__file__).parent
WEB = HERE / "web"


def build(settings: Settings) -> Flask:
    """Build the Flask application; nothing is opened before the first use."""
    memory.bound()
    app = Flask("app.web", template_folder="templates", static_folder="static", root_path=str(WEB))
    app.jinja_loader = FileSystemLoader(sorted(HERE.glob("*/templates")))
    app.extensions["bellwether"] = lazy_services.LazyServices(settings)
    app.extensions["bellwether.settings"] = settings
    app.config.update(
        BABEL_TRANSLATION_DIRECTORIES=str(WEB / "translations"),
        BABEL_DEFAULT_LOCALE=settings.locale,
        BOOTSTRAP_SERVE_LOCAL=True,
    )
    app.extensions["bellwether.sentence"] = problem_sentences.sentence
    security.install(app, settings)
    Babel(app, locale_selector=locale, timezone_selector=zone)
    translation.install(app)
    Bootstrap5(app)
    identity.install(app)
    access.install(app)
    long_answers.install(app)
    registration.register_flows()
    registration.register_api(app)
    # After flask-smorest, which installs an error handler of its own.
    error_rendering.install(app)
    registration.register_pages(app)
    sign_in_limits.install(app)
    # A process without a worker checks at its requests for another model that was put live.
    app.before_request(app.extensions["bellwether"].follow)
    app.teardown_appcontext(_release)
    if settings.proxy_networks:
        vars(app)["wsgi_app"] = ForwardedClient(app.wsgi_app, networks=settings.proxy_networks)
    return app


def _release(_: BaseException | None) -> None:
    # Flask's own server makes a thread for each request, which takes its database connection along.
    if "process_request_thread" in threading.current_thread().name:
        access.services().db.release()


def locale() -> str:
    """Return the reader's language: that of this session, of their account, of the browser, or of the setting."""
    if not has_request_context():
        return access.settings().locale
    chosen = session.get("locale")
    if chosen in LOCALES:
        return str(chosen)
    user = _reader()
    if user is not None:
        return user.locale
    return request.accept_languages.best_match(LOCALES) or access.settings().locale


def zone() -> str:
    """Return the time zone of the reader, or of the setting."""
    user = _reader() if has_request_context() else None
    return user.zone if user is not None else access.settings().zone


def _reader() -> User | None:
    try:
        return access.signed_in_user()
    except BellwetherError:
        # The error page of an unreadable database needs a language too.
        return None
