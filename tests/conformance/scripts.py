"""Random scripts for a supervisor: its children, what their starts do, and what happens to it step by step.

A script never lets two children die at the same moment while a start is going to fail: OTP then keeps two retries of one child
in its queue and counts both; ours keeps one (kept deviation Q2, ``deviations.py``).
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TypeAlias

IDS = ("a", "b", "c", "d")
STRATEGIES = ("one_for_one", "one_for_all", "rest_for_one")
RESTARTS = ("permanent", "transient", "temporary")
REASONS = ("normal", "shutdown", "boom", "boom", "kill")

#: Restarts are counted within an hour, so that neither clock matters.
PERIOD_S = 3600


@dataclass(frozen=True)
class Child:
    id: str
    restart: str
    significant: bool = False

    def erlang(self) -> str:
        return f"{{{self.id}, {self.restart}, {str(self.significant).lower()}}}"


Step: TypeAlias = tuple[str, object, object]
"""(operation, child or its id or ids, reason or outcomes)."""


@dataclass(frozen=True)
class Script:
    """``dynamic``: OTP's simple_one_for_one; ``children`` is then empty and ``restart`` that of every instance."""

    strategy: str
    intensity: int
    auto_shutdown: str
    children: tuple[Child, ...]
    outcomes: tuple[tuple[str, tuple[str, ...]], ...]
    steps: tuple[Step, ...]
    dynamic: bool = False
    restart: str = "permanent"

    def erlang(self) -> str:
        strategy = "simple_one_for_one" if self.dynamic else self.strategy
        flags = (
            f"#{{strategy => {strategy}, intensity => {self.intensity}, period => {PERIOD_S},"
            f" auto_shutdown => {self.auto_shutdown}}}"
        )
        children = f"{{template, {self.restart}}}" if self.dynamic else ", ".join(one.erlang() for one in self.children)
        outcomes = ", ".join(f"{{{id_}, [{', '.join(those)}]}}" for id_, those in self.outcomes)
        steps = ", ".join(_erlang_step(step) for step in self.steps)
        return f"{{{flags}, [{children}], [{outcomes}], [{steps}]}}."


def _erlang_step(step: Step) -> str:
    operation, target, extra = step
    if isinstance(target, Child):
        return f"{{{operation}, {target.erlang()}}}"
    shown = f"[{', '.join(target)}]" if isinstance(target, tuple) else target
    if extra is None:
        return f"{{{operation}, {shown}}}"
    shown_extra = f"[{', '.join(extra)}]" if isinstance(extra, tuple) else extra
    return f"{{{operation}, {shown}, {shown_extra}}}"


def random_script(seed: int) -> Script:
    chance = random.Random(seed)
    return _dynamic(chance) if chance.random() < 0.2 else _static(chance)


def _static(chance: random.Random) -> Script:
    auto_shutdown = chance.choice(("never", "never", "any_significant", "all_significant"))
    ids = chance.sample(IDS, chance.randint(1, 4))
    children = tuple(_child(chance, id_, auto_shutdown) for id_ in ids)
    may_fail = chance.random() < 0.6
    outcomes = tuple((id_, _outcomes(chance)) for id_ in ids if may_fail and chance.random() < 0.5)
    steps = tuple(_static_step(chance, auto_shutdown, may_fail) for _ in range(chance.randint(2, 10)))
    strategy = chance.choice(STRATEGIES)
    return Script(strategy, chance.randint(0, 4), auto_shutdown, children, outcomes, steps)


def _child(chance: random.Random, id_: str, auto_shutdown: str) -> Child:
    restart = chance.choice(RESTARTS)
    significant = restart != "permanent" and auto_shutdown != "never" and chance.random() < 0.6
    return Child(id_, restart, significant)


def _outcomes(chance: random.Random) -> tuple[str, ...]:
    """The first is that of the very first start, which mostly works: otherwise the script would be over."""
    first = "ok" if chance.random() < 0.9 else chance.choice(("ignore", "fail"))
    return (first, *chance.choices(("ok", "ok", "fail", "ignore"), k=chance.randint(0, 4)))


def _static_step(chance: random.Random, auto_shutdown: str, may_fail: bool) -> Step:
    id_ = chance.choice(IDS)
    kind = chance.random()
    if kind < 0.40:
        return ("die", id_, chance.choice(REASONS))
    if kind < 0.48 and not may_fail:
        return ("die_together", tuple(chance.sample(IDS, chance.randint(2, 4))), chance.choice(REASONS))
    if kind < 0.55 and may_fail:
        return ("outcomes", id_, tuple(chance.choices(("ok", "fail", "ignore"), k=chance.randint(1, 3))))
    if kind < 0.70:
        return ("start", _child(chance, id_, auto_shutdown), None)
    return (chance.choice(("terminate_child", "restart_child", "delete_child")), id_, None)


def _dynamic(chance: random.Random) -> Script:
    steps: list[Step] = [("start_instance", id_, None) for id_ in chance.sample(IDS, chance.randint(1, 4))]
    started = {str(step[1]) for step in steps}
    for _ in range(chance.randint(1, 8)):
        id_ = chance.choice(IDS)
        kind = chance.random()
        if kind < 0.6:
            steps.append(("die", id_, chance.choice(REASONS)))
        elif kind < 0.8 and id_ in started:
            steps.append(("terminate_instance", id_, None))
        elif id_ not in started:
            steps.append(("start_instance", id_, None))
            started.add(id_)
    outcomes = tuple((id_, _instance_outcomes(chance)) for id_ in IDS if chance.random() < 0.4)
    restart = chance.choice(RESTARTS)
    return Script("one_for_one", chance.randint(0, 4), "never", (), outcomes, tuple(steps), True, restart)


def _instance_outcomes(chance: random.Random) -> tuple[str, ...]:
    """An ignored restart would be kept deviation Q3, so only the first start, after which nothing follows, may be ignored."""
    first = chance.choice(("ok", "ok", "ok", "fail", "ignore"))
    return (first, *chance.choices(("ok", "fail"), k=2)) if first == "ok" else (first,)
