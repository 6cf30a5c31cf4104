"""Teaching from the keyboard: confirmed, corrected, skipped, taken back."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from app.core.permissions import SYSTEM
from app.desk.domain.ticket import TicketDraft
from app.desk.flows import file_ticket
from app.intents.store import corrections
from tests.browser.conftest import Live
from tests.browser.test_desk import _faults


def _asked(page: Page) -> str:
    page.wait_for_load_state()
    return page.locator("#asked").inner_text()


def test_doubts_are_answered_with_one_key_each(live: Live) -> None:
    services = live.house.site.services
    for number in range(4):
        draft = TicketDraft(subject=f"Doubt {number}", body=f"hmm, about {number}", channel="api", queue="shop")
        file_ticket.receive(services, draft, viewer=SYSTEM)
    before = corrections.count_by_task(services.db).get("commerce_intent", 0)
    page = live.page("agent")
    faults = _faults(page)
    page.goto("/tickets")
    page.get_by_role("link", name="Teach").click()
    first = _asked(page)
    page.keyboard.press("1")
    expect(page.get_by_text(re.compile("confirmed, “"))).to_be_visible()
    expect(page.locator("#asked")).not_to_have_text(first)
    second = _asked(page)
    page.keyboard.press("3")
    expect(page.get_by_text(re.compile("corrected to “"))).to_be_visible()
    expect(page.locator("#asked")).not_to_have_text(second)
    page.wait_for_load_state()
    # What was taken back is asked about again.
    page.keyboard.press("u")
    expect(page.get_by_text("Taken back.")).to_be_visible()
    third = _asked(page)
    page.keyboard.press("s")
    expect(page.locator("#asked")).not_to_have_text(third)
    page.wait_for_load_state()
    expect(page.get_by_text("1 of 20")).to_be_visible()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    expect(page.get_by_role("heading", level=1)).to_have_text("Tickets")
    assert corrections.count_by_task(services.db)["commerce_intent"] == before + 1
    assert faults == []
