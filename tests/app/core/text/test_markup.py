"""HTML to text: what a reader sees, whatever was sent."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.text.markup import is_markup, text_of


@pytest.mark.parametrize(
    ("markup", "expected"),
    [
        ("<p>One</p><p>Two</p>", "One\n\nTwo"),
        ("a<br>b<br/>c", "a\nb\nc"),
        ("<b>bo</b>ld", "bold"),
        ("<ul><li>x</li><li>y</li></ul>", "- x\n- y"),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc"),
        ("&lt;b&gt; &amp; &#8364; &nbsp;end", "<b> & € end"),
        ("1 < 2 and 3 > 2", "1 < 2 and 3 > 2"),
        ("<script>alert('<p>x</p>')</script>seen", "seen"),
        ("<SCRIPT type='a>b'>no</ScRiPt >seen", "seen"),
        ("<style>p{color:red}</style>seen", "seen"),
        ("<head><title>no</title></head><body>seen</body>", "seen"),
        ("a<!-- no --!> still no -->b", "ab"),
        ("<div style='display: NONE'>no<div>no</div>no</div>seen", "seen"),
        ("<div hidden><p>no</p></div>seen", "seen"),
        ("<span style='visibility:hidden'>no</span>seen", "seen"),
        ("<td style='font-size:0px'><div>seen</div></td>", "seen"),
        ("<blockquote>old<br>older</blockquote>new", "> old\n> older\n\nnew"),
        ("<pre>a\n  b</pre>", "a\n  b"),
        ("<svg><text>no</text></svg>seen", "seen"),
        ("<svg>unclosed but seen", "unclosed but seen"),
        ("<a href=\"x>y\" title='>'>seen</a>", "seen"),
        ("<a href='unclosed>seen and kept", "seen and kept"),
        ("<script>never closed", ""),
        ("<p hidden>only hidden</p>", "only hidden"),
    ],
)
def test_shows_what_a_reader_sees(markup: str, expected: str) -> None:
    assert text_of(markup) == expected


def test_marks_a_signature_block() -> None:
    assert text_of('<div>Hi</div><div class="x gmail_signature">Ann</div>') == "Hi\n-- \nAnn"


def test_quotes_nest_no_deeper_than_five_marks() -> None:
    assert text_of("<blockquote>" * 400 + "x") == "> > > > > x"


@pytest.mark.parametrize(
    ("text", "expected"), [("<p>x</p>", True), ("a <b>x</b>", True), ("1 < 2 > 0", False), ("", False)]
)
def test_knows_markup(text: str, expected: bool) -> None:
    assert is_markup(text) is expected


@given(
    st.lists(
        st.sampled_from(["<", ">", "</", "div", " hidden", "='", '"', "!--", "-->", "script", "x", "&", "&#1;", "pre"])
    )
)
def test_no_soup_breaks_it(pieces: list[str]) -> None:
    assert isinstance(text_of("".join(pieces)), str)
