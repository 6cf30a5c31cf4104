"""Writers that come at the same time share a transaction: one wait for the disk makes the work of all of them durable.

One of them, the leader, does what the others brought, commits, and tells them; who came meanwhile is next. When
something raises, the whole is rolled back and each is done alone, so that nobody's fault is another's.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from threading import Event, Lock
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from app.core.db import Transaction

T = TypeVar("T")

MOST = 16
"""So many pieces of work share a transaction at most: it should stay open for no more than 50 ms."""

MOST_S = 0.025
"""After this long no further piece is taken in."""


@dataclass(eq=False)
class _Piece:
    """One writer's work; `turn` is set when it is done, or when this writer is to lead."""

    work: Callable[[Transaction], Any]
    result: Any = None
    error: BaseException | None = None
    is_done: bool = False
    turn: Event = field(default_factory=Event)


class Together:
    """The writers of one database; `open_transaction` is how the leader gets its transaction."""

    def __init__(self, open_transaction: Callable[[], AbstractContextManager[Transaction]]) -> None:
        self._open = open_transaction
        self._waiting: deque[_Piece] = deque()
        self._is_led = False
        self._guard = Lock()

    def do(self, work: Callable[[Transaction], T]) -> T:
        """What `work` returns, once it is durable; raises what it raises.

        It may be called twice, so it must change nothing but the database.
        """
        mine = _Piece(work)
        with self._guard:
            self._waiting.append(mine)
            leads, self._is_led = not self._is_led, True
        if not leads:
            mine.turn.wait()
        if not mine.is_done:
            self._lead(mine)
        if mine.error is not None:
            raise mine.error
        result: T = mine.result
        return result

    def _lead(self, mine: _Piece) -> None:
        try:
            while not mine.is_done:
                self._share()
        finally:
            self._hand_on(mine)

    def _share(self) -> None:
        done: list[_Piece] = []
        try:
            with self._open() as tx:
                until = monotonic() + MOST_S
                while (not done or monotonic() < until) and len(done) < MOST and (piece := self._next()):
                    done.append(piece)
                    piece.result = piece.work(tx)
        except Exception as error:
            self._alone(done or self._everybody(), error=error, is_opened=bool(done))
        except BaseException as error:
            _tell(done, error=error)
            raise
        else:
            _tell(done)

    def _next(self) -> _Piece | None:
        with self._guard:
            return self._waiting.popleft() if self._waiting else None

    def _everybody(self) -> list[_Piece]:
        with self._guard:
            pieces = list(self._waiting)
            self._waiting.clear()
        return pieces

    def _alone(self, pieces: Sequence[_Piece], *, error: Exception, is_opened: bool) -> None:
        if len(pieces) == 1 or not is_opened:
            _tell(pieces, error=error)
            return
        for piece in pieces:
            try:
                with self._open() as tx:
                    piece.result = piece.work(tx)
            except Exception as own:
                piece.error = own
            _tell([piece])

    def _hand_on(self, mine: _Piece) -> None:
        with self._guard:
            if mine in self._waiting:
                self._waiting.remove(mine)
            following = self._waiting[0] if self._waiting else None
            self._is_led = following is not None
        if following is not None:
            following.turn.set()


def _tell(pieces: Sequence[_Piece], *, error: BaseException | None = None) -> None:
    for piece in pieces:
        piece.error = error or piece.error
        piece.is_done = True
        piece.turn.set()
