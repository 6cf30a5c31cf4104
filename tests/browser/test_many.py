"""A filter, a change of all that it leaves, its undo; saved views; and news that do not move the list."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from app.core.permissions import SYSTEM
from app.desk.domain.ticket import TicketDraft
from app.desk.flows import file_ticket
from tests.browser.conftest import Live, worker


@pytest.mark.parametrize("with_script", [True, False])
def test_a_filter_is_changed_as_a_whole_and_taken_back(live: Live, with_script: bool) -> None:
    signed_in = live.page("agent")
    context = live.browser.new_context(
        base_url=live.address, java_script_enabled=with_script, storage_state=signed_in.context.storage_state()
    )
    page = context.new_page()
    with worker(live):
        page.goto("/tickets?intent=lost_or_stolen_card")
        rows = page.locator(".row-ticket")
        n_before = rows.count()
        assert n_before > 0
        page.locator(".bulk-line a").first.click()
        row = page.locator(".bulk-action", has=page.locator("input[value=set_status]"))
        row.locator("select").select_option("closed")
        row.get_by_role("button").click()
        expect(page.get_by_text("This is done to")).to_be_visible()
        page.get_by_role("button", name="Do it").click()
        expect(page.get_by_role("button", name="Undo this change")).to_be_visible()
        page.get_by_role("button", name="Undo this change").click()
        expect(page.get_by_text("Done.", exact=True)).to_be_visible()
        page.goto("/tickets?intent=lost_or_stolen_card")
        expect(rows).to_have_count(n_before)
    context.close()


def test_news_are_told_and_the_list_stays(live: Live) -> None:
    page = live.page("agent")
    page.goto("/tickets")
    first = page.locator(".row-subject a").first.text_content()
    draft = TicketDraft(subject="Fresh from the post", body="my card was stolen again", channel="api", queue="cards")
    made = file_ticket.receive(live.house.site.services, draft, viewer=SYSTEM).ticket
    expect(page.locator(".news")).to_contain_text("1 new ticket")
    expect(page.locator(".row-subject a").first).to_have_text(first or "")
    page.locator(".news button").click()
    expect(page.get_by_role("link", name=made.subject)).to_be_visible()


def test_a_view_is_saved_from_the_page_and_found_at_the_side(live: Live) -> None:
    page = live.page("agent")
    page.goto("/tickets?sentiment=negative")
    page.get_by_text("Save this view").click()
    page.get_by_label("Name").fill("Unhappy")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("link", name="Unhappy")).to_have_attribute("aria-current", "page")
    page.get_by_role("button", name="Remove the view Unhappy").click()
    expect(page.get_by_role("link", name="Unhappy")).to_have_count(0)
