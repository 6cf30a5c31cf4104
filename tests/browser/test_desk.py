"""What an agent and an analyst do, in a real browser."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from app.alerts.flows import tick_rules
from app.core import changes, clock
from app.core.permissions import SYSTEM
from app.market.domain.market import PostDraft
from app.market.flows import ingest_posts
from app.market.flows.keep_companies import ENTITY
from app.market.store import feeds
from tests.browser.conftest import Live

SERIOUS = {"serious", "critical"}
Axe: Any = import_module("axe_playwright_python.sync_playwright").Axe  # it comes without types


def _faults(page: Page) -> list[str]:
    """Messages of the console that tell of a fault: script errors, and what the policy forbids."""
    found: list[str] = []
    page.on("pageerror", lambda error: found.append(str(error)))
    page.on("console", lambda message: found.append(message.text) if message.type == "error" else None)
    return found


def test_a_triage_from_the_keyboard_correct_and_undo(live: Live) -> None:
    page = live.page("agent")
    faults = _faults(page)
    page.goto("/tickets")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    expect(page.locator(".row-ticket.is-here")).to_have_count(1)
    page.keyboard.press("j")
    page.keyboard.press("k")
    first = page.locator(".row-ticket.is-here .row-subject a")
    expect(first).to_have_text("My card was stolen")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("My card was stolen")
    page.wait_for_load_state()  # keys are heard once the page's script has run
    page.keyboard.press("l")
    expect(page.get_by_role("dialog", name="What is right?")).to_be_visible()
    page.keyboard.press("2")
    expect(page.get_by_text("corrected by Agent")).to_be_visible()
    page.wait_for_load_state()
    page.keyboard.press("u")
    expect(page.get_by_text("Taken back.")).to_be_visible()
    expect(page.get_by_text("corrected by Agent")).to_have_count(0)
    page.wait_for_load_state()
    page.keyboard.press("Escape")
    expect(page.get_by_role("heading", level=1)).to_have_text("Tickets")
    assert faults == []


def test_a_macro_and_an_explanation_come_into_the_page(live: Live) -> None:
    page = live.page("agent")
    faults = _faults(page)
    page.goto(f"/tickets/{live.house.stolen}")
    page.keyboard.press("1")
    expect(page.get_by_role("dialog", name="Still empty")).to_be_visible()
    page.keyboard.type("C-7")
    page.keyboard.press("Enter")
    box = page.get_by_label("Reply to Ana Costa")
    expect(box).to_have_value("Hi Ana Costa, your card is blocked. Your case is C-7.")
    expect(box).to_be_focused()
    page.locator("details.why").first.click()
    expect(page.locator("details.why mark").first).to_be_visible()
    assert faults == []


def test_a_filter_is_set_by_choosing(live: Live) -> None:
    page = live.page("agent")
    page.get_by_label("Intent").select_option("lost_or_stolen_card")
    page.wait_for_url("**/tickets?intent=lost_or_stolen_card")
    expect(page.locator(".row-ticket")).to_have_count(1)


def test_the_theme_follows_the_system_until_somebody_chooses(live: Live) -> None:
    page = live.page("agent", scheme="dark")
    root = page.locator("html")
    expect(root).to_have_attribute("data-bs-theme", "dark")
    page.get_by_role("button", name="Light or dark").click()
    expect(root).to_have_attribute("data-bs-theme", "light")
    page.reload()
    expect(root).to_have_attribute("data-bs-theme", "light")


@pytest.mark.parametrize(
    "path",
    [
        "/tickets",
        "/tickets/{stolen}",
        "/market",
        "/alerts/{alert}",
        "/model",
        "/feeds",
        "/rules",
        "/wall",
        "/receivers/new",
        "/teach",
        "/admin/move-in",
        "/admin/quarantine",
        "/admin/quarantine/{held}",
        "/admin/macros",
        "/reports",
    ],
)
def test_nothing_sticks_out_of_a_phone(live: Live, path: str) -> None:
    page = live.page("admin", width=390)
    page.goto(path.format(**vars(live.house)))
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(live: Live, scheme: str) -> None:
    page = live.page("admin", scheme=scheme)
    found = {}
    house = live.house
    for path in (
        "/tickets",
        f"/tickets/{house.stolen}",
        f"/tickets/{house.unsure}",
        "/tickets/new",
        "/market",
        "/market/entities/LKSP",
        "/market/topics",
        "/market/dashboard?s=market&s=entity:LKSP",
        f"/alerts/{house.alert}",
        "/feeds",
        "/rules",
        "/rules/new",
        "/wall",
        "/receivers",
        "/receivers/new",
        "/alerts",
        "/macros",
        "/macros/new",
        "/routing",
        "/routing/new",
        "/routing/trust",
        "/model",
        "/account",
        "/teach",
        "/admin/move-in",
        "/admin/quarantine",
        f"/admin/quarantine/{house.held}",
        "/admin/macros",
        "/reports",
    ):
        page.goto(path)
        results = Axe().run(page).response["violations"]
        serious = [
            f"{one['id']}: {one['nodes'][0]['html'][:160]} {one['nodes'][0].get('failureSummary', '')[:300]}"
            for one in results
            if one["impact"] in SERIOUS
        ]
        if serious:
            found[path] = serious
    assert found == {}


def test_reading_and_replying_work_without_javascript(live: Live) -> None:
    signed_in = live.page("agent")
    context = live.browser.new_context(
        base_url=live.address, java_script_enabled=False, storage_state=signed_in.context.storage_state()
    )
    page = context.new_page()
    page.goto("/tickets")
    page.get_by_role("link", name="My card was stolen").click()
    page.get_by_role("button", name="Put into the reply").first.click()
    if page.get_by_label("case_no").count():
        page.get_by_label("case_no").fill("C-7")
        page.get_by_role("button", name="Put into the reply").first.click()
    box = page.get_by_label("Reply to Ana Costa")
    expect(box).not_to_have_value("")
    box.fill("We blocked your card.")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_text("The reply goes out in 10 seconds")).to_be_visible()
    context.close()


def test_from_a_feed_to_an_alert_acknowledged_and_silenced(live: Live) -> None:
    """Feed → surge → alert → explain → acknowledge → judge → silence → back-test; the page follows by itself."""
    services, now = live.house.site.services, clock.now_ms()
    page = live.page("admin")
    faults = _faults(page)
    page.goto("/feeds")
    page.get_by_label("Name").fill("Quay Ledger")
    page.get_by_label("Kind").select_option("push")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_text("is ready to take posts")).to_be_visible()
    changes.add(services.db, ENTITY, {"ticker": "QUAY", "name": "Quayside Ferries", "sector": "Ports"}, viewer=SYSTEM)
    page.goto("/wall")
    expect(page.get_by_text("live", exact=True)).to_be_visible()
    words = ["anchor", "buoy", "crane", "deck", "engine", "fender", "galley", "hull", "keel", "mast"]
    surge = [
        PostDraft(external_id=word, title=f"Quayside Ferries falls after fraud of the {word}", occurred_at=now - 60_000)
        for word in words
    ]
    feed = next(one for one in feeds.every(services.db) if one.slug == "quay-ledger")
    ingest_posts.receive(services, feed.id, surge, viewer=SYSTEM)
    tick_rules.tick(services)
    # The stream tells the page, which fetches itself again.
    alert = page.get_by_role("link", name="Quayside Ferries: 100")
    expect(alert).to_be_visible()
    alert.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Quayside Ferries")
    expect(page.get_by_text("fraud of the anchor").first).to_be_visible()
    expect(page.get_by_text("Who was told")).to_be_visible()
    page.get_by_placeholder("What is being done").fill("calling the harbour")
    page.get_by_role("button", name="Acknowledge").click()
    expect(page.get_by_text("“calling the harbour”").first).to_be_visible()
    page.get_by_role("button", name="Useful").click()
    expect(page.get_by_text("called: useful")).to_be_visible()
    page.get_by_label("Why").fill("known for an hour")
    page.get_by_role("button", name="Silence").click()
    expect(page.get_by_text("known for an hour").first).to_be_visible()
    page.goto("/alerts")
    expect(page.get_by_text("known for an hour")).to_be_visible()
    page.get_by_role("button", name="End it").click()
    expect(page.get_by_text("The silence has ended.")).to_be_visible()
    page.get_by_role("link", name="Rules", exact=True).click()
    expect(page.get_by_text("False alarms a week, whole dashboard")).to_be_visible()
    page.get_by_role("link", name="Bad news surges").click()
    page.get_by_label("At least so many stories").fill("5")
    page.get_by_role("button", name="Back-test 30 days").click()
    expect(page.get_by_role("heading", name="With these values")).to_be_visible()
    expect(page.get_by_role("heading", name="As it is in force")).to_be_visible()
    assert faults == []
