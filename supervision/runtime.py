"""One object owns clock, timers, threads, names, random numbers, ids and the event bus.

In production it is threads and the monotonic clock. With a ``ManualClock`` time moves only by ``advance``, so that tests of
time rules neither sleep nor guess.
"""

from __future__ import annotations

import logging
import os
import random
import uuid
import weakref
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from supervision import threads
from supervision.bus import EventBus
from supervision.cell import TURN_LIMIT, Cell
from supervision.clock import Clock, ManualClock, SystemClock
from supervision.events import DEAD_LETTERS_KEPT, KEPT, DeadLetter, SupervisionEvent
from supervision.exits import ExitReason
from supervision.mailbox import Mailbox
from supervision.names import Names
from supervision.timers import Timers

if TYPE_CHECKING:
    import pykka

    from supervision.actor import Actor

logger = logging.getLogger("supervision")

A = TypeVar("A", bound="Actor")


class Runtime:
    """Shared by all actors of one tree. ``workers``: threads for dispatched actors. ``timer_clock``: what delayed messages run
    on when that is not ``clock``.

    ``max_abandoned``: more handlers than that which hang although their actors were ended call ``on_too_many_abandoned`` once,
    in some thread. A thread cannot be killed, so the only remedy is to end the process and let its supervisor start it again.
    """

    turn_limit: int = TURN_LIMIT
    """Messages that one actor handles before the next one has its turn."""

    def __init__(
        self,
        clock: Clock | None = None,
        *,
        timer_clock: Clock | None = None,
        workers: int = 2,
        seed: int | None = None,
        max_abandoned: int | None = None,
        on_too_many_abandoned: Callable[[int], None] = lambda abandoned: None,
    ) -> None:
        self.clock: Clock = clock or SystemClock()
        self.timers = Timers(timer_clock or self.clock)
        self.pool = self.make_pool(workers)
        self.names = Names()
        self.bus = EventBus()
        self.random = random.Random(seed)  # noqa: S311 - for jitter; ids come from the operating system
        self._seeded = seed is not None
        self._cells: dict[int, Cell] = {}
        self.hanging: dict[int, tuple[Cell, float]] = {}
        self._abandoned_lock = threads.new_lock()
        self._max_abandoned = max_abandoned
        self._on_too_many_abandoned = on_too_many_abandoned
        self.turns = 0
        """So many are over."""
        self.events: deque[SupervisionEvent] = deque(maxlen=KEPT)
        """What supervisors reported, oldest first."""
        self.dead_letters = 0
        """Messages that nobody could receive."""
        self.last_dead_letters: deque[DeadLetter] = deque(maxlen=DEAD_LETTERS_KEPT)
        """The newest of them, oldest first."""
        self.is_forked = False
        """This is the copy in a forked process: nothing runs here, and nothing can be started."""
        _runtimes.add(self)

    # --- threads ----------------------------------------------------------------------------------------------------

    def make_pool(self, workers: int) -> threads.Pool:
        """Where dispatched actors have their turns."""
        return threads.WorkerPool(workers=workers)

    def private_dispatcher(self, name: str) -> threads.Dispatcher:
        """For one actor that blocks; given back with ``release``."""
        return threads.PrivateThread(name)

    def release(self, dispatcher: threads.Dispatcher) -> None:
        """Its actor is over. The pool is shared and stays."""
        if isinstance(dispatcher, threads.PrivateThread):
            dispatcher.close()

    # --- actors -----------------------------------------------------------------------------------------------------

    def new_id(self, nbytes: int = 8) -> str:
        """Random lowercase hex; from the operating system unless the runtime was seeded."""
        return self.random.randbytes(nbytes).hex() if self._seeded else os.urandom(nbytes).hex()

    def new_urn(self) -> str:
        """As Pykka's: that of a version 4 UUID."""
        return uuid.UUID(self.new_id(16), version=4).urn

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
        if self.is_forked:
            raise RuntimeError("this runtime stayed in the process that was forked; make a new one")
        cell = Cell(self, actor_class, args, kwargs or {}, name=name, on_exit=on_exit)
        self._cells[id(cell)] = cell
        return cell

    def forget(self, cell: Cell) -> None:
        self._cells.pop(id(cell), None)

    def cell_of(self, ref: pykka.ActorRef[Any]) -> Cell | None:
        """The living incarnation behind a ref of an actor of ours."""
        inbox = ref.actor_inbox
        cell = inbox.owner if isinstance(inbox, Mailbox) else None
        return cell if isinstance(cell, Cell) and not cell.is_over else None

    # --- handlers that hang -----------------------------------------------------------------------------------------

    def woke_up(self, cell: Cell) -> None:
        """A turn is over while some are abandoned; perhaps it was one of them."""
        with self._abandoned_lock:
            was_abandoned = self.hanging.pop(id(cell), None) is not None
        if was_abandoned:
            logger.warning("%r woke up long after it was ended", cell)
            threads.leave_worker(cell.dispatcher)

    def abandon(self, cell: Cell) -> None:
        """``cell`` is over, but its thread still runs a handler. Counted until that handler returns; others take its place."""
        with self._abandoned_lock:
            if not cell.in_turn:
                return
            self.hanging[id(cell)] = (cell, self.clock.monotonic())
            is_too_many = self._max_abandoned is not None and len(self.hanging) == self._max_abandoned + 1
        threads.replace_worker(cell.dispatcher)
        if is_too_many:
            self._on_too_many_abandoned(len(self.hanging))

    @property
    def abandoned(self) -> int:
        """How many handlers of ended actors still occupy a thread."""
        return len(self.hanging)

    def abandoned_cells(self) -> list[tuple[Cell, float]]:
        """Each with the seconds since it was ended."""
        now = self.clock.monotonic()
        with self._abandoned_lock:
            return [(cell, now - since) for cell, since in self.hanging.values()]

    # --- messages that reach nobody -----------------------------------------------------------------------------------

    def dead_letter(self, target: str, message: object) -> None:
        self.dead_letters += 1
        self.last_dead_letters.append(DeadLetter(self.clock.time_ms(), target, type(message).__name__))
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
        turns = self.turns  # an actor that was busy while others were looked at has moved this on
        return all(cell.mailbox.is_idle() for cell in list(self._cells.values())) and turns == self.turns

    def living(self) -> list[Cell]:
        return list(self._cells.values())

    def stay_in_parent(self) -> None:
        """In a forked process: no thread of ours is here, so every actor is dead, and whoever asks one is told so at once."""
        self.is_forked = True
        for cell in list(self._cells.values()):
            cell.vanish()
        self._cells.clear()
        self.names = Names()

    def close(self) -> None:
        """Stop every actor that is left (newest first), then timers and threads. For tests and after the tree has stopped."""
        if self.is_forked:
            return
        for cell in reversed(list(self._cells.values())):
            cell.revoke("brutal")
        self.timers.close()
        self.pool.close()


_default: Runtime | None = None

#: Those of this process.
_runtimes: weakref.WeakSet[Runtime] = weakref.WeakSet()


def _after_fork() -> None:
    global _default
    _default = None
    for runtime in list(_runtimes):
        runtime.stay_in_parent()


os.register_at_fork(after_in_child=_after_fork)


def default_runtime() -> Runtime:
    """Home of actors that are started with a bare ``SomeActor.start()``."""
    global _default
    if _default is None:
        _default = Runtime()
    return _default
