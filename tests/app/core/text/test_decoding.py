"""Bytes to text, and text without what cannot be stored."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.text.cleaning import one_line, tidy
from app.core.text.decoding import decoded


@pytest.mark.parametrize(
    ("raw", "charset", "expected"),
    [
        ("né €".encode(), None, "né €"),
        ("né €".encode("utf-8-sig"), "latin-1", "né €"),
        ("né €".encode("cp1252"), None, "né €"),
        ("né €".encode("cp1252"), "iso-8859-1", "né €"),
        ("né".encode(), "iso-8859-1", "né"),
        ("né €".encode("utf-16"), None, "né €"),
        ("hello there".encode("utf-16-le"), None, "hello there"),
        ("hello there".encode("utf-16-be"), None, "hello there"),
        ("né".encode("utf-32"), None, "né"),
        ("你好".encode("gb18030"), "gb2312", "你好"),
        ("привет".encode("koi8-r"), "koi8-r", "привет"),
        (b"caf\xe9", "no-such-charset", "café"),
        (b"plain", "idna", "plain"),
        (b"plain", "base64", "plain"),
        (b"\x81\x8d", None, "\x81\x8d"),
        (b"", "utf-8", ""),
    ],
)
def test_decodes(raw: bytes, charset: str | None, expected: str) -> None:
    assert decoded(raw, charset=charset) == expected


@given(st.binary(max_size=200), st.none() | st.text(max_size=12))
def test_every_byte_string_has_a_text(raw: bytes, charset: str | None) -> None:
    assert isinstance(decoded(raw, charset=charset), str)


@given(st.text())
def test_a_tidy_text_can_be_stored(text: str) -> None:
    cleaned = tidy(text)
    assert cleaned.encode("utf-8").decode() == cleaned
    assert not {"\0", "\r", "\u202e", "\u200b"} & set(cleaned)
    assert tidy(cleaned) == cleaned


def test_one_line_marks_what_it_cuts() -> None:
    assert one_line(" a\r\n b\t c ", limit=10) == "a b c"
    assert one_line("a" * 20, limit=10) == "a" * 9 + "…"
