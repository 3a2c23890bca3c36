"""A scripted world for the pure supervisor: starts follow a script by child id, stops end at once, time stands still."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from supervision.core import SupervisorCore
from supervision.core_messages import (
    Api,
    Begin,
    Effect,
    Event,
    Exit,
    Exited,
    Ready,
    Reply,
    RetryDue,
    ScheduleRetry,
    StartChild,
    Started,
    StartFailed,
    StartIgnored,
    StopChild,
)
from supervision.exits import Error, ExitReason, Shutdown
from supervision.spec import (
    AutoShutdown,
    ChildSpec,
    Restart,
    Strategy,
    SupervisorFlags,
)

DIE = Error("boom")


class World:
    """Carries out the core's effects: starts follow a script of outcomes by child id, stops end at once."""

    def __init__(self, flags: SupervisorFlags, specs: Iterable[ChildSpec], *, dynamic: bool = False) -> None:
        self.now = 100.0
        self.log: list[str] = []
        self.outcomes: dict[str, deque[str]] = {}
        self.replies: list[object] = []
        self.exit: Exit | None = None
        self.running: dict[str, int] = {}
        self.core = SupervisorCore(flags, specs, lambda: self.now, dynamic)

    def feed(self, event: Event) -> None:
        events = deque([event])
        while events:
            for effect in self.core.handle(events.popleft()):
                events.extend(self._perform(effect))

    def _perform(self, effect: Effect) -> list[Event]:
        if isinstance(effect, StartChild):
            script = self.outcomes.get(effect.spec.id)
            outcome = script.popleft() if script else "ok"
            self.log.append(f"start {effect.spec.id}" if outcome == "ok" else f"{outcome} {effect.spec.id}")
            if outcome == "ok":
                self.running[effect.key] = effect.incarnation
                return [Started(effect.key, effect.incarnation, f"ref-{effect.spec.id}")]
            if outcome == "ignore":
                return [StartIgnored(effect.key, effect.incarnation)]
            return [StartFailed(effect.key, effect.incarnation, DIE)]
        if isinstance(effect, StopChild):
            self.log.append(f"stop {effect.spec.id}")
            del self.running[effect.key]
            return [Exited(effect.key, effect.incarnation, Shutdown())]
        if isinstance(effect, ScheduleRetry):
            return [RetryDue(effect.key, effect.token)]
        if isinstance(effect, Reply):
            self.replies.append(effect.value)
        elif isinstance(effect, Ready):
            self.log.append("ready")
        elif isinstance(effect, Exit):
            self.exit = effect
        return []

    def die(self, id_: str, reason: ExitReason = DIE) -> None:
        key = next(key for key in self.running if key == id_ or key.startswith(f"{id_}#"))
        self.feed(Exited(key, self.running.pop(key), reason))

    def ask(self, request: object) -> object:
        self.feed(Api("call", request))  # type: ignore[arg-type]
        return self.replies.pop()

    def take_log(self) -> list[str]:
        log, self.log = self.log, []
        return log


def spec(id_: str, restart: Restart = Restart.PERMANENT, *, significant: bool = False) -> ChildSpec:
    return ChildSpec(id_, start="script", restart=restart, significant=significant)


def world(
    strategy: Strategy,
    *specs: ChildSpec,
    max_restarts: int = 3,
    period_s: float = 5.0,
    auto_shutdown: AutoShutdown = AutoShutdown.NEVER,
) -> World:
    made = World(SupervisorFlags(strategy, max_restarts, period_s, auto_shutdown), specs)
    made.feed(Begin())
    assert made.take_log()[-1] == "ready"
    return made
