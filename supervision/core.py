"""The supervisor as a pure state machine: events in, effects out. No thread, no clock of its own, no Pykka.

A shell feeds it events (``handle``) and carries out the effects. The core is sequential, as OTP's supervisor is: while it
waits for a child to start or to end, every other event waits in its inbox. Each procedure is written as a generator that
yields what it waits for, so that it reads like the sequential text of the semantics.

A child is known to the shell by ``key`` (unique within this supervisor) and ``incarnation`` (grows with each start of any
child, so that a late word about a child that was deleted is never taken for one about its successor).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from supervision.backoff import Backoff
from supervision.children import Child, Children, RunState
from supervision.core_messages import (
    Api,
    Begin,
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
    StartedWith,
    StartFailed,
    StartIgnored,
    StartOutcome,
    StopChild,
    StopRequested,
    TerminateChildRequest,
    WhichChildrenRequest,
    WhichChildRequest,
)
from supervision.events import Kind
from supervision.exits import Error, ExitReason, Normal, Shutdown
from supervision.intensity import RestartWindow
from supervision.spec import (
    AutoShutdown,
    ChildSpec,
    Restart,
    SpecError,
    Strategy,
    SupervisorFlags,
    check_child_spec,
    check_child_specs,
    check_flags,
)


@dataclass(frozen=True, slots=True)
class _Awaited:
    """What a procedure waits for: the start outcome or the exit of one incarnation."""

    kinds: tuple[type, ...]
    key: str
    incarnation: int

    def fits(self, event: Event) -> bool:
        return isinstance(event, self.kinds) and (event.key, event.incarnation) == (self.key, self.incarnation)  # type: ignore[union-attr]


def _started(child: Child, outcome: StartOutcome) -> Any:
    """What the caller gets: the ref, and with it what the start had to say, if anything."""
    if isinstance(outcome, Started) and outcome.info is not None:
        return StartedWith(child.ref, outcome.info)
    return child.ref


_START_OUTCOMES = (Started, StartIgnored, StartFailed)

Procedure: TypeAlias = Generator[_Awaited, Any, None]


def _no_chance() -> float:
    return 0.0


@dataclass(slots=True)
class SupervisorCore:
    """``dynamic``: children come and go, their ids need not be unique, and they are stopped all at once."""

    flags: SupervisorFlags
    specs: Iterable[object]
    now: Callable[[], float]
    dynamic: bool = False
    max_children: int | None = None
    chance: Callable[[], float] = _no_chance
    """From 0 to 1, for the jitter of back-offs."""
    children: Children = field(init=False)
    window: RestartWindow = field(init=False)
    is_over: bool = field(init=False, default=False)
    _inbox: OrderedDict[object, Event] = field(init=False, default_factory=OrderedDict)
    """What waits, in order; an exit is found by whose it is, so that 10,000 that come out of order cost no search each."""
    _effects: list[Effect] = field(init=False, default_factory=list)
    _procedure: Procedure | None = field(init=False, default=None)
    _awaited: _Awaited | None = field(init=False, default=None)
    _incarnations: int = field(init=False, default=0)
    _numbers: int = field(init=False, default=0)
    """Of retries, so that an old one is never taken for one of a successor, and of what waits."""

    def __post_init__(self) -> None:
        """Raises ``SpecError``; then nothing was started."""
        check_flags(self.flags)
        self.children = Children(self.dynamic)
        self.window = RestartWindow(self.flags.max_restarts, self.flags.period_s)
        for spec in check_child_specs(self.specs, self.flags.auto_shutdown):
            self._check_backoff(spec)
            self.children.add(spec)

    def _check_backoff(self, spec: ChildSpec) -> None:
        fault = spec.backoff.fault(self.flags.max_restarts, self.flags.period_s) if spec.backoff is not None else None
        if fault is not None:
            raise SpecError("invalid_backoff", f"{spec.id}: {fault}")

    def handle(self, event: Event) -> list[Effect]:
        """Take one event; what has to be done now, in order."""
        if self._awaited is not None and self._awaited.fits(event):
            self._advance(event)
        else:
            self._inbox[(event.key, event.incarnation) if isinstance(event, Exited) else self._number()] = event
        while not self.is_over and self._step():
            pass
        effects, self._effects = self._effects, []
        return effects

    def _number(self) -> int:
        self._numbers += 1
        return self._numbers

    # --- the sequential machine -----------------------------------------------------------------------------------

    def _step(self) -> bool:
        """Begin the next procedure, or give the running one an exit that came early. False: nothing can go on now."""
        if self._procedure is None:
            if not self._inbox:
                return False
            self._procedure = self._serve(self._inbox.popitem(last=False)[1])
            return self._advance(None)
        # Only an exit can be here before it is awaited; the outcome of a start comes after its effect.
        if self._awaited is not None and self._awaited.kinds == (Exited,):
            event = self._inbox.pop((self._awaited.key, self._awaited.incarnation), None)
            if event is not None:
                return self._advance(event)
        return False

    def _advance(self, event: Event | None) -> bool:
        assert self._procedure is not None
        try:
            self._awaited = self._procedure.send(event)
        except StopIteration:
            self._procedure = self._awaited = None
        return True

    def _serve(self, event: Event) -> Procedure:
        if isinstance(event, Begin):
            yield from self._begin()
        elif isinstance(event, Exited):
            yield from self._child_exited(event)
        elif isinstance(event, RetryDue):
            child = self.children.get(event.key)
            if child is not None and child.state is RunState.RESTARTING and child.retry_token == event.token:
                yield from self._restart_pass(child)
        elif isinstance(event, StopRequested):
            yield from self._shut_down(event.reason)
        elif isinstance(event, Api):
            yield from self._serve_api(event)
        # A start outcome that nobody waits for belongs to an incarnation that was given up: ignored.

    # --- starting -------------------------------------------------------------------------------------------------

    def _begin(self) -> Procedure:
        for child in list(self.children.values()):
            outcome = yield from self._start(child)
            if isinstance(outcome, StartFailed):
                reason = Shutdown(f"failed to start {child.spec.id}: {outcome.reason}")
                yield from self._shut_down(reason, start_failed=True)
                return
        self._effects.append(Ready())

    def _start(self, child: Child) -> Generator[_Awaited, Any, StartOutcome]:
        self._incarnations += 1
        child.incarnation = self._incarnations
        child.retry_token = self._number()  # a retry that waits is forgotten
        self._effects.append(StartChild(child.key, child.incarnation, child.spec))
        outcome: StartOutcome = yield _Awaited(_START_OUTCOMES, child.key, child.incarnation)
        if isinstance(outcome, Started):
            child.runs_as(outcome.ref, self.now())
            self._report("progress", child, "started")
        else:
            child.rests()
            if isinstance(outcome, StartFailed):
                child.note_exit(outcome.reason, self.now())
                self._report("start_error", child, outcome.reason)
            elif child.spec.restart is Restart.TEMPORARY or self.dynamic:
                self.children.remove(child)
        return outcome

    # --- a child exits --------------------------------------------------------------------------------------------

    def _child_exited(self, event: Exited) -> Procedure:
        child = self.children.get(event.key)
        if child is None or child.incarnation != event.incarnation or child.state is not RunState.RUNNING:
            return
        child.note_exit(event.reason, self.now())
        if child.spec.backoff is not None and self.now() - child.started_s >= child.spec.backoff.quiet_s:
            child.failures = 0
        restart = child.spec.restart
        if restart is Restart.PERMANENT or not event.reason.is_clean:
            self._report("child_terminated", child, event.reason)
        if restart is Restart.PERMANENT or (restart is Restart.TRANSIENT and not event.reason.is_clean):
            yield from self._restart_pass(child)
            return
        self._not_running(child)
        if self._triggers_auto_shutdown(child):
            yield from self._shut_down(Shutdown("auto_shutdown"))

    def _triggers_auto_shutdown(self, child: Child) -> bool:
        if not child.spec.significant or self.flags.auto_shutdown is AutoShutdown.NEVER:
            return False
        if self.flags.auto_shutdown is AutoShutdown.ANY_SIGNIFICANT:
            return True
        return not any(other.spec.significant and other.state is not RunState.NONE for other in self.children.values())

    def _restart_pass(self, child: Child) -> Procedure:
        if child.pass_is_counted:
            child.pass_is_counted = False
            yield from self._carry_out_pass(child)
            return
        if not self.window.count(self.now()) or self._failed_too_often(child):
            self._report("shutdown", child, "reached_max_restart_intensity")
            self._not_running(child)
            yield from self._shut_down(Shutdown("reached_max_restart_intensity"))
            return
        child.restarts += 1
        if child.spec.backoff is None:
            yield from self._carry_out_pass(child)
        else:
            self._pause(child, child.spec.backoff)

    @staticmethod
    def _failed_too_often(child: Child) -> bool:
        backoff = child.spec.backoff
        return backoff is not None and backoff.max_in_a_row is not None and child.failures >= backoff.max_in_a_row

    def _pause(self, child: Child, backoff: Backoff) -> None:
        """The rest of the pass comes when the pause is over, unless somebody gives another order meanwhile."""
        delay_s = backoff.pause_s(child.failures, self.chance())
        child.failures += 1
        child.state, child.ref, child.pass_is_counted = RunState.RESTARTING, None, True
        child.retry_at_s = self.now() + delay_s
        child.retry_token = self._number()
        self._effects.append(ScheduleRetry(child.key, child.retry_token, delay_s))

    def _carry_out_pass(self, child: Child) -> Procedure:
        if self.flags.strategy is Strategy.ONE_FOR_ONE:
            yield from self._restart_members([child])
            return
        members = list(self.children.values())
        if self.flags.strategy is Strategy.REST_FOR_ONE:
            members = members[members.index(child) :]
        child.rests()
        yield from self._terminate_all(members)
        yield from self._restart_members([member for member in members if member.key in self.children])

    def _restart_members(self, members: list[Child]) -> Procedure:
        """Start in order; the first that fails is tried again later, and those after it stay down until then."""
        for member in members:
            outcome = yield from self._start(member)
            if isinstance(outcome, StartFailed):
                member.state = RunState.RESTARTING
                member.retry_token = self._number()
                self._effects.append(ScheduleRetry(member.key, member.retry_token))
                return

    # --- stopping -------------------------------------------------------------------------------------------------

    def _terminate_all(self, members: list[Child]) -> Procedure:
        """One after the other in reverse start order; all at once for dynamic children. Temporaries lose their record."""
        running = [member for member in reversed(members) if member.state is RunState.RUNNING]
        if self.dynamic:
            for member in running:
                self._effects.append(StopChild(member.key, member.incarnation, member.spec))
        for member in running:
            if not self.dynamic:
                self._effects.append(StopChild(member.key, member.incarnation, member.spec))
            exited: Exited = yield _Awaited((Exited,), member.key, member.incarnation)
            self._stopped(member, exited.reason)
        for member in members:
            self._not_running(member)

    def _stopped(self, child: Child, reason: ExitReason) -> None:
        child.note_exit(reason, self.now())
        is_expected = isinstance(reason, Shutdown | Normal)
        if not is_expected and not (child.spec.shutdown < 0 and not isinstance(reason, Error)):
            self._report("shutdown_error", child, reason)

    def _not_running(self, child: Child) -> None:
        child.rests()
        if child.spec.restart is Restart.TEMPORARY or self.dynamic:
            self.children.remove(child)

    def _shut_down(self, reason: ExitReason, *, start_failed: bool = False) -> Procedure:
        yield from self._terminate_all(list(self.children.values()))
        self.is_over = True
        self._effects.append(Exit(reason, start_failed))

    # --- administration -------------------------------------------------------------------------------------------

    def _serve_api(self, event: Api) -> Procedure:
        request = event.request
        if isinstance(request, StartChildRequest):
            value = yield from self._api_start(request.spec)
        elif isinstance(request, TerminateChildRequest):
            value = yield from self._api_terminate(request.id)
        elif isinstance(request, RestartChildRequest):
            value = yield from self._api_restart(request.id)
        elif isinstance(request, DeleteChildRequest):
            value = self._api_delete(request.id)
        elif isinstance(request, WhichChildrenRequest):
            value = self.children.infos()
        elif isinstance(request, WhichChildRequest):
            found = self.children.find(request.id)
            value = found.info() if found is not None else Failure("not_found")
        elif isinstance(request, GetChildSpecRequest):
            found = self.children.find(request.id)
            value = found.spec if found is not None else Failure("not_found")
        elif isinstance(request, ResetBackoffRequest):
            value = self._api_reset_backoff(request.id)
        else:
            value = self.children.counts()
        self._effects.append(Reply(event.call, value))

    def _api_start(self, spec: object) -> Generator[_Awaited, Any, Any]:
        try:
            checked = check_child_spec(spec, self.flags.auto_shutdown)
            self._check_backoff(checked)
        except SpecError as error:
            return Failure(error.code, str(error))
        if self.dynamic:
            if self.max_children is not None and len(self.children) >= self.max_children:
                return Failure("max_children", self.max_children)
        elif (known := self.children.get(checked.id)) is not None:
            if known.state is RunState.RUNNING:
                return Failure("already_started", known.ref)
            return Failure("already_present")
        child = self.children.add(checked)
        outcome = yield from self._start(child)
        if isinstance(outcome, StartFailed):
            self.children.remove(child)
            return Failure("start_failed", outcome.reason)
        return _started(child, outcome)

    def _api_terminate(self, id_: Any) -> Generator[_Awaited, Any, Any]:
        child = self.children.find(id_)
        if child is None:
            return Failure("not_found")
        yield from self._terminate_all([child])
        return None

    def _api_restart(self, id_: str) -> Generator[_Awaited, Any, Any]:
        child = self.children.find(id_)
        if child is None:
            return Failure("not_found")
        if child.state is not RunState.NONE:
            return Failure(child.state.name.lower())
        outcome = yield from self._start(child)
        return Failure("start_failed", outcome.reason) if isinstance(outcome, StartFailed) else _started(child, outcome)

    def _api_delete(self, id_: str) -> Any:
        child = self.children.find(id_)
        if child is None:
            return Failure("not_found")
        if child.state is not RunState.NONE:
            return Failure(child.state.name.lower())
        self.children.remove(child)
        return None

    def _api_reset_backoff(self, id_: str) -> Any:
        child = self.children.find(id_)
        if child is None:
            return Failure("not_found")
        child.failures = 0
        return None

    def _report(self, kind: Kind, child: Child, reason: ExitReason | str) -> None:
        detail = reason.traceback if isinstance(reason, Error) else ""
        self._effects.append(Report(kind, child.spec.id, str(reason), detail))
