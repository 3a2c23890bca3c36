"""A deterministic runtime: the same actors on one thread, in virtual time, in an order that a seed decides.

One seeded choice says which ready actor has the next turn, and another how many messages it may take. Nothing waits: when nobody
is ready, the clock jumps to the next timer. The same seed gives the same run, which ``trace`` proves: a hash over every turn.
A run in which somebody waits for what can never come ends with ``Deadlock``, which names everybody who waits.

    runtime = SimulatedRuntime(seed=7)
    counter = runtime.spawn(Counter)
    counter.tell("tick")
    runtime.run_for(60.0)
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable
from typing import Any

from supervision import threads
from supervision.cell import TURN_LIMIT, Cell
from supervision.clock import ManualClock
from supervision.runtime import Runtime
from supervision.threads import Dispatcher, Runnable

#: 2026-01-01, so that what a run shows reads like dates.
EPOCH_MS = 1_767_225_600_000


class Deadlock(RuntimeError):
    """Somebody waits, and nobody can move."""


class VirtualClock(ManualClock):
    """Both clocks are virtual; ``jump`` moves only the wall clock, as an administrator or a time server would."""

    def __init__(self, start: float = 1000.0) -> None:
        super().__init__(start)
        self._jumped_ms = 0

    def time_ms(self) -> int:
        return EPOCH_MS + int(self.monotonic() * 1000) + self._jumped_ms

    def jump(self, seconds: float) -> None:
        self._jumped_ms += int(seconds * 1000)


class ReadyList:
    """Who could have a turn, in the order in which they became ready. A dispatcher without a thread."""

    def __init__(self) -> None:
        self.ready: list[Runnable] = []

    def schedule(self, runnable: Runnable) -> None:
        self.ready.append(runnable)

    def close(self) -> None:
        self.ready.clear()


class SimulatedRuntime(Runtime):
    """Belongs to the thread that makes it. Several may share a clock, as the processes of one machine do."""

    def __init__(self, seed: int, clock: VirtualClock | None = None) -> None:
        self._choices = random.Random(seed)  # noqa: S311 - apart from the actors' own, so that neither disturbs the other
        self._ready = ReadyList()
        self._trace = hashlib.blake2b(digest_size=16)
        self._waiting: list[str] = []
        self._current: str | None = None
        super().__init__(clock or VirtualClock(), seed=seed)
        threads.set_pump(self._pump)

    # --- what a runtime is made of ------------------------------------------------------------------------------------

    def make_pool(self, workers: int) -> ReadyList:
        return self._ready

    def private_dispatcher(self, name: str) -> Dispatcher:
        return self._ready

    def release(self, dispatcher: Dispatcher) -> None:
        """There is no thread to end."""

    @property
    def turn_limit(self) -> int:  # type: ignore[override]
        """How many messages this turn may take: mostly few, so that actors interleave."""
        return self._choices.choice((1, 1, 2, 5, TURN_LIMIT))

    # --- running ------------------------------------------------------------------------------------------------------

    @property
    def trace(self) -> str:
        """Hex. Equal for two runs in which every actor had the same turns with the same messages at the same times."""
        return self._trace.hexdigest()

    def buggify(self, probability: float = 0.05) -> bool:
        """True now and then: take an unlikely branch that is legal."""
        return self._choices.random() < probability

    def step(self) -> bool:
        """One turn of a ready actor. False: nobody is ready."""
        ready = self._ready.ready
        if not ready:
            return False
        runnable = ready.pop(self._choices.randrange(len(ready)))
        self._note(runnable)
        before, self._current = self._current, repr(runnable)
        try:
            runnable.turn()
        finally:
            self._current = before
        return True

    def _note(self, runnable: Runnable) -> None:
        if isinstance(runnable, Cell):
            control, queue = runnable.mailbox.control, runnable.mailbox.queue
            first = type(control[0]).__name__ if control else type(queue[0][0]).__name__ if queue else "start"
            line = f"{self.clock.monotonic():.6f} {runnable.name or runnable.urn} {first} {len(queue)}\n"
            self._trace.update(line.encode())

    def run_until_idle(self, max_turns: int = 1_000_000) -> None:
        """Turns only, no time. Raises ``RuntimeError`` when actors keep one another busy for ever."""
        for _ in range(max_turns):
            if not self.step():
                return
        raise RuntimeError(f"not idle after {max_turns} turns")

    def run_for(self, seconds: float) -> None:
        """Turns and timers until the virtual clock has moved on by ``seconds``."""
        self.advance(seconds)

    def settle(self, timeout_s: float = 10.0) -> None:
        self.run_until_idle()

    def _pump(self, is_done: Callable[[], bool], timeout_s: float | None) -> bool:
        """Let the world go on until ``is_done``; False when ``timeout_s`` virtual seconds were not enough."""
        end = None if timeout_s is None else self.clock.monotonic() + timeout_s
        self._waiting.append(self._current or "the test")
        try:
            while not is_done():
                if not self.step() and not self._to_next_timer(end):
                    if end is None:
                        raise Deadlock(f"waiting for each other or for nobody: {', '.join(self._waiting)}")
                    return False
            return True
        finally:
            self._waiting.pop()

    def _to_next_timer(self, end: float | None) -> bool:
        """Jump to the next timer and fire it. False: there is none before ``end``, which is then the time."""
        clock: Any = self.clock
        due = self.timers.next_due()
        if due is None or (end is not None and due > end):
            if end is not None:
                clock.advance(max(end - clock.monotonic(), 0.0))
            return False
        clock.advance(max(due - clock.monotonic(), 0.0))
        self.timers.fire_due()
        return True

    def crash(self) -> None:
        """The process dies: no actor ends in order, none is told, nothing more runs."""
        self._ready.close()
        self.timers.close()
        for cell in self.living():
            cell.vanish()

    def close(self) -> None:
        super().close()
        threads.set_pump(None)
