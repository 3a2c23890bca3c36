"""A mailbox that can be closed, with a control lane that overtakes ordinary messages.

Closing and putting race without a lock: whoever finds the mailbox closed after putting rejects what is in it. ``deque``'s
``append`` and ``popleft`` are atomic, so every envelope is handled or rejected exactly once.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from supervision import threads
from supervision.threads import Dispatcher

if TYPE_CHECKING:
    from supervision.cell import Cell

_make_lane = threads.new_lock()


class Envelope:
    """A message, where its answer goes, and when it was sent (monotonic seconds). Pykka's envelope has the first two."""

    __slots__ = ("message", "reply_to", "sent_s")

    def __init__(self, message: Any, reply_to: Any, sent_s: float) -> None:
        self.message = message
        self.reply_to = reply_to
        self.sent_s = sent_s


class Continuation:
    """An answer or a due timer that comes back into the actor: ``run(value)`` is called in its own turn."""

    __slots__ = ("run", "value")

    def __init__(self, run: Callable[[Any], None], value: Any) -> None:
        self.run = run
        self.value = value


class Mailbox:
    """Pykka's inbox protocol (``put``, ``get``, ``empty``) over a deque and a run flag."""

    __slots__ = ("_dispatcher", "_now", "_scheduled", "closed", "control", "is_stopped", "owner", "queue")

    def __init__(self, owner: Cell, now: Callable[[], float]) -> None:
        self.owner = owner
        self.queue: deque[Any] = deque()
        self.control: deque[Any] | None = None
        self.closed = False
        self.is_stopped = False
        """No more is taken, although what waits may still be handled or rejected."""
        self._now = now
        self._scheduled = threads.new_lock()
        self._dispatcher: Dispatcher | None = None

    def attach(self, dispatcher: Dispatcher) -> None:
        """From now on a non-empty mailbox puts its owner on the run queue; and once now, for the start."""
        self._dispatcher = dispatcher
        self.wake()

    def post(self, message: Any, reply_to: Any = None) -> None:
        """A message from whoever is entitled to send one now."""
        self.queue.append(Envelope(message, reply_to, self._now()))
        if self.closed:
            self.reject_all()
        elif self._dispatcher is not None and self._scheduled.acquire(False):
            self._dispatcher.schedule(self.owner)

    def put(self, envelope: Any) -> None:
        """As ``post``, for an envelope of Pykka's."""
        self.post(envelope.message, envelope.reply_to)

    def put_control(self, message: object) -> None:
        """Ahead of every ordinary message; silently nothing when closed."""
        with _make_lane:
            if self.control is None:
                self.control = deque()
        self.control.append(message)
        if not self.closed:
            self.wake()

    def wake(self) -> None:
        if self._dispatcher is not None and self._scheduled.acquire(False):
            self._dispatcher.schedule(self.owner)

    def end_turn(self) -> None:
        """The owner's turn is over: back to the run queue if more is waiting."""
        self._scheduled.release()
        if self.queue or self.control:
            self.wake()

    def get(self) -> Any:
        """The next ordinary envelope; IndexError when there is none (the owner looks first)."""
        return self.queue.popleft()

    def oldest_s(self) -> float | None:
        """When the message that waits longest was sent (monotonic seconds); None when there is none."""
        try:
            sent_s: float = self.queue[0].sent_s
        except IndexError:
            return None
        return sent_s

    def empty(self) -> bool:
        return not self.queue

    def is_idle(self) -> bool:
        return not self.queue and not self.control and not self._scheduled.locked()

    def close(self) -> None:
        self.closed = True
        if self.control is not None:
            self.control.clear()
        self.reject_all()

    def reject_all(self) -> None:
        while True:
            try:
                envelope = self.queue.popleft()
            except IndexError:
                return
            self.owner.reject(envelope)
