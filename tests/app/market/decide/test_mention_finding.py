from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.market.decide.mention_finding import Gazetteer
from app.market.domain.market import Entity

ENTITIES = (
    Entity(id=1, ticker="LARK", name="Larkspur Homewares", aliases=("Larkspur", "$LARK")),
    Entity(id=2, ticker="CBLN", name="Cobalt Lane Bank", aliases=("Cobalt Lane", "Cobalt"), ambiguous=("Cobalt",)),
    Entity(id=3, ticker="LB", name="Lane Bank Group", aliases=("Lane Bank",)),
    Entity(id=4, ticker="T", name="AT&T", aliases=("A.T.&T.",)),
    Entity(id=5, ticker="BRK.B", name="Berkshire Hathaway", aliases=("Coca-Cola",)),
    Entity(id=6, ticker="ALL", name="Allworth", aliases=("Delta",)),
    Entity(id=7, ticker="DAL", name="Delta Air Lines", aliases=("Delta",)),
    Entity(id=8, ticker="MACY", name="Macy's"),
    Entity(id=9, ticker="NESN", name="Nestlé"),
    Entity(id=10, ticker="BABA", name="Alibaba", aliases=("阿里巴巴",)),
)
GAZETTEER = Gazetteer(ENTITIES)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$LARK falls", [(1, "$LARK")]),
        ("short $lark, please", [(1, "$lark")]),
        ("Larkspur's chief leaves", [(1, "Larkspur")]),
        ("Larkspur’s chief", [(1, "Larkspur")]),
        ("LARKSPUR RECALLS LAMPS", [(1, "LARKSPUR")]),
        ("larkspur homewares recalls", [(1, "larkspur homewares")]),
        ("Larkspur  Homewares", [(1, "Larkspur  Homewares")]),
        ("#larkspur is bad", [(1, "larkspur")]),
        ("Larkspurs bloom", []),
        ("Larkspur_2 and aLarkspur", [(1, "Larkspur")]),
        ("notlarkspur", []),
        ("Larkspur. Homewares is a page", [(1, "Larkspur")]),
        ("US$LARK and $LARKS", []),
        ("$LARK.", [(1, "$LARK")]),
        ("Larkspur and Larkspur Homewares", [(1, "Larkspur"), (1, "Larkspur Homewares")]),
        ("https://larkspur.com/larkspur www.larkspur.com @larkspur help@larkspur.com larkspur@mail.com", []),
    ],
)
def test_names_and_cashtags(text: str, expected: list[tuple[int, str]]) -> None:
    assert [(span.entity_id, span.surface) for span in GAZETTEER.find(text)] == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Cobalt Lane Bank cuts jobs", [(2, "Cobalt Lane Bank")]),
        ("Cobalt Lane cuts jobs", [(2, "Cobalt Lane")]),
        ("New Lane Bank branch", [(3, "Lane Bank")]),
        ("Lane Bank Group and Cobalt Lane Bank", [(3, "Lane Bank Group"), (2, "Cobalt Lane Bank")]),
        ("AT&T, AT & T and a.t.&t.", [(4, "AT&T"), (4, "AT & T"), (4, "a.t.&t")]),
        ("AT T", []),
        ("Coca Cola and coca-cola", [(5, "Coca Cola"), (5, "coca-cola")]),
        ("$BRK.B up", [(5, "$BRK.B")]),
        ("Macy's and Macy’s sale", [(8, "Macy's"), (8, "Macy’s")]),
        ("Nestle, NESTLÉ, Nestlé", [(9, "Nestle"), (9, "NESTLÉ"), (9, "Nestlé")]),
        ("阿里巴巴股价", [(10, "阿里巴巴")]),
    ],
)
def test_the_longest_name_wins_however_it_is_written(text: str, expected: list[tuple[int, str]]) -> None:
    assert [(span.entity_id, span.surface) for span in GAZETTEER.find(text)] == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Cobalt prices rise", []),
        ("COBALT PRICES RISE", []),
        ("Cobalt shares fall", [(2, "Cobalt")]),
        ("Cobalt's shares fall", [(2, "Cobalt")]),
        ("Cobalt, Inc. reports", [(2, "Cobalt")]),
        ("Cobalt fined; $CBLN down", [(2, "Cobalt"), (2, "$CBLN")]),
        ("Cobalt Lane Bank: Cobalt says cobalt is a metal", [(2, "Cobalt Lane Bank"), (2, "Cobalt")]),
        ("Cobalt (CBLN) fined", [(2, "Cobalt"), (2, "CBLN")]),
        ("CBLN and Cobalt", [(2, "CBLN"), (2, "Cobalt")]),
        ("CBLN down 3%", []),
        ("NYSE: CBLN down 3%", [(2, "CBLN")]),
        ("ALL eyes on the Fed (ALL of them)", []),
        ("the insurer (ALL.N)", [(6, "ALL")]),
        ("Delta is late again", []),
        ("Delta is late again, $DAL", [(7, "Delta"), (7, "$DAL")]),
        ("Allworth sells Delta", [(6, "Allworth"), (6, "Delta")]),
        ("(T) and T", []),
    ],
)
def test_an_ambiguous_name_needs_another_sign(text: str, expected: list[tuple[int, str]]) -> None:
    assert [(span.entity_id, span.surface) for span in GAZETTEER.find(text)] == expected


def test_nobody_watched_and_nothing_said() -> None:
    assert Gazetteer(()).find("Larkspur") == ()
    assert GAZETTEER.find("") == ()
    assert Gazetteer([Entity(id=1, ticker="X", name="…", aliases=("@x", ""))]).find("… @x") == ()


@settings(deadline=None)
@given(
    st.lists(
        st.sampled_from([*"$ .,'(#", "Larkspur", "Homewares", "Cobalt", "Lane", "Bank", "LARK", "é", "\u0301", "🙂"])
    )
)
def test_spans_are_where_they_say(parts: list[str]) -> None:
    text = "".join(parts)
    spans = GAZETTEER.find(text)
    assert all(text[span.start : span.end] == span.surface for span in spans)
    assert all(left.end <= right.start for left, right in pairwise(spans))


def test_a_thousand_entities_cost_no_more_than_the_words_of_the_text() -> None:
    many = [
        Entity(
            id=number, ticker=f"Q{number}", name=f"Company{number} of the North", aliases=(f"North{number} Company",)
        )
        for number in range(1_000)
    ]
    found = Gazetteer(many).find("North7 Company, Company8 of the North and Company9 of the South")
    assert [(span.entity_id, span.surface) for span in found] == [(7, "North7 Company"), (8, "Company8 of the North")]
