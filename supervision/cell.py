"""One incarnation of an actor: its mailbox, its life from construction to exit, and the single publication of that exit.

Everything of the user (``__init__``, ``on_start``, handlers, ``on_stop``) runs inside ``turn``, in a thread of the actor's own
dispatcher, and cannot raise out of it. When the exit is published everything that a client can observe afterwards is already
true: the ref is dead, every ask is answered, the name is free, the timers are silent.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from enum import Enum, auto
from typing import TYPE_CHECKING, Any, NamedTuple

import pykka
from pykka import messages as pykka_messages

from supervision import actor_registry, threads
from supervision.belongings import Belongings, rarely
from supervision.birth import born_in
from supervision.deferred import Deferred
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
from supervision.ref import Ref

if TYPE_CHECKING:
    from supervision.actor import Actor
    from supervision.runtime import Runtime

logger = logging.getLogger("supervision")

#: Messages that one actor handles before the next one has its turn.
TURN_LIMIT = 64


class ActorExit(pykka.ActorDeadError):
    """The actor ended before it could answer; ``reason`` says why."""

    def __init__(self, who: str, reason: ExitReason) -> None:
        super().__init__(f"{who} ended ({reason}) before it answered")
        self.reason = reason


class Begun(NamedTuple):
    """What a start answers instead of the ref alone, when ``on_start`` returned something: ``info``."""

    ref: pykka.ActorRef[Any]
    info: Any


class Revoked(BaseException):
    """Raised in a handler that goes on although its actor was ended by force: whatever it still wants to do is refused."""


class Phase(Enum):
    NEW = auto()
    RUNNING = auto()
    STOPPING = auto()
    OVER = auto()


class StopRequest:
    """Control message: stop after the message in hand, with ``reason``."""

    __slots__ = ("reason",)

    def __init__(self, reason: ExitReason) -> None:
        self.reason = reason


#: Class attributes of an Enum are slow to read, and these are read in every turn.
_NEW, _OVER = Phase.NEW, Phase.OVER


class Cell(Belongings):
    """``start`` answers with the ref, or with the exception of ``__init__`` / ``on_start`` (``Ignore`` included).

    An idle one is as small as can be: what only some incarnations have is made when it is needed.
    """

    __slots__ = (
        "__weakref__",
        "_on_exit",
        "_start_call",
        "_started",
        "_urn",
        "actor",
        "actor_class",
        "at",
        "busy_since_s",
        "dispatcher",
        "in_hand",
        "in_turn",
        "name",
        "phase",
        "reason",
        "ref",
        "reply_to",
        "started_s",
        "thread_id",
        "was_started",
    )

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
        now = runtime.clock.monotonic
        self.runtime = runtime
        self.actor_class = actor_class
        self.name = name
        self.mailbox = Mailbox(self, now)
        self.actor: Actor | None = None
        self.ref: pykka.ActorRef[Any] | None = None
        self.phase = _NEW
        self.reason: ExitReason | None = None
        self.was_started = False
        self.in_turn = False
        self.thread_id = 0
        """Of its turn, while it has one."""
        self.started_s = self.busy_since_s = now()
        self.at: type | None = None
        """The type of the message in hand: what an observer sees of an actor that hangs."""
        self.reply_to: Any = None
        """Where the answer goes of the message in hand."""
        self.in_hand: tuple[Any, ...] = ()
        """Where the answers go of the batch in hand."""
        self._urn: str | None = None
        self._started: ActorFuture[Any] | None = None
        self._start_call: tuple[tuple[Any, ...], dict[str, Any]] | None = (args, kwargs) if args or kwargs else None
        self._on_exit = on_exit
        self.owns_nothing()
        self.dispatcher = actor_class.make_dispatcher(self)

    def __repr__(self) -> str:
        return f"<{self.actor_class.__name__} {self.name or self.urn} {self.phase.name.lower()}>"

    @property
    def is_over(self) -> bool:
        return self.phase is _OVER

    @property
    def urn(self) -> str:
        """Made when somebody asks for it."""
        if self._urn is None:
            made = self.runtime.new_urn()
            with rarely:
                self._urn = self._urn or made
        return self._urn

    @property
    def handling(self) -> str | None:
        """The name of the type of the message in hand."""
        at = self.at
        return at.__name__ if at is not None else None

    def check(self) -> None:
        """Raises ``Revoked`` in an incarnation that was ended by force: a handler that hung and woke up must do no more."""
        if self.phase is _OVER and isinstance(self.reason, Killed):
            raise Revoked(f"{self!r} was ended: {self.reason}")

    # --- life -----------------------------------------------------------------------------------------------------

    def start(self) -> ActorFuture[Any]:
        """Begin in the actor's own thread; returns at once."""
        started: ActorFuture[Any] = ActorFuture()
        self._started = started
        self.mailbox.attach(self.dispatcher)
        return started

    def start_adopted(self) -> None:
        """As ``start``, for an actor that was constructed in its caller's thread, who waits for nothing."""
        assert self.ref is not None
        actor_registry.refs.append(self.ref)
        self.mailbox.attach(self.dispatcher)

    def adopt(self, actor: Actor) -> None:
        """``actor`` is being constructed as this incarnation."""
        self.actor, self.ref = actor, Ref(self)

    def turn(self) -> None:
        runtime = self.runtime
        self.in_turn, self.thread_id = True, threads.current_id()
        self.busy_since_s = runtime.clock.monotonic()
        try:
            if self.phase is _NEW:
                self._begin()
            if self.phase is not _OVER:
                self._work()
        finally:
            self.in_turn = False
            self.at = self.reply_to = None
            runtime.turns += 1
            if self.phase is _OVER:
                runtime.forget(self)
            if runtime.hanging:
                runtime.woke_up(self)
            self.mailbox.end_turn()

    def _begin(self) -> None:
        try:
            self._construct()
            assert self.actor is not None and self.ref is not None
            if self.name is not None:
                self.runtime.names.register(self.name, self)
            info = self.actor.on_start()
        except Ignore as ignore:
            self._finish(Normal(), ignore)
        except ExitRequested as request:
            self._finish(request.reason)
        except BaseException as error:  # noqa: BLE001 - whatever it was, only this actor's start failed
            if self._started is None:  # nobody waits who would say it
                self._log_failure(error)
            self._finish(error_from(error, "start"), error)
        else:
            with rarely:
                if self.phase is not _NEW:  # over already: revoked, or stopped by itself
                    return
                self.phase = Phase.RUNNING
            if not self.actor.acknowledges_itself:
                self.acknowledge(info)

    def acknowledge(self, info: Any = None) -> None:
        """The start is complete; whoever waits for it gets the ref, and ``info`` if there is any."""
        self.was_started = True
        if self._started is not None:
            assert self.ref is not None
            self._started.set(self.ref if info is None else Begun(self.ref, info))
            self._started = None

    def _construct(self) -> None:
        if self.actor is not None:
            return
        args, kwargs = self._start_call or ((), {})
        self._start_call = None
        with born_in(self):
            self.actor_class(*args, **kwargs)
        assert self.ref is not None
        actor_registry.refs.append(self.ref)

    def _work(self) -> None:
        mailbox, actor = self.mailbox, self.actor
        queue, batch = mailbox.queue, getattr(actor, "take_batch", None)
        for _ in range(self.runtime.turn_limit):
            if mailbox.control:
                self._handle_control(mailbox.control.popleft())
            elif not queue:
                return
            elif batch is not None:
                batch()
            else:
                try:
                    message, reply_to, _ = queue.popleft()
                except IndexError:  # closed and rejected meanwhile
                    return
                self.handle(message, reply_to)
            if self.phase is _OVER:
                return

    def _handle_control(self, message: object) -> None:
        assert self.actor is not None
        if isinstance(message, StopRequest) and self.phase is Phase.RUNNING:
            self.phase = Phase.STOPPING
            self.guard(lambda: self.actor_stop(message.reason))

    def actor_stop(self, reason: ExitReason) -> None:
        assert self.actor is not None
        self.actor.on_stop_request(reason)

    def handle(self, message: Any, reply_to: Any) -> None:
        """One ordinary message; what nobody expected ends this actor, and only this one."""
        self.at = kind = type(message)
        self.reply_to = reply_to
        try:
            if kind is Continuation:
                message.run(message.value)
                return
            answer = self._receive(message)
            if reply_to is not None and type(answer) is not Deferred:
                reply_to.set(answer)
        except BaseException as error:  # noqa: BLE001 - see above
            self._failed(error, reply_to)

    def _receive(self, message: Any) -> Any:
        return self.actor.receive(message)  # type: ignore[union-attr]

    def guard(self, step: Callable[[], None]) -> None:
        """Run a step of the actor that is no single message."""
        try:
            step()
        except BaseException as error:  # noqa: BLE001 - as in handle
            self._failed(error, None)

    def _failed(self, error: BaseException, reply_to: Any) -> None:
        assert self.actor is not None
        if isinstance(error, ExitRequested):
            self._finish(error.reason)
            self._answer_failed(reply_to, ActorExit(str(self), error.reason))
        elif isinstance(error, Revoked):
            self._answer_failed(reply_to, ActorExit(str(self), self.reason or NoProc()))
        elif reply_to is not None and isinstance(error, self.actor.tolerated_errors()):
            logger.info("Exception returned from %s to caller:", self.ref, exc_info=error)
            self._answer_failed(reply_to, error)
        else:
            self._log_failure(error)
            self._tell_failure(error)
            self._finish(error_from(error, "message"))
            self._answer_failed(reply_to, error)

    def _log_failure(self, error: BaseException) -> None:
        logger.error("Unhandled exception in %s:", self.ref, exc_info=error)  # in Pykka's words

    def _tell_failure(self, error: BaseException) -> None:
        assert self.actor is not None
        self._leave()
        try:
            self.actor.on_failure(type(error), error, error.__traceback__)
        except BaseException:
            logger.exception("Unhandled exception in %s:", self.ref)

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
        self._leave()
        try:
            self.actor.on_stop()
        except BaseException as error:  # noqa: BLE001
            self._log_failure(error)
            reason = error_from(error, "stop")
        self._finish(reason)

    def signal_exit(self, linked: pykka.ActorRef[Any], reason: ExitReason) -> None:
        """A linked actor ended. A clean end is none of our business unless the actor traps exits."""
        actor = self.actor
        if actor is not None and not self.is_over:
            self.mailbox.post(Continuation(lambda _: actor.linked_ended(linked, reason), None))

    def revoke(self, cause: str) -> None:
        """End the incarnation at once, from any thread. A handler that is still running goes on as an abandoned thread."""
        if not self._finish(Killed(cause)):
            return
        for reply_to in (self.reply_to, *self.in_hand):
            if isinstance(reply_to, ActorFuture):  # an answer that comes after this one is dropped
                reply_to.fail(ActorExit(str(self), Killed(cause)))
        if self.in_turn:
            self.runtime.abandon(self)

    def _leave(self) -> None:
        """From now on nobody finds it in Pykka's registry, and nobody can send to it."""
        if self.ref is not None:
            actor_registry.refs.remove(self.ref)
        self.mailbox.is_stopped = True

    def vanish(self) -> None:
        """Its process dies: it is over, and nobody is told (``simulation``)."""
        self.phase = _OVER
        self.reason = Killed("process")
        self._leave()

    def _finish(self, reason: ExitReason, start_error: BaseException | None = None) -> bool:
        with rarely:
            if self.phase is _OVER:
                return False
            self.reason = reason
            self.phase = _OVER
        self._leave()
        self.mailbox.close()
        self.fail_deferred(ActorExit(str(self), reason))
        if self.name is not None:
            self.runtime.names.unregister(self.name, self)
        self.release_all()
        if (
            not self._is_my_turn()
        ):  # else at the end of it: until then it still answers, and the runtime has not settled
            self.runtime.forget(self)
        self.runtime.release(self.dispatcher)
        self._publish(reason)
        started, self._started = self._started, None
        if started is not None:
            started.fail(start_error or ActorExit(str(self), reason))
        return True

    def _is_my_turn(self) -> bool:
        return self.in_turn and self.thread_id == threads.current_id()

    def _publish(self, reason: ExitReason) -> None:
        for monitor in self.take_monitors():
            monitor(reason)
        if self._on_exit is not None:
            self._on_exit(self, reason)

    def reject(self, message: Any, reply_to: Any) -> None:
        """What comes when it is over."""
        if reply_to is None:
            if not isinstance(message, Continuation):
                self.runtime.dead_letter(str(self), message)
        elif isinstance(message, pykka_messages._ActorStop):
            reply_to.set(None)
        else:
            self._answer_failed(reply_to, ActorExit(str(self), self.reason or NoProc()))


__all__ = ["ActorExit", "Cell", "Continuation", "Error", "Phase"]
