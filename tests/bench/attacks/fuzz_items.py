"""Mails and feeds that nobody sends by accident: mutated and generated, the same ones for the same seed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from random import Random

HEAD = (
    b"From: Ann Lee <ann@example.org>\r\nTo: help@desk.example\r\nSubject: Order 81\r\nMessage-ID: <1@example.org>\r\n"
)
DATE = b"Date: Mon, 04 Mar 2024 10:00:00 +0000\r\nMIME-Version: 1.0\r\n"
MAILS: tuple[bytes, ...] = (
    HEAD + DATE + b"\r\nWhere is my order?\r\n-- \r\nAnn\r\n",
    HEAD
    + b'Content-Type: multipart/alternative; boundary="b1"\r\n\r\n--b1\r\nContent-Type: text/plain; charset=utf-8\r\n'
    b"Content-Transfer-Encoding: quoted-printable\r\n\r\nO=C3=B9 est-il?\r\n--b1\r\nContent-Type: text/html\r\n\r\n"
    b"<p>O&ugrave; <b>est-il</b>?</p><blockquote>old</blockquote>\r\n--b1--\r\n",
    HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nsee file\r\n--b\r\nContent-Type: image/png\r\n"
    b"Content-Disposition: attachment; filename*0*=utf-8''%c3%bc; filename*1=b.png\r\n"
    b"Content-Transfer-Encoding: base64\r\n\r\naGVsbG8gd29ybGQ=\r\n--b--\r\n",
    b"From: =?utf-8?Q?=C3=89va?= <eva@example.org>\r\nReply-To: (a comment) eva@example.org\r\n"
    b"Subject: =?iso-8859-1?B?T/k=?= =?utf-8?Q?_l=C3=A0?=\r\nReferences: <a@x>\r\n <b@x>\r\nIn-Reply-To: <b@x>\r\n"
    b"Content-Type: text/plain; charset=gb2312\r\nContent-Transfer-Encoding: 8bit\r\n\r\n\xce\xd2\xb5\xc4\r\n",
    b"From: MAILER-DAEMON@x.org\r\nSubject: Undelivered\r\nAuto-Submitted: auto-replied\r\n"
    b"Content-Type: multipart/report; report-type=delivery-status; boundary=r\r\n\r\n--r\r\n\r\nfailed\r\n--r\r\n"
    b"Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; x\r\n\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n"
    b"--r\r\nContent-Type: message/rfc822\r\n\r\nMessage-ID: <sent@desk>\r\nSubject: Re\r\n\r\nhello\r\n--r--\r\n",
    HEAD
    + b"Content-Type: text/html; charset=windows-1252\r\n\r\n<html><head><style>p{}</style></head><body><table><tr>"
    b"<td>Caf\xe9</td></tr></table><div style='display:none'>hidden</div>On 3 May 2024, Ann wrote:<br>"
    b"&gt; old</body>\r\n",
    HEAD + b"Content-Type: text/plain; charset*=utf-8''utf-16\r\nContent-Transfer-Encoding: x-uuencode\r\n\r\n"
    b"begin 644 a\r\n#86)C\r\n`\r\nend\r\n+49 30 1234567, 4111 1111 1111 1111, DE89 3704 0044 0532 0130 00\r\n",
)
MAIL_TOKENS: tuple[bytes, ...] = (
    *(b"(", b")", b"<", b">", b"@", b",", b";", b":", b'"', b"\\", b"=", b"?", b"\0", b"\xff", b"\r", b"\n", b"\r\n"),
    *(b"\r\n\r\n", b" ", b"\t", b"*", b"'", b"%", b"--", b"--b", b"--b--\r\n", b"[", b"]", b"&#99999999999;", b"<!--"),
    *(
        b"=?utf-8?Q?=ff?=",
        b"=?a\0?B?b?=",
        b"=?x?q?",
        b"?=",
        b"utf-7",
        b"punycode",
        b"idna",
        b"undefined",
        b"unicode_escape",
    ),
    *(
        b"utf-16",
        b"zip",
        b"rot13",
        b"hz",
        b"iso-2022-kr",
        b"; filename*=utf-8''a; filename*1*=b",
        b"; boundary*0*=u''b",
    ),
    *(b"\r\nContent-Type: ", b"multipart/mixed; boundary=b", b"message/rfc822", b"message/partial", b"text/html"),
    *(b"\r\nContent-Disposition: attachment; filename=", b"\r\nContent-Transfer-Encoding: ", b"base64", b"x-uuencode"),
    *(
        b"\r\nDate: ",
        b"Mon, 99 Foo 99999 99:99:99 +9999",
        b"\r\nFrom: ",
        b"\r\nReply-To: ",
        b"\r\nBcc: ",
        b"group: a@b, c@d;",
    ),
    *(
        b"<table>",
        b"<blockquote>",
        b"<style>",
        b"</div>",
        b"<a href='",
        b"&amp",
        b"4111 1111 1111 1111",
        b"\xef\xbb\xbf",
    ),
    *(
        "日本語".encode(),
        "\u202e".encode(),
        "\ud800".encode("utf-8", "surrogatepass"),
        "🙂".encode(),
        b"\xfe\xff",
        b"\xff\xfe",
    ),
)

_ITEM = (
    b"<item><guid>a1</guid><title>Northwharf falls after strike</title><link>https://wire.example/a1</link>"
    b"<pubDate>Mon, 02 Mar 2026 09:00:00 GMT</pubDate><description>&lt;p&gt;Three ports stand still.&lt;/p&gt;"
    b"</description></item>"
)
FEEDS: tuple[bytes, ...] = (
    b"<?xml version='1.0' encoding='utf-8'?><rss version='2.0'><channel><title>W</title>"
    + _ITEM * 2
    + b"</channel></rss>",
    b"<feed xmlns='http://www.w3.org/2005/Atom'><title>L</title><entry><id>urn:1</id><title type='html'>"
    b"N &amp;amp; M</title>"
    b"<link href='https://l.example/1'/><updated>2026-03-02T11:00:00Z</updated><author><name>J</name></author>"
    b"<content type='xhtml'><div xmlns='http://www.w3.org/1999/xhtml'><p>x</p></div></content></entry></feed>",
    b"<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' xmlns='http://purl.org/rss/1.0/' "
    b"xmlns:dc='http://purl.org/dc/elements/1.1/'><channel/><item rdf:about='u'><title>T</title><dc:date>2026-03-02"
    b"</dc:date><dc:creator>C</dc:creator></item></rdf:RDF>",
    b"<rss version='2.0' xmlns:media='http://search.yahoo.com/mrss/' xmlns:georss='http://www.georss.org/georss' "
    b"xmlns:gml='http://www.opengis.net/gml' xmlns:itunes='http://www.itunes.com/dtds/podcast-1.0.dtd' "
    b"xmlns:psc='http://podlove.org/simple-chapters' xmlns:content='http://purl.org/rss/1.0/modules/content/'><channel>"
    b"<item><title><![CDATA[A <b>bold</b> claim]]></title><content:encoded><![CDATA[<p>x</p>]]></content:encoded>"
    b"<media:content url='u' width='5'/><georss:point>45 -71</georss:point><georss:polygon>1 2 3 4 5 6</georss:polygon>"
    b"<gml:Point srsDimension='2' srsName='EPSG:4326'><gml:pos>1 2</gml:pos></gml:Point><itunes:duration>1:2:3"
    b"</itunes:duration><psc:chapters><psc:chapter start='00:01:02.003' title='t'/></psc:chapters>"
    b"<enclosure url='u' length='5' type='audio/mp3'/></item></channel></rss>",
    b"<!DOCTYPE rss [<!ENTITY a 'x'><!ENTITY b '&a;&a;'>]><rss version='0.91'><channel><item><title>&b;</title>"
    b"<source url='s'>S</source><category domain='d'>c</category></item></channel></rss>",
    "<?xml version='1.0' encoding='utf-16'?><rss version='2.0'><item><title>é</title></item></rss>".encode("utf-16"),
    b"<?xml version='1.0' encoding='windows-1251'?><rss version='2.0'><channel><item><title>\xcd\xee\xe2</title></item>"
    b"</channel></rss>",
)
FEED_TOKENS: tuple[bytes, ...] = (
    *(
        b"<",
        b">",
        b"/",
        b"&",
        b";",
        b"'",
        b'"',
        b"=",
        b"!",
        b"[",
        b"]]>",
        b"<![CDATA[",
        b"<!--",
        b"-->",
        b"<?",
        b"?>",
        b"\0",
    ),
    *(
        b"&#99999999999;",
        b"&#x110000;",
        b"&#0;",
        b"&#55296;",
        b"&#x;",
        b"&nosuch;",
        b"&lt;",
        b"&amp;amp;",
        b"\xff",
        b"\xc3",
    ),
    *(b"<item>", b"</item>", b"<entry>", b"<title>", b"</title>", b"<link>", b"<description>", b"<item a='1' b='2'>"),
    *(b"<!DOCTYPE a [<!ENTITY b '", b"'>]>", b" encoding='utf-7'", b" encoding='punycode'", b" encoding='idna'"),
    *(
        b" encoding='ebcdic-cp-be'",
        b" encoding='hz'",
        b" encoding='utf-32'",
        b" xml:base='http://[::1'",
        b" xml:lang='",
    ),
    *(
        b"<psc:chapter start='x:y:z'/>",
        b"<gml:Point srsDimension='x' srsName='EPSG:q'>",
        b"<georss:point>a b</georss:point>",
    ),
    *(
        b"<itunes:duration>x:y",
        b"<media:thumbnail url='http://[x'/>",
        b"<enclosure/>",
        b"<guid isPermaLink='true'>http://[x",
    ),
    *(b"<pubDate>99 99 9999</pubDate>", b"<pubDate>2026-W99-9T99:99:99", b"0" * 5000, b"<a " + b"b='c' " * 300 + b">"),
    *(b"<content type='application/xhtml+xml'>", b"<content type='x' mode='base64'>!!!", b"<content src='http://[x'/>"),
    *(
        b"<rdf:li rdf:resource='x'/>",
        b"<cc:license rdf:resource='http://[x'/>",
        b"<textinput>",
        b"<image><url>",
        b"<cloud/>",
    ),
    *(
        "日本語".encode(),
        "\u202e".encode(),
        "\ud800".encode("utf-8", "surrogatepass"),
        b"\xfe\xff",
        b"\xff\xfe",
        b"\xef\xbb\xbf",
    ),
)
LONGEST = 200_000

Mutation = Callable[[Random, bytes, Sequence[bytes], Sequence[bytes]], bytes]


def _place(dice: Random, raw: bytes) -> int:
    return dice.randrange(len(raw) + 1)


def _insert(dice: Random, raw: bytes, tokens: Sequence[bytes], seeds: Sequence[bytes]) -> bytes:
    at = _place(dice, raw)
    return raw[:at] + dice.choice(tokens) + raw[at:]


def _repeat(dice: Random, raw: bytes, tokens: Sequence[bytes], seeds: Sequence[bytes]) -> bytes:
    at, token = _place(dice, raw), dice.choice(tokens)
    n = int(10 ** dice.uniform(0.3, 4.3 if dice.random() < 0.02 else 3))
    return raw[:at] + (token * n)[:LONGEST] + raw[at:]


def _drop(dice: Random, raw: bytes, tokens: Sequence[bytes], seeds: Sequence[bytes]) -> bytes:
    at = _place(dice, raw)
    return raw[:at] + raw[at + dice.randrange(1, 60) :]


def _double(dice: Random, raw: bytes, tokens: Sequence[bytes], seeds: Sequence[bytes]) -> bytes:
    at = _place(dice, raw)
    piece = raw[at : at + dice.randrange(1, 200)]
    return raw[:at] + piece * dice.randrange(2, 30) + raw[at:]


def _flip(dice: Random, raw: bytes, tokens: Sequence[bytes], seeds: Sequence[bytes]) -> bytes:
    changed = bytearray(raw)
    for _ in range(dice.randrange(1, 8)):
        if changed:
            changed[dice.randrange(len(changed))] = dice.randrange(256)
    return bytes(changed)


def _splice(dice: Random, raw: bytes, tokens: Sequence[bytes], seeds: Sequence[bytes]) -> bytes:
    other = dice.choice(seeds)
    return raw[: _place(dice, raw)] + other[_place(dice, other) :]


def _cut(dice: Random, raw: bytes, tokens: Sequence[bytes], seeds: Sequence[bytes]) -> bytes:
    return raw[: _place(dice, raw)]


def _swap(dice: Random, raw: bytes, tokens: Sequence[bytes], seeds: Sequence[bytes]) -> bytes:
    lines = raw.split(b"\r\n" if b"\r\n" in raw else b"<")
    dice.shuffle(lines)
    return (b"\r\n" if b"\r\n" in raw else b"<").join(lines)


MUTATIONS: tuple[Mutation, ...] = (_insert, _insert, _repeat, _drop, _double, _flip, _splice, _cut, _swap)


def _mutated(dice: Random, *, seeds: Sequence[bytes], tokens: Sequence[bytes]) -> bytes:
    raw = dice.choice(seeds)
    for _ in range(dice.randrange(1, 6)):
        raw = dice.choice(MUTATIONS)(dice, raw, tokens, seeds)
    return raw[: 2 * LONGEST]


def _tokens(dice: Random, tokens: Sequence[bytes]) -> bytes:
    return b"".join(dice.choice(tokens) for _ in range(dice.randrange(1, 25)))


def _generated_mail(dice: Random) -> bytes:
    names = (b"From", b"To", b"Subject", b"Date", b"Reply-To", b"Message-ID", b"References", b"Sender", b"Content-Type")
    more = (b"Content-Disposition", b"Content-Transfer-Encoding", b"X-" + _tokens(dice, MAIL_TOKENS)[:20], b"Received")
    lines = [dice.choice(names + more) + b": " + _tokens(dice, MAIL_TOKENS) for _ in range(dice.randrange(1, 9))]
    return b"\r\n".join(lines) + b"\r\n\r\n" + _tokens(dice, MAIL_TOKENS)


def _generated_feed(dice: Random) -> bytes:
    head = dice.choice(FEEDS)
    at = head.find(b"<item")
    inner = b"".join(b"<item>" + _tokens(dice, FEED_TOKENS) + b"</item>" for _ in range(dice.randrange(1, 5)))
    return head[: at if at > 0 else 60] + inner + b"</channel></rss>"


def mails(seed: int) -> Iterator[bytes]:
    """Mails without end: nine mutated ones of ten, the others generated."""
    dice = Random(seed)
    while True:
        is_new = dice.random() < 0.1
        yield _generated_mail(dice) if is_new else _mutated(dice, seeds=MAILS, tokens=MAIL_TOKENS)


def feeds(seed: int) -> Iterator[bytes]:
    """RSS and Atom documents without end, as `mails`."""
    dice = Random(seed)
    while True:
        is_new = dice.random() < 0.1
        yield _generated_feed(dice) if is_new else _mutated(dice, seeds=FEEDS, tokens=FEED_TOKENS)
