"""A real Chromium against a real server; without a Chromium these tests are left out by `python -m tests`."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Browser, Page, StorageState, expect, sync_playwright
from waitress.server import create_server

from app.core.jobs import job_queue
from app.core.permissions import UserRole
from tests.app.page_house import House, make_house
from tests.app.site import PASSWORD

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
# A busy machine is no reason to fail.
expect.set_options(timeout=30_000)
# A page that was closed keeps its live stream, and the thread under it, until the next heartbeat: tests close many.
STREAMS, THREADS = 64, 80
NAMES = ("chromium", "chromium-browser", "google-chrome")


@dataclass(frozen=True)
class Live:
    """A house behind an address, and the browser that knocks at it."""

    house: House
    address: str
    browser: Browser
    sessions: dict[UserRole, StorageState] = field(default_factory=dict)

    def page(self, role: UserRole = "admin", *, width: int = 1280, scheme: str = "light") -> Page:
        """A page of somebody who has signed in: once each, because the door counts how often it is tried."""
        if role not in self.sessions:
            self.sessions[role] = self._signed_in(role)
        context = self.browser.new_context(
            base_url=self.address,
            viewport={"width": width, "height": 900},
            color_scheme="dark" if scheme == "dark" else "light",
            storage_state=self.sessions[role],
        )
        page = context.new_page()
        page.goto("/")
        return page

    def _signed_in(self, role: UserRole) -> StorageState:
        context = self.browser.new_context(base_url=self.address)
        page = context.new_page()
        page.goto("/sign-in")
        page.get_by_label("E-mail").fill(self.house.site.person(role).email)
        page.get_by_label("Password").fill(PASSWORD)
        page.locator("main").get_by_role("button", name="Sign in").click()
        page.wait_for_url(lambda url: "sign-in" not in url)
        return context.storage_state()


@pytest.fixture(scope="session")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """The house, served and visited."""
    house = make_house(tmp_path_factory.mktemp("live"), stream_clients=STREAMS)
    server = create_server(house.site.app, host="127.0.0.1", port=0, threads=THREADS)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    program = next(path for name in NAMES if (path := shutil.which(name)))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(ARGUMENTS))
        yield Live(house, f"http://127.0.0.1:{server.effective_port}", browser)
        browser.close()
    server.close()
    thread.join(timeout=5)
    house.site.app.extensions["bellwether"].close()


@pytest.fixture(autouse=True)
def closed(live: Live) -> Iterator[None]:
    """Every test leaves the browser without pages."""
    yield
    for context in live.browser.contexts:
        context.close()


@contextmanager
def worker(live: Live) -> Iterator[None]:
    """Jobs are done while the browser looks on."""
    stopping = threading.Event()

    def work() -> None:
        while not stopping.wait(0.1):
            job_queue.run_due(live.house.site.services)
        live.house.site.services.db.release()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join()
