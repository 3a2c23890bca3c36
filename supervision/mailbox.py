"""A mailbox that can be closed, with a control lane that overtakes ordinary messages.

Closing and putting race without a lock: whoever finds the mailbox closed after putting rejects what is in it. ``deque``'s
``append`` and ``popleft`` are atomic, so every envelope is handled or rejected exactly once.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from pykka import _envelope as pykka_envelope

from supervision import threads
from supervision.threads import Dispatcher

if TYPE_CHECKING:
    from supervision.cell import Cell

_make_lane = threads.new_shared_lock()


#: A message, where its answer goes (or None), and when it was sent (monotonic seconds). A tuple costs a third of an object.
Envelope: TypeAlias = tuple[Any, Any, float]


class Continuation:
    """An answer or a due timer that comes back into the actor: ``run(value)`` is called in its own turn."""

    __slots__ = ("run", "value")

    def __init__(self, run: Callable[[Any], None], value: Any) -> None:
        self.run = run
        self.value = value


class Mailbox:
    """Pykka's inbox protocol (``put``, ``get``, ``empty``) over a deque and a run flag."""

    __slots__ = ("_dispatcher", "closed", "control", "is_stopped", "now", "owner", "queue", "scheduled")

    def __init__(self, owner: Cell, now: Callable[[], float]) -> None:
        self.owner = owner
        self.queue: deque[Envelope] = deque()
        self.control: deque[Any] | None = None
        self.closed = False
        self.is_stopped = False
        """No more is taken, although what waits may still be handled or rejected."""
        self.now = now
        self.scheduled = threads.new_lock()
        self._dispatcher: Dispatcher | None = None

    def attach(self, dispatcher: Dispatcher) -> None:
        """From now on a non-empty mailbox puts its owner on the run queue; and once now, for the start."""
        self._dispatcher = dispatcher
        self.wake()

    def post(self, message: Any, reply_to: Any = None) -> None:
        """A message from whoever is entitled to send one now."""
        self.queue.append((message, reply_to, self.now()))
        # While the owner has its turn it looks again at the end of it, after it has unlocked.
        if self.closed or not self.scheduled.locked():
            self.wake()

    def put(self, envelope: Any) -> None:
        """As ``post``, for an envelope of Pykka's."""
        self.post(envelope.message, envelope.reply_to)

    def put_control(self, message: object) -> None:
        """Ahead of every ordinary message; silently nothing when closed."""
        with _make_lane:
            if self.control is None:
                self.control = deque()
        self.control.append(message)
        self.wake()

    def wake(self) -> None:
        if self.closed:
            self.reject_all()
        elif self._dispatcher is not None and self.scheduled.acquire(False):
            self._dispatcher.schedule(self.owner)

    def end_turn(self) -> None:
        """The owner's turn is over: back to the run queue if more is waiting."""
        self.scheduled.release()
        if self.queue or self.control:
            self.wake()

    def get(self) -> pykka_envelope.Envelope[Any]:
        """As Pykka's, but IndexError when there is none."""
        message, reply_to, _ = self.queue.popleft()
        return pykka_envelope.Envelope(message, reply_to)

    def oldest_s(self) -> float | None:
        """When the message that waits longest was sent (monotonic seconds); None when there is none."""
        try:
            return self.queue[0][2]
        except IndexError:
            return None

    def empty(self) -> bool:
        return not self.queue

    def is_idle(self) -> bool:
        return not self.queue and not self.control and not self.scheduled.locked()

    def close(self) -> None:
        self.closed = True
        if self.control is not None:
            self.control.clear()
        self.reject_all()

    def reject_all(self) -> None:
        while True:
            try:
                message, reply_to, _ = self.queue.popleft()
            except IndexError:
                return
            self.owner.reject(message, reply_to)
