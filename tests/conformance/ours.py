"""Runs a script on our pure core and writes down the same observations as ``oracle.erl``."""

from __future__ import annotations

from collections import deque
from typing import Any

from supervision.core import SupervisorCore
from supervision.core_messages import (
    Api,
    Begin,
    ChildCounts,
    CountChildrenRequest,
    DeleteChildRequest,
    Effect,
    Event,
    Exit,
    Exited,
    Failure,
    Ready,
    Reply,
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
)
from supervision.exits import Error, ExitReason, Killed, Normal, Shutdown
from supervision.spec import AutoShutdown, ChildSpec, Restart, Strategy, SupervisorFlags
from tests.conformance.deviations import as_otp
from tests.conformance.scripts import PERIOD_S, Child, Script, Step

REASONS: dict[object, ExitReason] = {
    "normal": Normal(),
    "shutdown": Shutdown(),
    "boom": Error("boom"),
    "kill": Killed(),
}

REQUESTS = {
    "terminate_child": TerminateChildRequest,
    "terminate_instance": TerminateChildRequest,
    "restart_child": RestartChildRequest,
    "delete_child": DeleteChildRequest,
}


class OurRun:
    """One script. Children obey at once, as those of the oracle do."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._outcomes = {id_: deque(those) for id_, those in script.outcomes}
        self._running: dict[str, tuple[str, int]] = {}
        """id -> (key, incarnation)."""
        self._exit: Exit | None = None
        self._reply: Any = None
        self.seen: list[str] = []
        flags = SupervisorFlags(
            Strategy(script.strategy), script.intensity, PERIOD_S, AutoShutdown(script.auto_shutdown)
        )
        self._core = SupervisorCore(flags, [_spec(child) for child in script.children], lambda: 0.0, script.dynamic)

    def run(self) -> list[str]:
        self._feed(Begin())
        if self._exit is not None:
            # A failed start stops what had started; who asked for the start is told only that.
            self.seen.append("not started")
            return self.seen
        for step in self._script.steps:
            self._step(step)
            if self._exit is not None:
                self.seen.append(f"down {_shown(self._exit.reason)}")
                break
            self.seen.append(self._listing())
        else:
            self._feed(StopRequested(Shutdown()))
            assert self._exit is not None
            self.seen.append(f"ended {_shown(self._exit.reason)}")
        return _with_sorted_stops(self.seen) if self._script.dynamic else self.seen

    # --- the world ---------------------------------------------------------------------------------------------------

    def _feed(self, *first: Event) -> None:
        events = deque(first)
        while events:
            for effect in self._core.handle(events.popleft()):
                events.extend(self._perform(effect))

    def _perform(self, effect: Effect) -> list[Event]:
        match effect:
            case StartChild():
                return [self._start(effect)]
            case StopChild():
                if self._running.pop(effect.spec.id, None) is None:
                    return []  # it has died by itself; that event is on its way
                self.seen.append(f"stop {effect.spec.id}")
                return [Exited(effect.key, effect.incarnation, Shutdown())]
            case ScheduleRetry():
                return [RetryDue(effect.key, effect.token)]
            case Reply():
                self._reply = effect.value
            case Ready():
                self.seen.append("up")
            case Exit():
                self._exit = effect
        return []

    def _start(self, effect: StartChild) -> Event:
        id_ = effect.spec.id
        outcomes = self._outcomes.get(id_)
        outcome = outcomes.popleft() if outcomes else "ok"
        self.seen.append(f"{'start' if outcome == 'ok' else outcome} {id_}")
        if outcome == "ok":
            self._running[id_] = (effect.key, effect.incarnation)
            return Started(effect.key, effect.incarnation, f"ref of {id_}")
        if outcome == "ignore":
            return StartIgnored(effect.key, effect.incarnation)
        return StartFailed(effect.key, effect.incarnation, Error("scripted"))

    # --- steps -------------------------------------------------------------------------------------------------------

    def _step(self, step: Step) -> None:
        operation, target, extra = step
        if operation == "outcomes":
            assert isinstance(extra, tuple)
            self._outcomes[str(target)] = deque(extra)
        elif operation in ("die", "die_together"):
            ids = target if isinstance(target, tuple) else (str(target),)
            self._die([id_ for id_ in ids if id_ in self._running], REASONS[extra])
        elif operation in ("start", "start_instance"):
            child = target if isinstance(target, Child) else Child(str(target), self._script.restart)
            self.seen.append(f"= {self._ask(StartChildRequest(_spec(child)))}")
        else:
            self.seen.append(f"= {as_otp(operation, self._ask(REQUESTS[operation](str(target))))}")

    def _die(self, ids: list[str], reason: ExitReason) -> None:
        self._feed(*(Exited(*self._running.pop(id_), reason) for id_ in ids))

    def _ask(self, request: Any) -> str:
        self._reply = None
        self._feed(Api("call", request))
        if isinstance(self._reply, Failure):
            return self._reply.code
        is_start = isinstance(request, StartChildRequest | RestartChildRequest)
        return "ignored" if is_start and self._reply is None else "ok"

    def _listing(self) -> str:
        self._feed(Api("call", WhichChildrenRequest()))
        rows = [f"{info.id}{'+' if info.state == 'running' else '-'}" for info in self._reply]
        self._feed(Api("call", CountChildrenRequest()))
        counts: ChildCounts = self._reply
        return f"[{' '.join(sorted(rows) if self._script.dynamic else rows)}] {counts.active}/{counts.workers}"


def _spec(child: Child) -> ChildSpec:
    return ChildSpec(child.id, "scripted", Restart(child.restart), significant=child.significant)


def _shown(reason: ExitReason) -> str:
    return "shutdown" if isinstance(reason, Shutdown) else str(reason)


def _with_sorted_stops(seen: list[str]) -> list[str]:
    """As the oracle: instances are asked to stop all at once."""
    stops = iter(sorted(line for line in seen if line.startswith("stop ")))
    return [next(stops) if line.startswith("stop ") else line for line in seen]
