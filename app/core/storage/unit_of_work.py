"""A unit of work: everything that one thread writes inside it becomes durable in one commit at its end.

Flows open their own transactions. Inside a unit the first of them opens the one transaction there is and the others
join it, so that an answer can be kept by the same commit as the work it tells of: a process that is killed at any
moment has either done both or neither. The database is locked from the first write to the end of the unit, so what
takes long (a model's reading, a call over the network) is handed to `afterwards`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.core.db import Transaction


class UnitOfWork:
    """The transactions of a thread as one; `begin` is called in it before the first write, and may raise to end it."""

    def __init__(
        self,
        open_transaction: Callable[[], AbstractContextManager[Transaction]],
        *,
        begin: Callable[[Transaction], None],
    ) -> None:
        self._open = open_transaction
        self._begin = begin
        self._stack = ExitStack()
        self._tx: Transaction | None = None
        self._is_inside = False
        self._later: list[Callable[[], object]] = []

    @contextmanager
    def joined(self) -> Iterator[Transaction]:
        """A transaction of a flow: what it wrote is taken back alone when it raises."""
        if self._is_inside:
            raise RuntimeError("transactions do not nest: hand the open one on")
        self._is_inside = True
        try:
            tx = self._opened()
            with tx.attempt():
                yield tx
        finally:
            self._is_inside = False

    def _opened(self) -> Transaction:
        if self._tx is None:
            tx = self._stack.enter_context(self._open())
            self._begin(tx)
            self._tx = tx
        return self._tx

    def afterwards(self, work: Callable[[], object]) -> None:
        """Do something once the unit is committed, and not at all if it is not."""
        self._later.append(work)

    @contextmanager
    def whole(self) -> Iterator[None]:
        """The time in which flows join; committed at its end, or rolled back when it raises."""
        with self._stack:
            yield

    def follow_up(self) -> None:
        """Do what was put off until after the commit."""
        for work in self._later:
            work()
