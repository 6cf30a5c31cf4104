"""What is shown and what the model reads, across the forms of mail clients."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.text.cleaning import clean, shown

SAID = "Where is my order?\nIt is two weeks late."

GMAIL = (
    f"{SAID}\n\nOn Mon, 4 Mar 2024 at 10:12, Shop Support <help@shop.example> wrote:\n> Hello,\n> how can we help?\n"
)
GMAIL_WRAPPED = f"{SAID}\n\nOn Mon, 4 Mar 2024 at 10:12, Shop Support\n<help@shop.example>\nwrote:\n\n> Hello\n"
OUTLOOK = (
    f"{SAID}\n\n-----Original Message-----\nFrom: Shop <h@s.example>\nSent: Monday\nTo: Ann\nSubject: Order\n\nHello"
)
OUTLOOK_NEW = (
    f"{SAID}\n\n________________________________\nFrom: Shop <help@shop.example>\nSent: Monday, 4 March 2024 10:12\n"
    "To: Ann Lee\nSubject: Order\n\nHello, how can we help?"
)
OUTLOOK_BOLD = f"{SAID}\n\n*From:* Shop\n*Date:* 4 March\n*To:* Ann\n*Subject:* Order\n\nHello"
APPLE = f"{SAID}\n\nSent from my iPhone\n\n> On 4 Mar 2024, at 10:12, Shop <help@shop.example> wrote:\n> \n> Hello"
GERMAN = f"{SAID}\n\nAm Mo., 4. März 2024 um 10:12 Uhr schrieb Shop <help@shop.example>:\n\n> Hallo"
FRENCH = f"{SAID}\n\nLe lun. 4 mars 2024 à 10:12, Shop <help@shop.example> a écrit :\n\n> Bonjour"
CHINESE = f"{SAID}\n\n2024年3月4日 Shop <help@shop.example> 写道：\n> 你好"
DASHES = f"{SAID}\n\n-- \nAnn Lee\nHead of Everything\n+44 20 7946 0958"
BARE_DASHES = f"{SAID}\n\n--\nAnn Lee"
CLOSING = f"{SAID}\n\nKind regards,\nAnn Lee\nAcme Ltd"
ANDROID = f"{SAID}\n\nSent from my Samsung Galaxy smartphone."
OUTLOOK_APP = f"{SAID}\n\nGet Outlook for iOS<https://aka.ms/o0ukef>"
ABOVE = f"{SAID}\n\n##- Please type your reply above this line -##\n\nTicket 12 was answered."
BOTTOM = f"On Mon, 4 Mar 2024, Shop <help@shop.example> wrote:\n> Hello,\n> which order?\n\n{SAID}"


@pytest.mark.parametrize(
    "body",
    [GMAIL, GMAIL_WRAPPED, OUTLOOK, OUTLOOK_NEW, OUTLOOK_BOLD, APPLE, GERMAN, FRENCH, CHINESE, DASHES, BARE_DASHES,
     CLOSING, ANDROID, OUTLOOK_APP, ABOVE, BOTTOM],
)  # fmt: skip
def test_only_what_was_said_is_read(body: str) -> None:
    assert clean(body) == SAID
    assert clean(body.replace("\n", "\r\n")) == SAID


def test_answers_between_quoted_lines_are_kept() -> None:
    body = "On 4 Mar 2024 at 10:12, Shop <h@s.example> wrote:\n> Which order?\nNumber 81.\n> Which colour?\nBlue."
    assert clean(body) == "Number 81.\nBlue."


@pytest.mark.parametrize(
    ("markup", "expected"),
    [
        (
            '<div dir="ltr">Please refund me.</div><br><div class="gmail_quote"><div class="gmail_attr">On Mon, Mar 4, '
            '2024 at 10:12 AM Shop &lt;<a href="mailto:h@s.example">h@s.example</a>&gt; wrote:<br></div>'
            "<blockquote>Hello</blockquote></div>",
            "Please refund me.",
        ),
        (
            '<p>Please refund me.</p><div id="Signature"><p>Ann</p></div><hr><div id="divRplyFwdMsg"><b>From:</b> Shop'
            "<br><b>Sent:</b> Monday<br><b>To:</b> Ann<br><b>Subject:</b> Order</div><p>Hello</p>",
            "Please refund me.",
        ),
        ("<p>Please refund me.</p><blockquote type='cite'>Hello</blockquote>", "Please refund me."),
    ],
)
def test_quotes_in_html_mail_are_not_read(markup: str, expected: str) -> None:
    assert clean(markup, is_html=True) == expected


@pytest.mark.parametrize(
    "body",
    [
        "> everything is quoted",
        "On 4 Mar 2024 at 10:12, Shop <h@s.example> wrote:\n> all of it",
        "Sent from my iPhone",
        "-----Original Message-----\nFrom: a\nTo: b\nSubject: c\n\nHello",
        "Kind regards,\nAnn",
        "???",
    ],
)
def test_never_to_emptiness(body: str) -> None:
    assert clean(body) != ""


@pytest.mark.parametrize(
    "body",
    [
        "From: the moment I paid: nothing. To be honest, I am angry.",
        "Sent via bank transfer yesterday, not arrived.",
        "Sent from my bank by mobile 50 euro and still not there, please look into this as soon as you can",
        "On Monday your agent wrote: all is well.",
        "Regards the order 81: where is it?",
        "Where is it?\n\nRegards,\nAnn\nPS: it is order 81",
    ],
)
def test_sentences_that_look_like_mail_furniture_stay(body: str) -> None:
    assert clean(body) == body


def test_a_forwarded_message_is_what_was_said() -> None:
    head = "---------- Forwarded message ---------\nFrom: Ann <a@b.example>\nDate: Mon\nSubject: x\nTo: y"
    body = f"Please see below.\n\n{head}\n\nMy card is lost."
    assert clean(body).endswith("My card is lost.")


def test_shown_keeps_quotes_and_signature_but_no_tricks() -> None:
    assert shown("a\0b\r\n> q\u202e\u200b\n-- \nAnn") == "ab\n> q\n--\nAnn"
    assert shown("<p>Hi</p><script>x</script>", is_html=True) == "Hi"


@given(st.text(max_size=300), st.booleans())
def test_any_text_is_read(body: str, is_html: bool) -> None:
    text = clean(body, is_html=is_html)
    assert text == text.strip()
    assert "\0" not in text
    if any(char.isalnum() and char.isascii() for char in body) and not is_html:
        assert text


PIECES = [
    "<div>",
    "<a '>' ",
    '<a ">',
    "> ",
    "On wrote wrote 2024:\n",
    "From: a\n",
    "--\n",
    "_" * 20 + "\n",
    "sent from my a b ",
    "&a",
    "\n",
    "<!--",
]


@settings(max_examples=12, deadline=None)
@given(st.sampled_from(PIECES))
def test_a_megabyte_takes_less_than_a_second(piece: str) -> None:
    body = (piece * (1_000_000 // len(piece) + 1))[:1_000_000]
    begun = time.thread_time()
    clean(body, is_html=True)
    assert time.thread_time() - begun < 3  # of processor time, on a busy machine; idle it is below 1
