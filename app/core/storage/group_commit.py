"""Group commit: writers that come at the same time share a transaction, and one wait for the disk serves all of them.

One of them, the leader, runs the work of the others, commits, and wakes them; a writer that came meanwhile leads next.
When a piece of work raises, the shared transaction is rolled back and each piece runs in its own, so that one writer's
error is not another's.
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
"""Pieces of work that share a transaction at most: it should stay open for no more than 50 ms."""

MOST_S = 0.025
"""No further piece joins a transaction that has been open for so long."""


@dataclass(eq=False)
class _Piece:
    """One writer's work; `turn` is set when it is done, or when this writer is to lead."""

    work: Callable[[Transaction], Any]
    result: Any = None
    error: BaseException | None = None
    is_done: bool = False
    turn: Event = field(default_factory=Event)


class GroupCommit:
    """The writers of one database; the leader gets its transaction from `open_transaction`."""

    def __init__(self, open_transaction: Callable[[], AbstractContextManager[Transaction]]) -> None:
        self._open = open_transaction
        self._waiting: deque[_Piece] = deque()
        self._is_led = False
        self._guard = Lock()

    def run(self, work: Callable[[Transaction], T]) -> T:
        """Run `work`; returns its result once that is durable, and raises what it raises.

        It may run twice, so it must change nothing but the database.
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
                self._run_group()
        finally:
            self._pass_lead(mine)

    def _run_group(self) -> None:
        done: list[_Piece] = []
        try:
            with self._open() as tx:
                until = monotonic() + MOST_S
                while (not done or monotonic() < until) and len(done) < MOST and (piece := self._next()):
                    done.append(piece)
                    piece.result = piece.work(tx)
        except Exception as error:
            self._run_singly(done or self._take_all(), error=error, is_opened=bool(done))
        except BaseException as error:
            _wake(done, error=error)
            raise
        else:
            _wake(done)

    def _next(self) -> _Piece | None:
        with self._guard:
            return self._waiting.popleft() if self._waiting else None

    def _take_all(self) -> list[_Piece]:
        with self._guard:
            pieces = list(self._waiting)
            self._waiting.clear()
        return pieces

    def _run_singly(self, pieces: Sequence[_Piece], *, error: Exception, is_opened: bool) -> None:
        """Run each piece in its own transaction; a single one, or pieces without a transaction, get the error."""
        if len(pieces) == 1 or not is_opened:
            _wake(pieces, error=error)
            return
        for piece in pieces:
            try:
                with self._open() as tx:
                    piece.result = piece.work(tx)
            except Exception as own:
                piece.error = own
            _wake([piece])

    def _pass_lead(self, mine: _Piece) -> None:
        with self._guard:
            if mine in self._waiting:
                self._waiting.remove(mine)
            following = self._waiting[0] if self._waiting else None
            self._is_led = following is not None
        if following is not None:
            following.turn.set()


def _wake(pieces: Sequence[_Piece], *, error: BaseException | None = None) -> None:
    for piece in pieces:
        piece.error = error or piece.error
        piece.is_done = True
        piece.turn.set()
