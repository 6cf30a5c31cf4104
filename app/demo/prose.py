"""Invented messages: sentences of the story, combined anew with orders, places and days."""

from __future__ import annotations

import re
from collections.abc import Iterable
from random import Random

from app.demo import story

_END = re.compile(r"(?<=[.!?])\s+")
_FILL = (
    "The order number is {order}.", "My reference is {code}.", "It was on {day} in {town}.", "Order {order}, {town}.",
    "I bought the {thing} on {day}.", "The {thing} is for my flat in {town}.", "It says {code} on the statement.",
    "The amount was {amount} euros.", "I paid {amount} on {day}.", "This is about the {thing}, {order}.",
)  # fmt: skip


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_TOWNS = _words(
    "Arklow Bramley Carlow Derwent Ennis Fermoy Galtee Howth Inverin Kinvara Leixlip Malahide Navan Oranmore "
    "Portlaoise Quilty Rathmines Skerries Tralee Ulverston Ventry Westport Youghal Zeebrugge "
)
_THINGS = _words(
    "armchair blanket bookcase candle carpet chair clock curtain cushion desk drawer duvet frame kettle lamp "
    "mattress mirror ottoman pillow rug shelf sofa stool table teapot tray umbrella vase wardrobe "
)
_DAYS = _words("Monday Tuesday Wednesday Thursday Friday Saturday Sunday")
_FOREIGN = {
    "de": ("Meine Bestellung ist noch nicht angekommen.", "Bitte melden Sie sich.", "Ich warte seit einer Woche."),
    "fr": ("Ma commande n'est pas arrivée.", "Je voudrais un remboursement.", "Merci de me répondre vite."),
    "es": ("Mi pedido no ha llegado.", "Quiero cancelar la compra.", "Gracias por su ayuda."),
    "zh": ("我的订单还没有到。", "请尽快退款。", "谢谢你们的帮助。"),
}
FIRST = _words(
    "Ada Bruno Carla Dana Emil Fenna Goran Hana Ivo Jana Kofi Lena Milo Nora Otto Petra Quinn Rosa Sami Tove Ulla "
    "Vera Wim Xenia Yara Zora "
)
LAST = _words("Alder Birch Cedar Dahl Elm Fern Grove Heath Ivers Juniper Kestrel Linden Maple Nordin Oakes Pine Rowan")


class Prose:
    """Draws bodies of 60 to 500 characters; the same seed draws the same."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        rows = list(story.rows("tickets"))
        self._asked = {
            side: _sentences(row["body"] for row in rows if row["intake"] == f"{side}-intake")
            for side in ("card", "shop")
        }
        self._answered = _sentences(
            entry["body"] for row in rows for entry in row.get("thread", ()) if entry["kind"] == "outgoing"
        )

    def asked(self, side: str, *, language: str = "en") -> str:
        """Return a customer's message to a side of the desk, `card` or `shop`."""
        pool = _FOREIGN.get(language) or self._asked[side]
        return " ".join((self._pick(pool), self._pick(pool), self._filled(), *self._some(pool)))

    def answered(self) -> str:
        """Return an agent's reply."""
        return f"Hello,\n\n{self._pick(self._answered)} {self._pick(self._answered)} {self._filled()}"

    def name(self) -> str:
        """Return a customer's name."""
        return f"{self._pick(FIRST)} {self._pick(LAST)}"

    def _some(self, pool: tuple[str, ...]) -> list[str]:
        return [self._pick(pool) for _ in range(int(self._rng.random() * 3))]

    def _filled(self) -> str:
        draw = self._rng.random
        return self._pick(_FILL).format(
            order=f"{int(draw() * 90_000) + 10_000}-{int(draw() * 9) + 1}",
            code=f"{self._pick('ABCDEFGHKMNP')}{self._pick('ABCDEFGHKMNP')}{int(draw() * 9000) + 1000}",
            amount=int(draw() * 400) + 5,
            town=self._pick(_TOWNS),
            thing=self._pick(_THINGS),
            day=self._pick(_DAYS),
        )

    def _pick(self, pool: tuple[str, ...] | list[str] | str) -> str:
        return pool[int(self._rng.random() * len(pool))]


def _sentences(bodies: Iterable[str]) -> tuple[str, ...]:
    found = dict.fromkeys(part for body in bodies for part in _END.split(" ".join(body.split())))
    return tuple(part for part in found if 15 < len(part) < 160)
