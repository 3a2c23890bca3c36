"""One object owns clock, timers, threads, names, random numbers, ids and the event bus.

In production it is threads and the monotonic clock. With a ``ManualClock`` time moves only by ``advance``, so that tests of
time rules neither sleep nor guess.
"""

from __future__ import annotations

import logging
import os
import random
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from supervision import threads
from supervision.bus import EventBus
from supervision.cell import Cell
from supervision.clock import Clock, ManualClock, SystemClock
from supervision.exits import ExitReason
from supervision.names import Names
from supervision.timers import Timers

if TYPE_CHECKING:
    import pykka

    from supervision.actor import Actor

logger = logging.getLogger("supervision")

A = TypeVar("A", bound="Actor")


class Runtime:
    """Shared by all actors of one tree. ``workers``: threads for dispatched actors."""

    def __init__(self, clock: Clock | None = None, *, workers: int = 2, seed: int | None = None) -> None:
        self.clock: Clock = clock or SystemClock()
        self.timers = Timers(self.clock)
        self.pool = threads.WorkerPool(workers=workers)
        self.names = Names()
        self.bus = EventBus()
        self.random = random.Random(seed)  # noqa: S311 - for jitter; ids come from the operating system
        self._seeded = seed is not None
        self._cells: dict[int, Cell] = {}
        self._abandoned: dict[int, Cell] = {}
        self._turns = 0
        self.dead_letters = 0
        """Messages that nobody could receive."""

    def new_id(self, nbytes: int = 8) -> str:
        """Random lowercase hex; from the operating system unless the runtime was seeded."""
        return self.random.randbytes(nbytes).hex() if self._seeded else os.urandom(nbytes).hex()

    def spawn(self, actor_class: type[A], *args: Any, name: str | None = None, **kwargs: Any) -> pykka.ActorRef[A]:
        """Start an actor outside any supervisor and wait until its ``on_start`` is over (tests, scripts).

        Raises what ``__init__`` or ``on_start`` raised.
        """
        cell = self.create(actor_class, args, kwargs, name=name)
        started = cell.start()
        started.get(timeout=30)
        assert cell.ref is not None
        return cell.ref

    def create(
        self,
        actor_class: type[Actor],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
        *,
        name: str | None = None,
        on_exit: Callable[[Cell, ExitReason], None] | None = None,
    ) -> Cell:
        """A cell that is ready to start; ``on_exit`` is called exactly once, last, in the actor's own thread."""
        cell = Cell(self, actor_class, args, kwargs or {}, name=name, on_exit=on_exit)
        self._cells[id(cell)] = cell
        return cell

    def forget(self, cell: Cell) -> None:
        self._cells.pop(id(cell), None)

    def turn_ended(self, cell: Cell) -> None:
        self._turns += 1
        self._abandoned.pop(id(cell), None)

    def abandon(self, cell: Cell) -> None:
        """``cell`` is over, but its thread still runs a handler. Counted until that handler returns."""
        self._abandoned[id(cell)] = cell

    @property
    def abandoned(self) -> int:
        """How many handlers of ended actors still occupy a thread."""
        return len(self._abandoned)

    def dead_letter(self, target: str, message: object) -> None:
        self.dead_letters += 1
        logger.debug("dead letter for %s: %s", target, type(message).__name__)

    def advance(self, seconds: float) -> None:
        """Move a ``ManualClock`` on, firing every timer at its own time, and let all actors finish after each."""
        clock = self.clock
        assert isinstance(clock, ManualClock), "only a ManualClock can be advanced"
        end = clock.monotonic() + seconds
        self.settle()
        while (due := self.timers.next_due()) is not None and due <= end:
            clock.advance(max(due - clock.monotonic(), 0.0))
            self.timers.fire_due()
            self.settle()
        clock.advance(end - clock.monotonic())
        self.settle()

    def settle(self, timeout_s: float = 10.0) -> None:
        """Wait until no actor of this runtime has anything to do. Raises ``TimeoutError``."""
        threads.wait_until(self._is_settled, timeout_s)

    def _is_settled(self) -> bool:
        turns = self._turns  # an actor that was busy while others were looked at has moved this on
        return all(cell.mailbox.is_idle() for cell in list(self._cells.values())) and turns == self._turns

    def living(self) -> list[Cell]:
        return list(self._cells.values())

    def close(self) -> None:
        """Stop every actor that is left (newest first), then timers and threads. For tests and after the tree has stopped."""
        for cell in reversed(list(self._cells.values())):
            cell.revoke("brutal")
        self.timers.close()
        self.pool.close()


_default: Runtime | None = None


def default_runtime() -> Runtime:
    """Home of actors that are started with a bare ``SomeActor.start()``."""
    global _default
    if _default is None:
        _default = Runtime()
    return _default
