"""`python -m app`: web and worker in one process; `python -m app worker`: the worker alone."""

from __future__ import annotations

import argparse
import gc
import logging
import signal
import socket
import sys
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flask import Flask

    from app.core.config import Settings


def main(arguments: Sequence[str]) -> int:
    """Run the command of the command line; returns the exit status."""
    asked = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("waitress").setLevel(logging.WARNING)
    # A request that waits for a thread for a moment is not worth a warning.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    from app import create_app
    from app.cli.shell import error_text
    from app.core import config
    from app.core.errors import BellwetherError, SettingError

    overrides = {name: value for name in ("host", "port") if (value := getattr(asked, name, None)) is not None}
    try:
        settings = config.load(**overrides)
    except SettingError as error:
        print(error, file=sys.stderr)
        return 2
    application = create_app(settings)
    try:
        return _work(application) if asked.command == "worker" else _serve(application, is_demo=asked.demo)
    except BellwetherError as error:
        print(error_text(application, error), file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m app", description="Run Bellwether: web and worker together.")
    parser.add_argument("command", nargs="?", choices=["serve", "worker"], default="serve", help="what to run")
    parser.add_argument("--demo", action="store_true", help="fill an empty database with a story to look at")
    parser.add_argument("--host", help="address to listen on (BELLWETHER_HOST)")
    parser.add_argument("--port", type=int, help="port to listen on (BELLWETHER_PORT)")
    return parser


def _work(application: Flask) -> int:
    # An unusable database ends the start, as it does for the server.
    application.extensions["bellwether"].db.check()
    worker, stopping = _worker(application), threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    worker.start()
    print("The worker runs. Stop it with Ctrl+C.", flush=True)
    stopping.wait()
    worker.stop()
    _close(application)
    return 0


def _worker(application: Flask) -> Any:
    from app.worker import Worker

    settings: Settings = application.extensions["bellwether.settings"]
    return Worker(application.extensions["bellwether"], tick_seconds=settings.tick_seconds)


def _serve(application: Flask, *, is_demo: bool) -> int:
    listening = _listen(application.extensions["bellwether.settings"])
    if listening is None:
        return 1
    # The model opens while the worker's modules are imported: either takes most of a second.
    application.extensions["bellwether"].warm()
    worker = _worker(application)
    try:
        greeting = _greeting(application, is_demo=is_demo)
        worker.start()
        _run(application, listening=listening, greeting=greeting)
    finally:
        worker.stop()
        _close(application)
        listening.close()
    return 0


def _listen(settings: Settings) -> socket.socket | None:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((settings.host, settings.port))
    except OSError as error:
        listening.close()
        print(
            f"Cannot listen on {settings.host}:{settings.port}: {error.strerror}. Choose another with --port.",
            file=sys.stderr,
        )
        return None
    return listening


def _greeting(application: Flask, *, is_demo: bool) -> str:
    from app.cli import demo
    from app.people.flows import keep_accounts
    from app.web.security import setup_secret

    settings: Settings = application.extensions["bellwether.settings"]
    lines = [f"Bellwether is at {settings.public_url}"]
    with application.app_context():
        if is_demo:
            lines.append(demo.fill(application))
        elif keep_accounts.needs_first_admin(application.extensions["bellwether"]):
            link = f"{settings.public_url}/setup?secret={setup_secret(settings)}"
            lines.append(f"Nobody can sign in yet. Make the first administrator, once: {link}")
    return "\n".join(lines)


def _run(application: Flask, *, listening: socket.socket, greeting: str) -> None:
    from app.web.serving.http_server import open_server

    server = open_server(application, listening=listening, settings=application.extensions["bellwether.settings"])

    def stop(*_: object) -> None:
        application.extensions["bellwether.stream"].stop()
        raise SystemExit

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    print(greeting, flush=True)
    # Objects that exist now stay, so a full collection need not walk through them while requests wait.
    gc.collect()
    gc.freeze()
    server.run()


def _close(application: Flask) -> None:
    application.extensions["bellwether"].close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
