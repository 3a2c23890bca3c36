"""What must hold of a supervisor whatever happens, in whatever order: children die, starts fail or dawdle, people give orders."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from supervision.children import RunState
from supervision.core import SupervisorCore
from supervision.core_messages import (
    Api,
    Begin,
    CountChildrenRequest,
    DeleteChildRequest,
    Event,
    Exit,
    Exited,
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
from supervision.exits import Error, ExitReason, Normal, Shutdown
from supervision.spec import AutoShutdown, ChildSpec, Restart, Strategy, SupervisorFlags

PERIOD_S = 10.0
REASONS: tuple[ExitReason, ...] = (Normal(), Shutdown("done"), Error("boom"))


class World:
    """Carries out effects when ``data`` says so, in an order that ``data`` chooses, and watches the rules at each step."""

    def __init__(self, data: st.DataObject, flags: SupervisorFlags, specs: list[ChildSpec], *, dynamic: bool) -> None:
        self.data = data
        self.now = 0.0
        self.core = SupervisorCore(flags, specs, lambda: self.now, dynamic)
        self.alive: dict[tuple[str, int], ChildSpec] = {}
        self.under_way: list[StartChild | StopChild | RetryDue] = []
        self.answers: Counter[int] = Counter()
        self.calls = 0
        self.exit: Exit | None = None
        self.stops: list[str] = []
        """Those asked to stop within one pass or one call."""
        self.passes: list[float] = []
        count = self.core.window.count

        def counted(now: float) -> bool:
            allowed = count(now)
            if allowed:
                self.passes.append(now)
                recent = [at for at in self.passes if at >= now - flags.period_s]
                assert len(recent) <= flags.max_restarts, "the window was exceeded"
            return allowed

        self.core.window.count = counted  # type: ignore[method-assign]

    def feed(self, event: Event) -> list[Any]:
        assert self.exit is None or isinstance(event, Exited | RetryDue)
        effects = self.core.handle(event)
        for effect in effects:
            self._note(effect)
        return effects

    def _note(self, effect: Any) -> None:
        if isinstance(effect, StartChild):
            assert not [one for one in self.alive if one[0] == effect.key], "two incarnations of one child"
            self.stops = []
            self.under_way.append(effect)
        elif isinstance(effect, StopChild):
            self._check_order(effect.key)
            self.stops.append(effect.key)
            self.under_way.append(effect)
        elif isinstance(effect, ScheduleRetry):
            self.under_way.append(RetryDue(effect.key, effect.token))
        elif isinstance(effect, Reply):
            self.answers[effect.call] += 1
            self.stops = []
        elif isinstance(effect, Exit):
            assert not self.alive, "it ended before its children"
            self.exit = effect

    def _check_order(self, key: str) -> None:
        """Within one pass or one call the later ones of the order of the specs are asked first."""
        order = list(self.core.children)
        if not self.core.dynamic and key in order:
            assert all(order.index(one) > order.index(key) for one in self.stops if one in order)

    # --- what can happen ----------------------------------------------------------------------------------------------

    def step(self) -> None:
        choices = ["call", "time"]
        if self.under_way:
            choices += ["carry out"] * 4
        if self.alive:
            choices += ["die"] * 2
        getattr(self, "_" + self.data.draw(st.sampled_from(choices)).replace(" ", "_"))()

    def _time(self) -> None:
        self.now += self.data.draw(st.sampled_from((0.5, 3.0, 11.0)))

    def _call(self) -> None:
        self.calls += 1
        id_ = self.data.draw(st.sampled_from("abcd"))
        requests: list[Any] = [
            StartChildRequest(spec(id_, self.data.draw(st.sampled_from(Restart)))),
            *(kind(id_) for kind in (TerminateChildRequest, RestartChildRequest, DeleteChildRequest)),
            WhichChildrenRequest(),
            CountChildrenRequest(),
        ]
        self.feed(Api(self.calls, self.data.draw(st.sampled_from(requests))))

    def _die(self) -> None:
        identity = self.data.draw(st.sampled_from(sorted(self.alive)))
        child = self.alive.pop(identity)
        reason = self.data.draw(st.sampled_from(REASONS))
        is_idle = not self.under_way
        effects = self.feed(Exited(*identity, reason))
        leads_to_restart = child.restart is Restart.PERMANENT or (
            child.restart is Restart.TRANSIENT and not reason.is_clean
        )
        if is_idle and not leads_to_restart and not child.significant:
            assert not [one for one in effects if isinstance(one, StartChild | StopChild)], "siblings were disturbed"

    def _carry_out(self) -> None:
        index = self.data.draw(st.integers(0, len(self.under_way) - 1))
        self.carry_out(self.under_way.pop(index))

    def carry_out(self, work: StartChild | StopChild | RetryDue) -> None:
        if isinstance(work, RetryDue):
            self.feed(work)
            return
        identity = (work.key, work.incarnation)
        if isinstance(work, StopChild):
            if self.alive.pop(identity, None) is not None:  # else it died by itself, and that was said
                self.feed(Exited(*identity, Shutdown()))
            return
        outcome = self.data.draw(st.sampled_from(("ok", "ok", "ok", "ignore", "fail")))
        if outcome == "ok":
            self.alive[identity] = work.spec
            self.feed(Started(*identity, object()))
        elif outcome == "ignore":
            self.feed(StartIgnored(*identity))
        else:
            self.feed(StartFailed(*identity, Error("no")))

    def settle(self) -> None:
        while self.under_way:
            self.carry_out(self.under_way.pop(0))

    def check_at_rest(self) -> None:
        for child in self.core.children.values():
            is_running = (child.key, child.incarnation) in self.alive
            assert (child.state is RunState.RUNNING) == is_running, f"{child} and the world differ"
            assert child.spec.restart is not Restart.TEMPORARY or child.state is RunState.RUNNING
        assert len(self.alive) == sum(child.state is RunState.RUNNING for child in self.core.children.values())
        assert self.answers == Counter(range(1, self.calls + 1)), "a call was not answered exactly once"


def spec(id_: str, restart: Restart, *, significant: bool = False) -> ChildSpec:
    return ChildSpec(id_, start="scripted", restart=restart, significant=significant)


@st.composite
def flags_and_specs(draw: st.DrawFn) -> tuple[SupervisorFlags, list[ChildSpec], bool]:
    dynamic = draw(st.booleans())
    auto = AutoShutdown.NEVER if dynamic else draw(st.sampled_from(AutoShutdown))
    strategy = Strategy.ONE_FOR_ONE if dynamic else draw(st.sampled_from(Strategy))
    flags = SupervisorFlags(strategy, draw(st.integers(0, 3)), PERIOD_S, auto)
    specs = []
    for id_ in "" if dynamic else draw(st.sampled_from(("", "a", "ab", "abc", "dcba"))):
        restart = draw(st.sampled_from(Restart))
        may = restart is not Restart.PERMANENT and auto is not AutoShutdown.NEVER
        specs.append(spec(id_, restart, significant=may and draw(st.booleans())))
    return flags, specs, dynamic


@settings(max_examples=600, deadline=None)
@given(st.data(), flags_and_specs())
def test_whatever_happens_the_rules_hold(
    data: st.DataObject, given_: tuple[SupervisorFlags, list[ChildSpec], bool]
) -> None:
    """One incarnation a child, reverse order of stops, the window, every call answered once, no child forgotten."""
    flags, specs, dynamic = given_
    world = World(data, flags, specs, dynamic=dynamic)
    world.feed(Begin())
    for _ in range(data.draw(st.integers(0, 25))):
        if world.exit is not None:
            break
        world.step()
    world.settle()
    if world.exit is None:
        world.check_at_rest()
        world.feed(StopRequested(Shutdown()))
        world.settle()
    assert world.exit is not None and not world.alive


@given(st.permutations("abcd"), st.sampled_from(Strategy))
def test_starts_follow_the_specs_and_the_stop_is_the_reverse(order: list[str], strategy: Strategy) -> None:
    core = SupervisorCore(SupervisorFlags(strategy), [spec(id_, Restart.PERMANENT) for id_ in order], lambda: 0.0)
    effects = core.handle(Begin())
    started = []
    while starts := [one for one in effects if isinstance(one, StartChild)]:
        started.append(starts[0].spec.id)
        effects = core.handle(Started(starts[0].key, starts[0].incarnation))
    effects = core.handle(StopRequested(Shutdown()))
    stopped = []
    while stops := [one for one in effects if isinstance(one, StopChild)]:
        stopped.append(stops[0].spec.id)
        effects = core.handle(Exited(stops[0].key, stops[0].incarnation, Shutdown()))
    assert started == order and stopped == order[::-1]
