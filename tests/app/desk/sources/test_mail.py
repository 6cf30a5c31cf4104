"""Mail files: every encoding, broken MIME, attachments, and mail that programs write."""

import base64
import quopri
import time
from collections.abc import Callable
from email.message import EmailMessage

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.errors import InputError
from app.desk.domain.ticket import TicketDraft
from app.desk.sources.ticket_drafts import from_eml

HEAD = (
    b"From: Ann Lee <Ann@Example.org>\r\nSubject: Order\r\nMessage-ID: <1@x>\r\n"
    b"Date: Mon, 04 Mar 2024 10:00:00 +0000\r\n"
)


def _quoted(raw: bytes) -> bytes:
    return quopri.encodestring(raw)


def read(raw: bytes, *, cap: int = 1000) -> TicketDraft:
    return from_eml(raw, max_attachment_bytes=cap)


def test_reads_a_simple_mail() -> None:
    draft = read(HEAD + b"In-Reply-To: <0@x>\r\nReferences: <a@x>\r\n <0@x>\r\n\r\nWhere is it?\r\n")
    assert draft == TicketDraft(
        subject="Order",
        body="Where is it?",
        channel="email",
        customer_name="Ann Lee",
        customer_email="ann@example.org",
        message_id="1@x",
        in_reply_to="0@x",
        references=("a@x", "0@x"),
        occurred_at=1_709_546_400_000,
    )


@pytest.mark.parametrize("encoding", ["base64", "quoted-printable", "8bit"])
@pytest.mark.parametrize(
    ("charset", "text"),
    [
        ("utf-8", "Où est-il?"),
        ("iso-8859-1", "Où est-il?"),
        ("windows-1252", "Où est-il? 5 €"),
        ("koi8-r", "Где мой заказ?"),
        ("gb2312", "我的订单在哪里"),
        ("shift_jis", "注文はどこ"),
        ("big5", "訂單在哪裡"),
        ("iso-2022-jp", "注文はどこ"),
    ],
)
def test_reads_every_encoding(charset: str, text: str, encoding: str) -> None:
    encoders: dict[str, Callable[[bytes], bytes]] = {"base64": base64.encodebytes, "quoted-printable": _quoted}
    sent = encoders.get(encoding, bytes)(text.encode(charset))
    head = f"Content-Type: text/plain; charset={charset}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n".encode()
    assert read(HEAD + head + sent).body == text


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (b"=?utf-8?B?" + base64.b64encode("Où?".encode()) + b"?=", "Où?"),
        (b"=?iso-8859-1?Q?O=F9=3F?= =?iso-8859-1?Q?_l=E0?=", "Où? là"),
        ("Où?".encode(), "Où?"),
        ("Où?".encode("latin-1"), "Où?"),
        (b"=?no-such?Q?Ou?=", "Ou"),
        (b"=?utf-8?B?broken", "=?utf-8?B?broken"),
        (b"folded\r\n line", "folded line"),
        (b"a" * 3000, "a" * 499 + "…"),
    ],
)
def test_reads_every_subject(header: bytes, expected: str) -> None:
    assert read(b"From: a@b.example\r\nSubject: " + header + b"\r\n\r\nx").subject == expected


def _alternative(plain: str, markup: str) -> bytes:
    mail = EmailMessage()
    mail["From"], mail["Subject"] = "a@b.example", "s"
    mail.set_content(plain)
    mail.add_alternative(markup, subtype="html")
    return mail.as_bytes()


def test_the_plain_part_is_read_unless_it_says_nothing() -> None:
    draft = read(_alternative("Where is my order 81?", "<p>Where is my order 81?</p>"))
    assert (draft.body, draft.is_html) == ("Where is my order 81?", False)
    draft = read(_alternative("See HTML.", "<p>" + "Where is my order 81? " * 5 + "</p>"))
    assert draft.is_html
    assert "order 81" in draft.body


def _with_files(*sizes: int) -> bytes:
    mail = EmailMessage()
    mail["From"], mail["Subject"], mail["Message-ID"] = "a@b.example", "s", "<1@x>"
    mail.set_content("See the files.")
    for size in sizes:
        mail.add_attachment(b"x" * size, maintype="image", subtype="png", filename=f"../über/{size} é.png")
    return mail.as_bytes()


def test_attachments_over_the_cap_keep_their_name_only() -> None:
    draft = read(_with_files(1000, 1001, 90_000))
    assert draft.body == "See the files."
    assert [(file.name, len(file.content), file.is_left_out) for file in draft.attachments] == [
        ("1000 é.png", 1000, False),
        ("1001 é.png", 0, True),
        ("90000 é.png", 0, True),
    ]
    assert draft.attachments[0].media_type == "image/png"


def test_an_attached_mail_is_a_file_and_not_the_text() -> None:
    inner = EmailMessage()
    inner["Subject"] = "inner"
    inner.set_content("Not mine.")
    outer = EmailMessage()
    outer["From"], outer["Subject"] = "a@b.example", "outer"
    outer.set_content("Mine.")
    outer.add_attachment(inner)
    draft = read(outer.as_bytes())
    assert draft.body == "Mine."
    assert b"Not mine." in draft.attachments[0].content


@pytest.mark.parametrize(
    "header",
    [
        b"Auto-Submitted: auto-replied",
        b"Auto-Submitted: auto-generated; owner-email=x",
        b"Precedence: bulk",
        b"X-Autoreply: yes",
        b"Return-Path: <>",
        b"Content-Type: multipart/report; boundary=x",
        b"Subject: Automatic reply: Order",
        b"Subject: Out of office",
        b"From: MAILER-DAEMON@x.example",
    ],
)
def test_knows_mail_that_a_program_wrote(header: bytes) -> None:
    others = b"" if header.startswith((b"From", b"Subject")) else b"From: a@b.example\r\n"
    assert read(others + header + b"\r\n\r\ntext").is_automatic


@pytest.mark.parametrize(
    "header", [b"Auto-Submitted: no", b"Precedence: normal", b"Subject: Re: automatic payments", b"X-Y: z"]
)
def test_knows_mail_that_a_person_wrote(header: bytes) -> None:
    assert not read(b"From: a@b.example\r\n" + header + b"\r\n\r\ntext").is_automatic


def test_the_same_file_without_an_id_is_the_same_message() -> None:
    raw = b"From: a@b.example\r\n\r\nWhere?"
    assert read(raw).message_id is None
    assert read(raw).external_id == read(raw).external_id != read(raw + b"!").external_id


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"From: no-reply@shop.example\r\nReply-To: Ann <ann@x.example>\r\n", ("Ann", "ann@x.example")),
        (b"From: bob@x.example\r\nReply-To: list@x.example\r\n", ("", "bob@x.example")),
        (b"From: =?utf-8?Q?J=C3=B6rg?= <j@x.example>\r\n", ("Jörg", "j@x.example")),
        (b'From: "Lee, Ann" <ann@x.example>\r\n', ("Lee, Ann", "ann@x.example")),
        (b"From: nobody\r\n", ("nobody", None)),
        (b"From: <<>>\r\nSender: ann@x.example\r\n", ("", "ann@x.example")),
        (b"Subject: no sender\r\n", ("", None)),
    ],
)
def test_who_writes(head: bytes, expected: tuple[str, str | None]) -> None:
    draft = read(head + b"\r\nx")
    assert (draft.customer_name, draft.customer_email) == expected


@pytest.mark.parametrize(
    "raw",
    [
        HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nno closing boundary",
        HEAD + b"Content-Type: multipart/mixed\r\n\r\nno boundary at all",
        HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\nboundary never used",
        HEAD + b"Content-Transfer-Encoding: base64\r\n\r\n!!! not base64 at all",
        HEAD + b'Content-Type: text/plain; charset="\r\n\r\nx',
        HEAD + b"Content-Type: nonsense\r\n\r\nx",
        HEAD + b"Date: never\r\nReferences: nonsense\r\n\r\nx\0\xff\xfe",
        b"\r\n\r\n" + HEAD + b"\r\nx",
        b"\xef\xbb\xbf" + HEAD + b"\r\nx",
        b"From x Mon Mar 4\r\n" + HEAD + b"\r\nx",
        HEAD.replace(b"\r\n", b"\n") + b"\nx",
        HEAD.replace(b"\r\n", b"\r") + b"\rx",
    ],
)
def test_broken_mail_is_read_as_well_as_it_can_be(raw: bytes) -> None:
    draft = read(raw)
    assert (draft.subject, draft.body != "") == ("Order", True)
    assert "\0" not in draft.body


@pytest.mark.parametrize("raw", [b"", b"\0\1\2\xff" * 50, b"%PDF-1.7\nbinary", b"just a sentence", b'{"json": true}'])
def test_what_is_no_mail_is_refused(raw: bytes) -> None:
    with pytest.raises(InputError) as caught:
        read(raw)
    assert caught.value.code == "not_a_mail"


def test_an_empty_mail_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        read(b"From: a@b.example\r\n\r\n \r\n")
    assert caught.value.code == "empty_mail"


def test_a_mail_of_many_nested_parts_is_read_as_its_source() -> None:
    raw = HEAD
    for level in range(3000):
        raw += f'Content-Type: multipart/mixed; boundary="b{level}"\r\n\r\n--b{level}\r\n'.encode()
    draft = read(raw + b"\r\nWhere is it?" + b"\r\nx" * 20_000)
    assert (draft.subject, "Where is it?" in draft.body) == ("Order", True)


BROKEN_HEADERS = {
    "brackets": b"Reply-To: " + b"(" * 600 + b"\r\n",
    "colons": b"Sender: " + b":" * 5000 + b"\r\n",
    "a parameter in pieces": b"Content-Disposition: inline; filename*=utf-8''a; filename*1*=b\r\n",
    "a boundary in pieces": b"Content-Type: multipart/mixed; boundary*=utf-8''a; boundary*1*=b\r\n",
    "a null in the charset": b'Content-Type: text/plain; charset="ut\0f"\r\n',
    "a null in the charset of the charset": b"Content-Type: text/plain; charset*=u\0''x\r\n",
    "a slow codec": b"Content-Type: text/plain; charset=punycode\r\n",
    "a null in an encoded word": b"Comments: =?a\0?Q?b?=\r\n",
    "a name with a null": b"Content-Disposition: attachment; filename*=u\0''%41\r\n",
    "many parameters": b"Content-Type: text/plain" + b"; a=b" * 200_000 + b"\r\n",
    "a long header": b"X-Long: " + b"=?utf-8?q?" * 500_000 + b"\r\n",
}


@pytest.mark.parametrize("broken", BROKEN_HEADERS.values(), ids=BROKEN_HEADERS)
def test_a_broken_header_costs_no_more_than_itself(broken: bytes) -> None:
    before = time.process_time()
    draft = read(broken + HEAD + b"\r\nWo ist es? \xc3\xbc" + b"\xc3\xbc" * 20_000, cap=100_000)
    assert (draft.subject, draft.customer_email, draft.message_id) == ("Order", "ann@example.org", "1@x")
    assert draft.body.startswith("Wo ist es? ü") or draft.attachments[0].content.startswith(b"Wo ist es?")
    assert time.process_time() - before < 2


def test_a_sender_in_brackets_is_kept_as_it_is_written() -> None:
    draft = read(b"From: " + b"(" * 600 + b"\r\nSubject: Order\r\n\r\nx")
    assert (draft.customer_name[:5], len(draft.customer_name), draft.customer_email) == ("(((((", 200, None)
    draft = read(b"From: " + b"(" * 600 + b" <ann@example.org>\r\nSubject: Order\r\n\r\nx")
    assert draft.customer_email == "ann@example.org"


def test_a_mail_of_more_lines_than_a_parser_reads_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        read(HEAD + b"\r\n" + b"\n" * 1_500_001)
    assert caught.value.code == "too_many_lines"


LINES = [
    b"Content-Type: multipart/mixed; boundary=b",
    b"--b",
    b"--b--",
    b"",
    b"Content-Transfer-Encoding: base64",
    b"=?utf-8?Q?=ff?=",
    b"Content-Disposition: attachment; filename*=x''%ff",
    b"Content-Type: message/rfc822",
    b"\xff\0",
    b"Subject: =?x?",
    b"To: <",
]


@settings(max_examples=80, deadline=None)
@given(st.lists(st.sampled_from(LINES) | st.binary(max_size=20), max_size=12))
def test_no_mail_breaks_it(lines: list[bytes]) -> None:
    try:
        draft = read(HEAD + b"\r\n".join(lines))
    except InputError:
        return
    assert draft.subject.encode("utf-8") is not None
