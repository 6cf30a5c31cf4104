"""A queue of twenty tickets cleared from the keyboard alone: read, correct, answer by macro, undo, go on."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from app.core import clock
from app.core.durations import HOUR_MS
from app.core.permissions import SYSTEM
from app.desk.domain.ticket import TicketDraft, TicketFilter
from app.desk.flows import file_ticket, keep_queues
from app.desk.store import inbox_query
from app.desk.store import tickets as rows
from app.intents.store import corrections
from tests.app.site import PASSWORD
from tests.browser.conftest import Live, worker
from tests.browser.test_desk import _faults

N_TICKETS = 20


@pytest.fixture
def queue(live: Live) -> int:
    """A queue of twenty tickets, oldest the riskiest."""
    services = live.house.site.services
    made = keep_queues.add_queue(
        services, viewer=SYSTEM, slug="night", title="Night shift", intent_task="banking_intent"
    )
    for number in range(N_TICKETS):
        draft = TicketDraft(
            subject=f"Card {number}",
            body=f"My card number {number} was stolen, please help",
            channel="chat",
            customer_name=f"Customer {number}",
            queue="night",
            occurred_at=clock.now_ms() - (N_TICKETS - number) * HOUR_MS // 10,
        )
        file_ticket.receive(services, draft, viewer=SYSTEM)
    return made.id


def _ready(page: Page, heading: str) -> None:
    expect(page.get_by_role("heading", level=1)).to_contain_text(re.compile(rf"{heading}\b"))
    page.wait_for_load_state()


def _heading(page: Page) -> str:
    page.wait_for_load_state()
    return page.locator("h1").inner_text()


def _goes_on(page: Page, key: str, *, from_heading: str) -> None:
    page.keyboard.press(key)
    expect(page.locator("h1")).not_to_have_text(from_heading)
    page.wait_for_load_state()


def _open(page: Page) -> str:
    """To the queue by the palette, take its first ticket, open the next; its heading."""
    # The palette leads to the queue.
    page.wait_for_load_state()
    page.keyboard.press("Control+k")
    expect(page.get_by_role("dialog", name="Commands")).to_be_visible()
    page.keyboard.type("night sh")
    expect(page.get_by_role("option", name="Night shift")).to_be_visible()
    page.keyboard.press("Enter")
    _ready(page, "Night shift")
    expect(page.locator(".row-ticket")).to_have_count(N_TICKETS)
    # Take the first from the inbox, then open it.
    page.keyboard.press("j")
    page.keyboard.press("a")
    expect(page.get_by_text("is yours.")).to_be_visible()
    page.wait_for_load_state()
    page.keyboard.press("j")
    page.keyboard.press("o")
    _ready(page, "Card")
    return _heading(page)


def _correct_and_note(page: Page) -> None:
    # Correct its label by a digit, and take that back.
    page.keyboard.press("l")
    expect(page.get_by_role("dialog", name="What is right?")).to_be_visible()
    page.keyboard.press("2")
    expect(page.get_by_text("corrected by Agent")).to_be_visible()
    page.wait_for_load_state()
    page.keyboard.press("u")
    expect(page.get_by_text("Taken back.")).to_be_visible()
    page.wait_for_load_state()
    page.keyboard.press("l")
    page.keyboard.press("2")
    expect(page.get_by_text("corrected by Agent")).to_be_visible()
    page.wait_for_load_state()
    # A note, then on with j and back with k.
    page.keyboard.press("n")
    page.keyboard.type("Called her.")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("The note is kept.")).to_be_visible()
    page.wait_for_load_state()


def _walk_and_solve(page: Page, first: str) -> None:
    _goes_on(page, "j", from_heading=first)
    _goes_on(page, "k", from_heading=_heading(page))
    expect(page.locator("h1")).to_have_text(first)
    # Solve the first by e, call that back by u, and go through the others by macro.
    _goes_on(page, "e", from_heading=first)
    page.keyboard.press("u")
    expect(page.get_by_text("Taken back.")).to_be_visible()
    _ready(page, "Card")
    expect(page.locator("h1")).to_have_text(first)
    _goes_on(page, "e", from_heading=first)


def _answer_by_macro(page: Page, n: int) -> None:
    for _ in range(n):
        heading = _heading(page)
        page.keyboard.press("1")
        # The macro asks for what it lacks, and takes nothing empty.
        ask = page.get_by_role("dialog", name="Still empty")
        expect(ask).to_be_visible()
        page.keyboard.press("Enter")
        expect(ask.get_by_role("alert")).to_contain_text("The macro needs all of these")
        page.keyboard.type("C-7")
        page.keyboard.press("Enter")
        box = page.locator("#reply-body")
        expect(box).to_be_focused()
        expect(box).to_have_value(re.compile(r"your card is blocked\. Your case is C-7\.$"))
        _goes_on(page, "Control+Shift+Enter", from_heading=heading)


def _answer_the_last(page: Page) -> None:
    # The last: a reply sent too early is called back into the box.
    last = _heading(page)
    page.keyboard.press("r")
    page.keyboard.type("We are on it")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("until then it can be called back")).to_be_visible()
    page.wait_for_load_state()
    page.keyboard.press("u")
    expect(page.locator("#reply-body")).to_have_value("We are on it")
    page.wait_for_load_state()
    page.keyboard.press("r")
    page.keyboard.press("End")
    page.keyboard.type(", and will write today.")
    _goes_on(page, "Control+Shift+Enter", from_heading=last)
    _ready(page, "Night shift")
    expect(page.get_by_text("No tickets are waiting")).to_be_visible()


def _sign_in(live: Live) -> Page:
    """A page of somebody who signs in from the keyboard."""
    page = live.browser.new_context(base_url=live.address, viewport={"width": 1280, "height": 900}).new_page()
    page.goto("/sign-in")
    page.get_by_label("E-mail").focus()
    page.keyboard.type(live.house.site.person("agent").email)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Tickets")
    page.wait_for_load_state()
    return page


def _change_all_and_undo(live: Live, page: Page, queue: int) -> None:
    # All that was solved is closed at once, and that is taken back as a whole.
    page.goto(f"/tickets?queue={queue}&status=solved")
    page.wait_for_load_state()
    expect(page.locator(".row-ticket")).to_have_count(N_TICKETS)
    with worker(live):
        page.keyboard.press("b")
        _ready(page, "Change many tickets")
        page.locator(".bulk-action", has=page.locator("input[value=set_status]")).locator("select").focus()
        page.keyboard.type("Closed")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(page.get_by_text(f"This is done to {N_TICKETS} tickets.")).to_be_visible()
        page.get_by_role("button", name="Do it").focus()
        page.keyboard.press("Enter")
        expect(page.get_by_role("button", name="Undo this change")).to_be_visible()
        assert len(_all(live, TicketFilter(status=("closed",), queue_id=queue))) == N_TICKETS
        page.keyboard.press("u")
        _ready(page, "Undo of a change of many tickets")
        expect(page.get_by_text("Done.", exact=True)).to_be_visible()


def _read_the_report(page: Page) -> None:
    page.keyboard.press("Control+k")
    expect(page.get_by_role("dialog", name="Commands")).to_be_visible()
    page.keyboard.type("repor")
    expect(page.get_by_role("option", name="Reports")).to_be_visible()
    page.keyboard.press("Enter")
    _ready(page, "Reports")
    row = page.get_by_role("row", name=re.compile(r"^Agent \d"))
    n_replies, n_solved = (int(row.get_by_role("cell").nth(at).inner_text()) for at in (1, 2))
    assert n_replies >= N_TICKETS - 1
    assert n_solved >= N_TICKETS


def test_a_shift_from_the_keyboard_from_sign_in_to_the_report(live: Live, queue: int) -> None:
    page = _sign_in(live)
    faults = _faults(page)
    first = _open(page)
    _correct_and_note(page)
    _walk_and_solve(page, first)
    _answer_by_macro(page, N_TICKETS - 2)
    _answer_the_last(page)
    _change_all_and_undo(live, page, queue)
    _read_the_report(page)
    assert faults == []
    services = live.house.site.services
    solved = rows.status_counts(services.db, viewer=live.house.viewer())["solved"]
    assert solved >= N_TICKETS
    chosen = TicketFilter(status=("solved",), queue_id=queue)
    assert len(list(_all(live, chosen))) == N_TICKETS
    assert corrections.count_by_task(services.db)["banking_intent"] >= 1


def _all(live: Live, chosen: TicketFilter) -> list[int]:
    found = inbox_query.each(live.house.site.services.db, chosen, viewer=live.house.viewer())
    return [ticket.id for ticket in found]


def test_no_key_is_heard_while_writing_and_escape_leaves_every_place(live: Live) -> None:
    page = live.page("agent")
    page.goto(f"/tickets/{live.house.stolen}")
    page.wait_for_load_state()
    page.keyboard.press("r")
    page.keyboard.type("jkamsu?l1")
    expect(page.locator("#reply-body")).to_have_value("jkamsu?l1")
    page.keyboard.press("Escape")
    expect(page.locator("#reply-body")).not_to_be_focused()
    for key, name in (("?", "Keys"), ("l", "What is right?"), ("Control+k", "Commands")):
        page.keyboard.press(key)
        expect(page.get_by_role("dialog", name=name)).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)
    page.keyboard.press("Escape")
    expect(page.get_by_role("heading", level=1)).to_have_text("Tickets")


def test_a_dialog_that_closes_swallows_no_key(live: Live) -> None:
    page = live.page("agent")
    page.goto(f"/tickets/{live.house.stolen}")
    page.wait_for_load_state()
    page.keyboard.press("Control+k")
    expect(page.locator("#palette-query")).to_be_focused()
    # Both in one turn: no frame lies between, so the field still has the focus when the key comes.
    page.evaluate(
        """() => {
        const field = document.getElementById("palette-query");
        field.closest("dialog").close();
        field.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape", bubbles: true, cancelable: true }));
    }"""
    )
    expect(page.get_by_role("heading", level=1)).to_have_text("Tickets")


def test_two_agents_see_each_other(live: Live) -> None:
    one, other = live.page("agent"), live.page("admin")
    one.goto(f"/tickets/{live.house.unsure}")
    one.wait_for_load_state()
    other.goto(f"/tickets/{live.house.unsure}")
    expect(other.locator("#present")).to_contain_text("Agent is reading this ticket too.")
