"""The promise of an actor to answer an ask later."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from supervision.future import ActorFuture

if TYPE_CHECKING:
    from supervision.cell import Cell


class Deferred:
    """Answered with ``ActorExit`` if the actor ends first."""

    __slots__ = ("_cell", "_reply_to")

    def __init__(self, cell: Cell, reply_to: Any) -> None:
        self._cell = cell
        self._reply_to = reply_to
        cell.defer(self)

    def reply(self, value: object) -> None:
        """Answer, once. Does nothing for a message that was told and not asked."""
        self._cell.settle_deferred(self)
        if self._reply_to is not None:
            self._reply_to.set(value)

    def fail(self, error: BaseException) -> None:
        self._cell.settle_deferred(self)
        if isinstance(self._reply_to, ActorFuture):
            self._reply_to.fail(error)
