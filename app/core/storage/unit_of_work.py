"""A unit of work: everything that one thread writes inside it becomes durable in one commit at its end.

Flows open their own transactions. Inside a unit the first of them opens the unit's one transaction and the others join
it, so that the answer to a request is kept by the same commit as its work: a process that is killed at any moment has
done both or neither. The database is locked from the first write to the end of the unit, so long work (a model's
reading, a call over the network) is passed to `after_commit`.
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
        self._is_joined = False
        self._follow_ups: list[Callable[[], object]] = []

    @contextmanager
    def join(self) -> Iterator[Transaction]:
        """Yield the unit's transaction to a flow; what the flow wrote is rolled back alone when it raises."""
        if self._is_joined:
            raise RuntimeError("transactions do not nest: pass the open one on")
        self._is_joined = True
        try:
            tx = self._opened()
            with tx.attempt():
                yield tx
        finally:
            self._is_joined = False

    def _opened(self) -> Transaction:
        if self._tx is None:
            tx = self._stack.enter_context(self._open())
            self._begin(tx)
            self._tx = tx
        return self._tx

    def after_commit(self, work: Callable[[], object]) -> None:
        """Run `work` once the unit is committed, and not at all where it is rolled back."""
        self._follow_ups.append(work)

    @contextmanager
    def commit_at_end(self) -> Iterator[None]:
        """Let flows join in this block; commit at its end, or roll back when it raises."""
        with self._stack:
            yield

    def run_follow_ups(self) -> None:
        """Run the work that waited for the commit."""
        for work in self._follow_ups:
            work()
