"""The reference to one of our actors: Pykka's, but all it has is the mailbox; everything else is looked up when asked for."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import pykka

from supervision import threads
from supervision.future import ActorFuture

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from supervision.actor import Actor
    from supervision.cell import Cell
    from supervision.mailbox import Mailbox

A = TypeVar("A", bound="Actor")


class StopFlag:
    """Stands in for Pykka's ``actor_stopped`` event without the price of an Event for each actor."""

    __slots__ = ("_mailbox",)

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox

    def is_set(self) -> bool:
        return self._mailbox.is_stopped

    def set(self) -> None:
        self._mailbox.is_stopped = True

    def wait(self, timeout: float | None = None) -> bool:
        """As ``threading.Event.wait``; polls, because nearly nobody waits for it."""
        try:
            threads.wait_until(self.is_set, float("inf") if timeout is None else timeout)
        except TimeoutError:
            return False
        return True


class Ref(pykka.ActorRef[A], Generic[A]):
    """``tell`` and ``ask`` behave as Pykka documents them; the rest is inherited."""

    actor_inbox: Mailbox

    def __init__(self, cell: Cell) -> None:
        # Pykka's own __init__ would copy what the mailbox leads to, 300 bytes an actor.
        self.actor_inbox = cell.mailbox

    @property
    def _cell(self) -> Cell:
        return self.actor_inbox.owner

    @property
    def actor_class(self) -> type[A]:  # type: ignore[override]
        return self._cell.actor_class  # type: ignore[return-value]

    @property
    def actor_urn(self) -> str:  # type: ignore[override]
        return self._cell.urn

    @property
    def actor_stopped(self) -> StopFlag:  # type: ignore[override]
        return StopFlag(self.actor_inbox)

    @property
    def _actor_weakref(self) -> Callable[[], Actor | None]:  # type: ignore[override]
        actor = self._cell.actor
        return weakref.ref(actor) if actor is not None else lambda: None

    def __str__(self) -> str:
        cell = self._cell
        return f"{cell.actor_class.__name__} ({cell.name or cell.urn})"

    def is_alive(self) -> bool:
        return not self.actor_inbox.is_stopped

    def tell(self, message: Any) -> None:
        """Send and go on. Raises ``ActorDeadError`` when the actor is known to be over."""
        mailbox = self.actor_inbox
        if mailbox.is_stopped:
            raise pykka.ActorDeadError(f"{self} not found")
        mailbox.queue.append((message, None, mailbox.now()))  # as ``post``, without the price of a call
        if mailbox.closed or not mailbox.scheduled.locked():
            mailbox.wake()

    def tell_all(self, messages: Sequence[Any]) -> None:
        """``tell`` for each, at the price of one."""
        mailbox = self.actor_inbox
        if mailbox.is_stopped:
            raise pykka.ActorDeadError(f"{self} not found")
        now = mailbox.now()
        mailbox.queue.extend([(message, None, now) for message in messages])
        if mailbox.closed or not mailbox.scheduled.locked():
            mailbox.wake()

    def ask(self, message: Any, *, block: bool = True, timeout: float | None = None) -> Any:
        """The answer, or with ``block=False`` its future. ``timeout``: seconds; after them ``pykka.Timeout``."""
        future: ActorFuture[Any] = ActorFuture()
        mailbox = self.actor_inbox
        if mailbox.is_stopped:
            future.fail(pykka.ActorDeadError(f"{self} not found"))
        else:
            mailbox.post(message, future)
        return future.get(timeout=timeout) if block else future
