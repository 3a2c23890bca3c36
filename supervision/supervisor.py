"""Supervisors of actors: a ``SupervisorCore`` run inside an ordinary actor, so that no supervisor ever blocks.

The smallest example that runs::

    runtime = Runtime()
    top = runtime.spawn(
        Supervisor,
        SupervisorFlags(strategy=Strategy.REST_FOR_ONE),
        [child(Counter, 10, name="counter"), child(Reporter, name="reporter")],
        name="top",
    )
    top.stop()

``spawn`` returns when every child has started, and raises when one could not. Administration goes by ``ask`` with the
requests of ``supervision.core_messages`` (``StartChildRequest``, ``WhichChildrenRequest``, ...).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import pykka

from supervision import threads
from supervision.actor import Actor
from supervision.backoff import Backoff
from supervision.cell import ActorExit, Begun, Cell
from supervision.children import Child
from supervision.core import SupervisorCore
from supervision.core_messages import (
    Api,
    Begin,
    CountChildrenRequest,
    DeleteChildRequest,
    Effect,
    Event,
    Exit,
    Exited,
    Failure,
    GetChildSpecRequest,
    Ready,
    Reply,
    Report,
    ResetBackoffRequest,
    RestartChildRequest,
    RetryDue,
    ScheduleRetry,
    StartChild,
    StartChildRequest,
    Started,
    StartFailed,
    StartIgnored,
    StopChild,
    StopRequested,
    TerminateChildRequest,
    WhichChildrenRequest,
    WhichChildRequest,
)
from supervision.events import SupervisionEvent
from supervision.exits import ExitReason, Ignore, Killed, error_from
from supervision.foreign import hosted
from supervision.mailbox import Continuation
from supervision.spec import (
    BRUTAL_KILL,
    INFINITY,
    ChildSpec,
    ChildType,
    Restart,
    SpecError,
    SupervisorFlags,
)

logger = logging.getLogger("supervision")

#: How often it is said of a child that was asked to stop that it has not.
STILL_STOPPING_S = 10.0


@dataclass(frozen=True, slots=True)
class StartActor:
    """How to start an actor: in its own context, under ``name`` if given, with the same arguments each time."""

    actor_class: type[Actor]
    args: tuple[Any, ...] = ()
    kwargs: tuple[tuple[str, Any], ...] = ()
    name: str | None = None


def child(
    actor_class: type[pykka.Actor],
    *args: Any,
    name: str | None = None,
    id: str | None = None,
    restart: Restart | None = None,
    shutdown_s: float | None = None,
    start_timeout_s: float | None = None,
    significant: bool | None = None,
    backoff: Backoff | None = None,
    **kwargs: Any,
) -> ChildSpec:
    """The spec of an actor child; ``id`` defaults to ``name``, then to the class name. Any Pykka actor will do (``foreign``).

    What is not said here is as the class says in its ``child_defaults``, and else as in ``ChildSpec``.
    Raises ``SpecError`` for what is no actor class.
    """
    if not (isinstance(actor_class, type) and issubclass(actor_class, pykka.Actor)):
        raise SpecError("invalid_child_class", f"{actor_class!r} is not a class of actors")
    ours = actor_class if issubclass(actor_class, Actor) else hosted(actor_class)
    kind = ChildType.SUPERVISOR if issubclass(ours, Supervisor) else ChildType.WORKER
    said = {
        "restart": restart,
        "shutdown_s": shutdown_s,
        "start_timeout_s": start_timeout_s,
        "significant": significant,
        "backoff": backoff,
    }
    fields = {**_defaults_of(actor_class), **{field: value for field, value in said.items() if value is not None}}
    start = StartActor(ours, args, tuple(kwargs.items()), name)
    return ChildSpec(id or name or actor_class.__name__, start, type=kind, **fields)


#: What a class may say of itself as a child.
CHILD_DEFAULTS = frozenset({"restart", "shutdown_s", "start_timeout_s", "significant", "backoff"})


def _defaults_of(actor_class: type[pykka.Actor]) -> dict[str, Any]:
    defaults = dict(getattr(actor_class, "child_defaults", {}))
    if unknown := sorted(defaults.keys() - CHILD_DEFAULTS):
        raise SpecError("invalid_child_defaults", f"{actor_class.__name__} says {', '.join(unknown)}")
    return defaults


def as_spec(what: object) -> ChildSpec:
    """A ``ChildSpec`` as it is, a class, or ``(class, argument, …)``. Raises ``SpecError``."""
    if isinstance(what, ChildSpec):
        return what
    if isinstance(what, type):
        return child(what)
    if isinstance(what, tuple) and what:
        return child(*what)
    raise SpecError("invalid_child_spec", what)


class Supervisor(Actor):
    """Starts its children in order, restarts them by strategy, and stops them in reverse."""

    acknowledges_itself = True

    handles = dict.fromkeys(
        (
            StartChildRequest,
            TerminateChildRequest,
            RestartChildRequest,
            DeleteChildRequest,
            WhichChildrenRequest,
            WhichChildRequest,
            GetChildSpecRequest,
            ResetBackoffRequest,
            CountChildrenRequest,
        ),
        "administrate",
    )

    def __init__(
        self,
        flags: SupervisorFlags,
        specs: Iterable[ChildSpec | type[pykka.Actor] | tuple[Any, ...]] = (),
        *,
        dynamic: bool = False,
        max_children: int | None = None,
        extra_arguments: tuple[Any, ...] = (),
    ) -> None:
        """``extra_arguments`` of a dynamic supervisor stand before those of each child, at every start of it."""
        super().__init__()
        if extra_arguments and not dynamic:
            raise SpecError("invalid_extra_arguments", "only children of a dynamic supervisor have them")
        self._extra_arguments = tuple(extra_arguments)
        clock = self.runtime.clock
        self.core = SupervisorCore(
            flags, map(as_spec, specs), clock.monotonic, dynamic, max_children, self.runtime.random.random
        )
        self._cells: dict[tuple[str, int], Cell] = {}
        self.cell.on_release(self._leave_no_orphans)

    def on_start(self) -> None:
        self._feed(Begin())

    def administrate(self, request: Any) -> object:
        if isinstance(request, StartChildRequest):
            try:
                request = StartChildRequest(as_spec(request.spec))
            except SpecError as error:
                return Failure(error.code, str(error))
        deferred = self.defer()
        self._feed(Api(deferred, request))
        return deferred

    def on_stop_request(self, reason: ExitReason) -> None:
        self._feed(StopRequested(reason))

    def _stop(self) -> None:
        """Pykka's ``ref.stop()`` behaves like a request of the parent."""
        self.cell.stop()

    def _leave_no_orphans(self) -> None:
        """However it ends, also by a fault of the engine itself or by force: no child outlives its supervisor."""
        for cell in reversed(list(self._cells.values())):
            cell.revoke("supervisor ended")

    def cell_of(self, child: Child) -> Cell | None:
        """The living incarnation of one child of the core."""
        return self._cells.get((child.key, child.incarnation))

    # --- carrying out effects -------------------------------------------------------------------------------------

    def _feed(self, event: Event) -> None:
        for effect in self.core.handle(event):
            self._perform(effect)

    def _perform(self, effect: Effect) -> None:
        if isinstance(effect, StartChild):
            self._start_child(effect)
        elif isinstance(effect, StopChild):
            self._stop_child(effect)
        elif isinstance(effect, ScheduleRetry):
            self._schedule_retry(effect)
        elif isinstance(effect, Reply):
            effect.call.reply(effect.value)
        elif isinstance(effect, Ready):
            self.cell.acknowledge()
        elif isinstance(effect, Report):
            self._report(effect)
        elif isinstance(effect, Exit):
            self.cell.finish_orderly(effect.reason)

    def _schedule_retry(self, effect: ScheduleRetry) -> None:
        due = RetryDue(effect.key, effect.token)
        if effect.delay_s > 0:
            self.runtime.timers.after(effect.delay_s, lambda: self._put(self._feed, due))
        else:
            self._put(self._feed, due)

    def _put(self, run: Callable[[Any], None], value: object) -> None:
        self.cell.mailbox.post(Continuation(run, value))

    def _start_child(self, effect: StartChild) -> None:
        start: StartActor = effect.spec.start
        identity = (effect.key, effect.incarnation)

        def gone(cell: Cell, reason: ExitReason) -> None:
            if cell.was_started:
                self._put(self._child_gone, Exited(*identity, reason))

        args = (*self._extra_arguments, *start.args)
        cell = self.runtime.create(start.actor_class, args, dict(start.kwargs), name=start.name, on_exit=gone)
        self._cells[identity] = cell
        self.when_done(
            cell.start(), lambda outcome: self._child_started(identity, outcome), effect.spec.start_timeout_s
        )

    def _child_started(self, identity: tuple[str, int], outcome: object) -> None:
        if isinstance(outcome, pykka.ActorRef):
            self._feed(Started(*identity, outcome))
            return
        if isinstance(outcome, Begun):
            self._feed(Started(*identity, outcome.ref, outcome.info))
            return
        cell = self._cells.pop(identity)
        if isinstance(outcome, Ignore):
            self._feed(StartIgnored(*identity))
            return
        if isinstance(outcome, pykka.Timeout):
            cell.revoke("start timeout")
            reason: ExitReason = Killed("start timeout")
        elif isinstance(outcome, ActorExit):
            reason = outcome.reason
        else:
            assert isinstance(outcome, BaseException)
            reason = error_from(outcome, "start")
        self._feed(StartFailed(*identity, reason))

    def _child_gone(self, event: Exited) -> None:
        self._cells.pop((event.key, event.incarnation), None)
        self._feed(event)

    def _stop_child(self, effect: StopChild) -> None:
        cell = self._cells.get((effect.key, effect.incarnation))
        if cell is None:  # its exit is on the way
            return
        limit_s = effect.spec.shutdown
        if limit_s == BRUTAL_KILL:
            cell.revoke("brutal")
            return
        cell.stop()
        if limit_s != INFINITY:
            self.runtime.timers.after(limit_s, lambda: cell.revoke("abandoned"))
        if limit_s > STILL_STOPPING_S:
            self._look_again(cell, effect.spec.id)

    def _look_again(self, cell: Cell, id_: str) -> None:
        self.runtime.timers.after(STILL_STOPPING_S, lambda: self._put(lambda _: self._still_stopping(cell, id_), None))

    def _still_stopping(self, cell: Cell, id_: str) -> None:
        """Nobody may end it by force (yet), so at least everybody sees what it waits for."""
        if cell.is_over:
            return
        handling, stack = cell.handling, threads.stack_of(cell.thread_id) if cell.in_turn else None
        self._report(Report("still_stopping", id_, f"at {handling}" if handling else "waiting", stack or ""))
        self._look_again(cell, id_)

    def _report(self, report: Report) -> None:
        name = self.name or "supervisor"
        at = self.runtime.clock.time_ms()
        self.runtime.events.append(SupervisionEvent(at, name, report.kind, report.child, report.reason))
        level = logging.DEBUG if report.kind == "progress" else logging.WARNING
        where = f"\n{report.detail}" if report.kind == "still_stopping" and report.detail else ""
        logger.log(level, "%s: %s %s: %s%s", self.name, report.child, report.kind, report.reason, where)
