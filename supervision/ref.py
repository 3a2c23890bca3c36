"""The reference to one of our actors: Pykka's, with envelopes that know when they were sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, cast

import pykka

from supervision.future import ActorFuture

if TYPE_CHECKING:
    from supervision.actor import Actor
    from supervision.cell import StopFlag
    from supervision.mailbox import Mailbox

A = TypeVar("A", bound="Actor")


class Ref(pykka.ActorRef[A]):
    """``tell`` and ``ask`` behave as Pykka documents them; the rest is inherited."""

    def tell(self, message: Any) -> None:
        """Send and go on. Raises ``ActorDeadError`` when the actor is known to be over."""
        if cast("StopFlag", self.actor_stopped).is_on:
            raise pykka.ActorDeadError(f"{self} not found")
        cast("Mailbox", self.actor_inbox).post(message)

    def ask(self, message: Any, *, block: bool = True, timeout: float | None = None) -> Any:
        """The answer, or with ``block=False`` its future. ``timeout``: seconds; after them ``pykka.Timeout``."""
        future: ActorFuture[Any] = ActorFuture()
        if cast("StopFlag", self.actor_stopped).is_on:
            future.fail(pykka.ActorDeadError(f"{self} not found"))
        else:
            cast("Mailbox", self.actor_inbox).post(message, future)
        return future.get(timeout=timeout) if block else future
