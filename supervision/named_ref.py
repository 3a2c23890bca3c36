"""A ref by name: looked up at each send, so that it never goes to a dead incarnation. Keep these, never plain refs."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Literal

import pykka

from supervision import threads
from supervision.cell import ActorExit
from supervision.exits import NoProc

if TYPE_CHECKING:
    from supervision.runtime import Runtime

WhileDown = Literal["drop", "fail", "queue"]


class NamedRef:
    """``while_down``: what a ``tell`` does while nobody has the name, as during a restart.

    ``drop``: the message is a dead letter (OTP's cast). ``fail``: raises ``ActorExit``. ``queue``: it is kept, at most
    ``queue_limit`` messages, the oldest making room as a dead letter, and goes first to whoever has the name next.
    """

    def __init__(self, runtime: Runtime, name: str, *, while_down: WhileDown = "drop", queue_limit: int = 100) -> None:
        self._runtime = runtime
        self.name = name
        self._while_down = while_down
        self._queue_limit = queue_limit
        self._kept: deque[object] = deque()
        self._lock = threads.new_lock()
        if while_down == "queue":
            runtime.names.listen(self._name_changed)

    def __repr__(self) -> str:
        return f"NamedRef({self.name!r})"

    def resolve(self) -> pykka.ActorRef[Any] | None:
        """The current incarnation. Do not keep it."""
        return self._runtime.names.whereis(self.name)

    def is_alive(self) -> bool:
        return self.resolve() is not None

    def tell(self, message: object) -> bool:
        """Whether somebody got it."""
        ref = self.resolve()
        if ref is not None and not self._kept:
            try:
                ref.tell(message)
                return True
            except pykka.ActorDeadError:
                pass
        if self._while_down == "fail":
            raise self._nobody()
        if self._while_down == "queue":
            self._keep(message)
            return self.resolve() is not None
        self._runtime.dead_letter(self.name, message)
        return False

    def ask(self, message: object, *, timeout: float) -> Any:
        """Raises ``ActorExit`` at once when nobody has the name, or when who has it ends before it answers."""
        ref = self.resolve()
        if ref is None:
            raise self._nobody()
        return ref.ask(message, timeout=timeout)

    def proxy(self) -> pykka.ActorProxy[Any]:
        """A proxy of the current incarnation, for one use: a kept one dies with it. Raises ``ActorExit``."""
        ref = self.resolve()
        if ref is None:
            raise self._nobody()
        return ref.proxy()

    def wait_for(self, timeout_s: float) -> pykka.ActorRef[Any]:
        """Block until somebody has the name. Raises ``TimeoutError``. Not inside an actor."""
        threads.wait_until(self.is_alive, timeout_s)
        ref = self.resolve()
        return ref if ref is not None else self.wait_for(timeout_s)

    def _nobody(self) -> ActorExit:
        return ActorExit(f"nobody is called {self.name!r}, which", NoProc())

    # --- while_down="queue" -----------------------------------------------------------------------------------------

    def _keep(self, message: object) -> None:
        with self._lock:
            self._kept.append(message)
            surplus = self._kept.popleft() if len(self._kept) > self._queue_limit else None
        if surplus is not None:
            self._runtime.dead_letter(self.name, surplus)
        self._deliver()

    def _name_changed(self, name: str, is_registered: bool) -> None:
        if name == self.name and is_registered:
            self._deliver()

    def _deliver(self) -> None:
        with self._lock:
            ref = self.resolve()
            while self._kept and ref is not None:
                try:
                    ref.tell(self._kept[0])
                except pykka.ActorDeadError:
                    return
                self._kept.popleft()
