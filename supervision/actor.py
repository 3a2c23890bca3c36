"""``Actor`` runs on shared worker threads, ``BatchActor`` on a thread of its own; both are Pykka actors.

Refs, proxies and futures work as Pykka documents them. What differs, on purpose:

- an unexpected exception ends the actor also when it was asked and not told (``ask_errors = "crash"``); the caller gets it;
- ``SystemExit`` or ``KeyboardInterrupt`` in a handler ends that actor only;
- an ask is always answered: with an ``ActorExit`` at the latest when the actor ends.

A handler returns the answer. ``handles`` maps message types to method names; other messages go to ``on_receive``.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NoReturn, Self, cast

import pykka
from pykka import messages

from supervision.birth import cell_of_birth
from supervision.cell import ActorExit, Cell
from supervision.deferred import Deferred
from supervision.exits import ExitReason, ExitRequested, Normal
from supervision.future import ActorFuture
from supervision.links import ExitSignal, Target, Watches
from supervision.mailbox import Continuation, Mailbox
from supervision.ref import StopFlag

if TYPE_CHECKING:
    from supervision.names import Names
    from supervision.runtime import Runtime
    from supervision.threads import Dispatcher
    from supervision.timers import Timer


#: What Pykka's proxies and ``stop`` send; everything else goes to ``on_receive``.
_PYKKAS_OWN = frozenset({messages.ProxyCall, messages.ProxyGetAttr, messages.ProxySetAttr, messages._ActorStop})


class Request:
    """One message of a batch. An ask that is not answered when the actor ends gets ``ActorExit``."""

    __slots__ = ("message", "reply_to")

    def __init__(self, message: Any, reply_to: Any) -> None:
        self.message = message
        self.reply_to = reply_to

    @property
    def is_ask(self) -> bool:
        return self.reply_to is not None

    @property
    def is_answered(self) -> bool:
        return self.reply_to is None or self.reply_to.is_done()

    def reply(self, value: object) -> None:
        if self.reply_to is not None:
            self.reply_to.set(value)

    def fail(self, error: BaseException) -> None:
        if isinstance(self.reply_to, ActorFuture):
            self.reply_to.fail(error)


class Actor(pykka.Actor):
    """Dispatched: costs no thread while it has nothing to do."""

    handles: ClassVar[dict[type, str]] = {}

    ask_errors: ClassVar[Literal["crash", "reply"]] = "crash"
    """What an exception in an asked message does besides reaching the caller: end the actor, or nothing (Pykka's way)."""

    acknowledges_itself: ClassVar[bool] = False
    """True: the start is complete when the actor calls ``cell.acknowledge()`` and not when ``on_start`` returns."""

    child_defaults: ClassVar[Mapping[str, Any]] = {}
    """How it wants to be supervised unless its spec says otherwise: ``restart``, ``shutdown_s`` and the like (``child``)."""

    expected_errors: ClassVar[tuple[type[BaseException], ...]] = ()
    """Exceptions that only reach the caller of an ask and never end the actor."""

    def __init__(self, *_args: Any, **_kwargs: Any) -> None:
        # Pykka's own __init__ would make a uuid, an Event and an inbox that cannot be closed.
        cell = cell_of_birth()
        if cell is None:
            from supervision.runtime import (
                default_runtime,  # the only cycle: a bare Actor.start() needs a home
            )

            cell = default_runtime().create(type(self))
        self.cell = cell
        cell.adopt(self)

    @classmethod
    def start(cls, *args: Any, **kwargs: Any) -> pykka.ActorRef[Self]:
        """As Pykka's, which would also write the urn of every actor for a log line that nobody reads."""
        actor = cls(*args, **kwargs)
        actor.cell.start_adopted()
        return actor.actor_ref

    # --- what Pykka keeps in every actor, and we only in its cell --------------------------------------------------

    @property
    def runtime(self) -> Runtime:
        return self.cell.runtime

    @property
    def _actor_ref(self) -> pykka.ActorRef[Any]:  # type: ignore[override]
        assert self.cell.ref is not None
        return self.cell.ref

    @property
    def actor_urn(self) -> str:  # type: ignore[override]
        return self.cell.urn

    @property
    def actor_inbox(self) -> Mailbox:  # type: ignore[override]
        return self.cell.mailbox

    @property
    def actor_stopped(self) -> StopFlag:  # type: ignore[override]
        return StopFlag(self.cell.mailbox)

    # --- Pykka's hooks for implementors ----------------------------------------------------------------------------

    @staticmethod
    def _create_actor_inbox() -> Mailbox:
        raise NotImplementedError("the mailbox belongs to the cell")

    @staticmethod
    def _create_future() -> ActorFuture[Any]:
        return ActorFuture()

    def _start_actor_loop(self) -> None:
        self.cell.start_adopted()

    def _stop(self) -> None:
        self.cell.finish_orderly(Normal())

    @classmethod
    def make_dispatcher(cls, cell: Cell) -> Dispatcher:
        """Where the turns of this actor run."""
        return cell.runtime.pool

    def on_start(self) -> Any:
        """In the actor's own thread, before its first message. What it returns goes to whoever asked for the start."""

    # --- receiving --------------------------------------------------------------------------------------------------

    def receive(self, message: Any) -> Any:
        """The answer to one message, or a ``Deferred`` when it comes later."""
        kind = type(message)
        name = self.handles.get(kind)
        if name is not None:
            return getattr(self, name)(message)
        return self._handle_receive(message) if kind in _PYKKAS_OWN else self.on_receive(message)

    def tolerated_errors(self) -> tuple[type[BaseException], ...]:
        return (Exception,) if self.ask_errors == "reply" else self.expected_errors

    def on_stop_request(self, reason: ExitReason) -> None:
        """Asked to stop by the supervisor. The default ends at once; a supervisor first ends its children."""
        self.cell.finish_orderly(reason)

    # --- what an actor can do ----------------------------------------------------------------------------------------

    @property
    def name(self) -> str | None:
        return self.cell.name

    @property
    def names(self) -> Names:
        return self.runtime.names

    def send(self, name: str, message: object) -> bool:
        """Tell whoever has ``name`` now. False: nobody has, and the message is a dead letter."""
        self.cell.check()
        ref = self.runtime.names.whereis(name)
        if ref is not None:
            try:
                ref.tell(message)
                return True
            except pykka.ActorDeadError:
                pass
        self.runtime.dead_letter(name, message)
        return False

    def request(self, name: str, message: object, then: Callable[[Any], None], timeout_s: float = 30.0) -> None:
        """Ask whoever has ``name``; ``then(answer)`` runs later in this actor.

        The answer is an exception instance when there is nobody (``ActorExit``), when it crashed, or after ``timeout_s``
        (``pykka.Timeout``). Exactly one call of ``then`` follows, unless this actor ends first.
        """
        self.cell.check()
        ref = self.runtime.names.whereis(name)
        if ref is None:
            error = pykka.ActorDeadError(f"nobody is called {name}")
            self._come_back(then, error)
            return
        future = cast("ActorFuture[Any]", ref.ask(message, block=False))
        self.when_done(future, then, timeout_s)

    def when_done(self, future: ActorFuture[Any], then: Callable[[Any], None], timeout_s: float = 30.0) -> None:
        """``then(outcome)`` in this actor's own turn once ``future`` is done, or with ``pykka.Timeout``."""
        timer = self.runtime.timers.after(timeout_s, lambda: future.fail(pykka.Timeout(f"{timeout_s} seconds")))

        def come_back(done: ActorFuture[Any]) -> None:
            timer.cancel()
            self._come_back(then, done.outcome())

        future.on_done(come_back)

    def _come_back(self, then: Callable[[Any], None], value: object) -> None:
        self.cell.mailbox.post(Continuation(then, value))

    def defer(self) -> Deferred:
        """Return this from a handler to answer its ask later through ``Deferred.reply``."""
        return Deferred(self.cell, self.cell.reply_to)

    def send_after(self, delay_s: float, message: object) -> Timer:
        """Tell this incarnation ``message`` in ``delay_s`` seconds."""
        self.cell.check()
        return self.cell.add_timer(delay_s, message, None)

    def send_every(self, period_s: float, message: object) -> Timer:
        """Tell this incarnation ``message`` every ``period_s`` seconds, the first time after one period."""
        return self.cell.add_timer(period_s, message, period_s)

    # --- the ends of others ------------------------------------------------------------------------------------------

    traps_exits: ClassVar[bool] = False
    """True: the end of a linked actor arrives as the message ``ExitSignal``. False: an abnormal one ends this actor too."""

    def monitor(self, target: Target, message: object = None) -> int:
        """A message ``Down(token, target, reason)`` follows when ``target`` ends; at once when it is gone. The token.

        ``message``: what follows instead, for an actor that knows by it what to do.
        """
        return self._watched().monitor(target, self._deliver, message)

    def demonitor(self, token: int) -> None:
        """No ``Down`` for this token follows, also if it is in the mailbox already."""
        self._watched().demonitor(token)

    def link(self, target: Target) -> None:
        """Share the fate of ``target``: see ``traps_exits``. A link cannot end a handler that hangs."""
        self._watched().link(target, self.linked_ended)

    def linked_ended(self, target: Target, reason: ExitReason) -> None:
        if self.traps_exits:
            self._deliver(ExitSignal(target, reason))
        elif not reason.is_clean:
            self.exit(reason)

    def _watched(self) -> Watches:
        watches = getattr(self, "_watches", None)
        if watches is None:
            watches = self._watches = Watches(self.cell)
            self.cell.on_release(watches.close)
        return watches

    def _deliver(self, message: object) -> None:
        self.receive(message)

    def exit(self, reason: ExitReason) -> NoReturn:
        """End this actor now, without ``on_stop``."""
        raise ExitRequested(reason)


class BatchActor(Actor):
    """Has a thread of its own, for what blocks, and takes everything that waits at once."""

    batch_limit: ClassVar[int] = 256
    """How much one batch may weigh (``weigh``); a single heavier message is a batch of its own."""

    @classmethod
    def make_dispatcher(cls, cell: Cell) -> Dispatcher:
        return cell.runtime.private_dispatcher(cell.name or cls.__name__)

    def take_batch(self) -> None:
        """Handle what one step of a turn may take from the mailbox."""
        cell = self.cell
        try:
            requests = self._take_requests(cell.mailbox.queue)
            single = None if requests else cell.mailbox.queue.popleft()
        except IndexError:  # closed and rejected meanwhile
            return
        if single is not None:
            cell.handle(single[0], single[1])
            return
        cell.in_hand = tuple(request.reply_to for request in requests)
        cell.guard(lambda: self.on_batch(requests))
        cell.in_hand = ()
        if cell.is_over:
            self._fail_unanswered(cell, requests)

    def _take_requests(self, queue: deque[Any]) -> list[Request]:
        """Up to the first message that is not for a batch, or that would make this one too heavy."""
        requests: list[Request] = []
        weight = 0
        while queue:
            message = queue[0][0]
            if type(message) is Continuation or type(message) not in self.handles:
                break
            weight += self.weigh(message)
            if requests and weight > self.batch_limit:
                break
            requests.append(Request(message, queue.popleft()[1]))
        return requests

    @classmethod
    def weigh(cls, message: Any) -> int:
        """How much of a batch one message is."""
        return 1

    @staticmethod
    def _fail_unanswered(cell: Cell, requests: list[Request]) -> None:
        assert cell.reason is not None
        for request in requests:
            if not request.is_answered:
                request.fail(ActorExit(repr(cell), cell.reason))

    def on_batch(self, requests: list[Request]) -> None:
        """Handle ``requests`` (at least one, in order of arrival); answer each through ``Request.reply``."""
        raise NotImplementedError
