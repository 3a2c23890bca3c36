"""One incarnation of an actor: its mailbox, its life from construction to exit, and the single publication of that exit.

Everything of the user (``__init__``, ``on_start``, handlers, ``on_stop``) runs inside ``turn``, in a thread of the actor's own
dispatcher, and cannot raise out of it. When the exit is published everything that a client can observe afterwards is already
true: the ref is dead, every ask is answered, the name is free, the timers are silent.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import contextmanager
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

import pykka
from pykka import messages as pykka_messages

from supervision import threads
from supervision.exits import (
    Error,
    ExitReason,
    ExitRequested,
    Ignore,
    Killed,
    NoProc,
    Normal,
    Shutdown,
    error_from,
)
from supervision.future import ActorFuture
from supervision.mailbox import Continuation, Mailbox

if TYPE_CHECKING:
    from collections.abc import Iterator

    from supervision.actor import Actor, Deferred
    from supervision.runtime import Runtime
    from supervision.timers import Timer

logger = logging.getLogger("supervision")

#: Messages that one actor handles before the next one has its turn.
TURN_LIMIT = 64


class ActorExit(pykka.ActorDeadError):
    """The actor ended before it could answer; ``reason`` says why."""

    def __init__(self, who: str, reason: ExitReason) -> None:
        super().__init__(f"{who} ended ({reason}) before it answered")
        self.reason = reason


class Revoked(BaseException):
    """Raised in a handler that goes on although its actor was ended by force: whatever it still wants to do is refused."""


class Phase(Enum):
    NEW = auto()
    RUNNING = auto()
    STOPPING = auto()
    OVER = auto()


class StopFlag:
    """Stands in for Pykka's ``actor_stopped`` event without the price of an Event for each actor."""

    __slots__ = ("is_on",)

    def __init__(self) -> None:
        self.is_on = False

    def is_set(self) -> bool:
        return self.is_on

    def set(self) -> None:
        self.is_on = True

    def wait(self, timeout: float | None = None) -> bool:
        """As ``threading.Event.wait``; polls, because nearly nobody waits for it."""
        try:
            threads.wait_until(lambda: self.is_on, float("inf") if timeout is None else timeout)
        except TimeoutError:
            return False
        return True


class StopRequest:
    """Control message: stop after the message in hand, with ``reason``."""

    __slots__ = ("reason",)

    def __init__(self, reason: ExitReason) -> None:
        self.reason = reason


_birth = threads.new_local()


@contextmanager
def _born_in(cell: Cell) -> Iterator[None]:
    _birth.cell = cell
    try:
        yield
    finally:
        _birth.cell = None


def cell_of_birth() -> Cell | None:
    """The cell whose actor is being constructed in this thread; taken once."""
    cell: Cell | None = getattr(_birth, "cell", None)
    _birth.cell = None
    return cell


class Cell:
    """``started`` is answered with the ref, or with the exception of ``__init__`` / ``on_start`` (``Ignore`` included)."""

    def __init__(
        self,
        runtime: Runtime,
        actor_class: type[Actor],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        *,
        name: str | None = None,
        on_exit: Callable[[Cell, ExitReason], None] | None = None,
    ) -> None:
        self.runtime = runtime
        self.actor_class = actor_class
        self.name = name
        self.urn = f"urn:actor:{runtime.new_id(16)}"
        self.mailbox = Mailbox(self._reject, runtime.clock.monotonic)
        self.stopped = StopFlag()
        self.started: ActorFuture[Any] = ActorFuture()
        self.actor: Actor | None = None
        self.ref: pykka.ActorRef[Any] | None = None
        self.phase = Phase.NEW
        self.reason: ExitReason | None = None
        self.was_started = False
        self.in_turn = False
        self.thread_id = 0
        """Of its turn, while it has one."""
        self.started_s = runtime.clock.monotonic()
        self.busy_since_s = self.started_s
        self.handling: str | None = None
        """The type of the message in hand: what an observer sees of an actor that hangs."""
        self._start_call: tuple[tuple[Any, ...], dict[str, Any]] | None = (args, kwargs)
        self._on_exit = on_exit
        self._lock = threads.new_lock()
        self._monitors: list[Callable[[ExitReason], None]] = []
        self._timers: dict[Timer, None] = {}
        self._deferred: dict[Deferred, None] = {}
        self.in_hand: tuple[Any, ...] = ()
        """Where the answers go of what is being handled: answered with ``ActorExit`` when the actor is ended by force."""
        self._releases: list[Callable[[], None]] = []
        self.dispatcher = actor_class.make_dispatcher(self)

    def __repr__(self) -> str:
        return f"<{self.actor_class.__name__} {self.name or self.urn} {self.phase.name.lower()}>"

    @property
    def is_over(self) -> bool:
        return self.phase is Phase.OVER

    def check(self) -> None:
        """Raises ``Revoked`` in an incarnation that was ended by force: a handler that hung and woke up must do no more."""
        if self.phase is Phase.OVER and isinstance(self.reason, Killed):
            raise Revoked(f"{self!r} was ended: {self.reason}")

    # --- life -----------------------------------------------------------------------------------------------------

    def start(self) -> ActorFuture[Any]:
        """Begin in the actor's own thread; returns at once."""
        self.mailbox.attach(self, self.dispatcher)
        return self.started

    def adopt(self, actor: Actor) -> None:
        """Take an actor that was constructed by ``Actor.start`` in its caller's thread, as Pykka does."""
        self.actor, self.ref = actor, actor.actor_ref

    def turn(self) -> None:
        self.in_turn, self.thread_id = True, threads.current_id()
        self.busy_since_s = self.runtime.clock.monotonic()
        try:
            if self.phase is Phase.NEW:
                self._begin()
            if not self.is_over:
                self._work()
        finally:
            self.in_turn = False
            self.handling = None
            self.runtime.turn_ended(self)
            self.mailbox.end_turn()

    def _begin(self) -> None:
        try:
            self._construct()
            assert self.actor is not None and self.ref is not None
            if self.name is not None:
                self.runtime.names.register(self.name, self)
            pykka.ActorRegistry.register(self.ref)
            self.actor.on_start()
        except Ignore as ignore:
            self._finish(Normal(), ignore)
        except ExitRequested as request:
            self._finish(request.reason)
        except BaseException as error:  # noqa: BLE001 - whatever it was, only this actor's start failed
            self._finish(error_from(error, "start"), error)
        else:
            with self._lock:
                if self.phase is not Phase.NEW:  # over already: revoked, or stopped by itself
                    return
                self.phase = Phase.RUNNING
            if not self.actor.acknowledges_itself:
                self.acknowledge()

    def acknowledge(self) -> None:
        """The start is complete; whoever waits for ``started`` gets the ref."""
        self.was_started = True
        self.started.set(self.ref)

    def _construct(self) -> None:
        if self.actor is not None:
            return
        assert self._start_call is not None
        args, kwargs = self._start_call
        self._start_call = None
        with _born_in(self):
            actor = self.actor_class(*args, **kwargs)
        self.actor, self.ref = actor, actor.actor_ref

    def _work(self) -> None:
        assert self.actor is not None
        for _ in range(self.runtime.turn_limit):
            if self.mailbox.control:
                self._handle_control(self.mailbox.control.popleft())
            elif not self.mailbox.queue or not self.actor.take_turn(self):
                return
            if self.is_over:
                return

    def _handle_control(self, message: object) -> None:
        assert self.actor is not None
        if isinstance(message, StopRequest) and self.phase is Phase.RUNNING:
            self.phase = Phase.STOPPING
            self.guard(lambda: self.actor_stop(message.reason), None)

    def actor_stop(self, reason: ExitReason) -> None:
        assert self.actor is not None
        self.actor.on_stop_request(reason)

    def handle(self, envelope: Any) -> None:
        """One ordinary message."""
        message = envelope.message
        self.handling = type(message).__name__
        if type(message) is Continuation:
            self.guard(lambda: message.run(message.value), None)
        else:
            self.in_hand = (envelope.reply_to,)
            self.guard(lambda: self._receive(envelope), envelope.reply_to)
            self.in_hand = ()

    def _receive(self, envelope: Any) -> None:
        assert self.actor is not None
        answer = self.actor.receive(envelope)
        if envelope.reply_to is not None and answer is not envelope:
            envelope.reply_to.set(answer)

    def guard(self, step: Callable[[], None], reply_to: Any) -> None:
        """Run a step of the actor; what nobody expected ends this actor, and only this one."""
        assert self.actor is not None
        try:
            step()
        except ExitRequested as request:
            self._finish(request.reason)
            self._answer_failed(reply_to, ActorExit(str(self), request.reason))
        except Revoked:
            self._answer_failed(reply_to, ActorExit(str(self), self.reason or NoProc()))
        except BaseException as error:
            if reply_to is not None and isinstance(error, self.actor.tolerated_errors()):
                self._answer_failed(reply_to, error)
                return
            logger.error("%r crashed", self, exc_info=error)
            self._tell_failure(error)
            self._finish(error_from(error, "message"))
            self._answer_failed(reply_to, error)

    def _tell_failure(self, error: BaseException) -> None:
        assert self.actor is not None
        self.stopped.set()
        try:
            self.actor.on_failure(type(error), error, error.__traceback__)
        except BaseException:
            logger.exception("%r crashed again in on_failure", self)

    @staticmethod
    def _answer_failed(reply_to: Any, error: BaseException) -> None:
        if isinstance(reply_to, ActorFuture):
            reply_to.fail(error)
        elif reply_to is not None:
            reply_to.set_exception((type(error), error, None))

    # --- the end --------------------------------------------------------------------------------------------------

    def stop(self, reason: ExitReason | None = None) -> None:
        """Ask the actor to stop after the message in hand, ahead of its backlog."""
        self.mailbox.put_control(StopRequest(reason or Shutdown()))

    def finish_orderly(self, reason: ExitReason) -> None:
        """Run ``on_stop`` and end. Only inside the actor's own turn."""
        assert self.actor is not None
        self.stopped.set()
        try:
            self.actor.on_stop()
        except BaseException as error:
            logger.error("%r crashed in on_stop", self, exc_info=error)
            reason = error_from(error, "stop")
        self._finish(reason)

    def signal_exit(self, linked: pykka.ActorRef[Any], reason: ExitReason) -> None:
        """A linked actor ended. A clean end is none of our business unless the actor traps exits."""
        actor = self.actor
        if actor is not None and not self.is_over:
            self.mailbox.post(Continuation(lambda _: actor.linked_ended(linked, reason), None))

    def on_release(self, release: Callable[[], None]) -> None:
        """``release()`` when the incarnation ends, before anybody can observe that it did."""
        self._releases.append(release)

    def revoke(self, cause: str) -> None:
        """End the incarnation at once, from any thread. A handler that is still running goes on as an abandoned thread."""
        if not self._finish(Killed(cause)):
            return
        for reply_to in self.in_hand:
            if isinstance(reply_to, ActorFuture):  # an answer that comes after this one is dropped
                reply_to.fail(ActorExit(str(self), Killed(cause)))
        if self.in_turn:
            self.runtime.abandon(self)

    def vanish(self) -> None:
        """Its process dies: it is over, and nobody is told (``simulation``)."""
        self.phase = Phase.OVER
        self.reason = Killed("process")
        self.stopped.set()
        if self.ref is not None:
            pykka.ActorRegistry.unregister(self.ref)

    def _finish(self, reason: ExitReason, start_error: BaseException | None = None) -> bool:
        with self._lock:
            if self.phase is Phase.OVER:
                return False
            self.reason = reason
            self.phase = Phase.OVER
        self.stopped.set()
        self.mailbox.close()
        for deferred in list(self._deferred):
            deferred.fail(ActorExit(str(self), reason))
        if self.name is not None:
            self.runtime.names.unregister(self.name, self)
        for release in self._releases:
            release()
        for timer in list(self._timers):
            timer.cancel()
        self._timers.clear()
        if self.ref is not None:
            pykka.ActorRegistry.unregister(self.ref)
        self.runtime.forget(self)
        self.runtime.release(self.dispatcher)
        self._publish(reason)
        self.started.fail(start_error or ActorExit(str(self), reason))
        return True

    def _publish(self, reason: ExitReason) -> None:
        with self._lock:
            monitors, self._monitors = self._monitors, []
        for monitor in monitors:
            monitor(reason)
        if self._on_exit is not None:
            self._on_exit(self, reason)

    def _reject(self, envelope: Any) -> None:
        message = envelope.message
        if envelope.reply_to is None:
            if not isinstance(message, Continuation):
                self.runtime.dead_letter(str(self), message)
        elif isinstance(message, pykka_messages._ActorStop):
            envelope.reply_to.set(None)
        else:
            self._answer_failed(envelope.reply_to, ActorExit(str(self), self.reason or NoProc()))

    # --- what belongs to the incarnation ----------------------------------------------------------------------------

    def monitor(self, callback: Callable[[ExitReason], None]) -> Callable[[], None]:
        """``callback(reason)`` exactly once, in some thread; at once with ``NoProc`` when it is over. Returns the undo."""
        with self._lock:
            if self.phase is not Phase.OVER:
                self._monitors.append(callback)
                return lambda: self._drop_monitor(callback)
        callback(NoProc())
        return lambda: None

    def _drop_monitor(self, callback: Callable[[ExitReason], None]) -> None:
        with self._lock:
            if callback in self._monitors:
                self._monitors.remove(callback)

    def add_timer(self, delay_s: float, message: object, period_s: float | None) -> Timer:
        def fire() -> None:
            if period_s is None:
                self._timers.pop(timer, None)
            self.mailbox.post(message)

        timer = self.runtime.timers.after(delay_s, fire, period_s)
        self._timers[timer] = None
        return timer

    def defer(self, deferred: Deferred) -> None:
        self._deferred[deferred] = None

    def settle_deferred(self, deferred: Deferred) -> None:
        self._deferred.pop(deferred, None)


__all__ = ["ActorExit", "Cell", "Continuation", "Error", "Phase", "cell_of_birth"]
