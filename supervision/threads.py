"""The only place where threads and locks are made: worker pool, private threads, and blocking waits inside them."""

from __future__ import annotations

import logging
import os
import queue
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

logger = logging.getLogger("supervision")

#: Turns of different actors that one worker thread may be blocked in before the pool adds a spare: none.
#: The bound keeps a deadlock of asks from becoming a thread bomb.
MAX_SPARE_WORKERS = 256

#: How often it is looked for workers that are stuck; a turn that lasts two looks is.
LOOK_S = 0.05

new_lock = threading.Lock


def new_shared_lock() -> threading.Lock:
    """One for all actors of the process; free in a forked copy, whose thread that held it does not exist."""
    lock = threading.Lock()
    os.register_at_fork(after_in_child=lock._at_fork_reinit)  # type: ignore[attr-defined]
    return lock


count = threading.active_count
new_local = threading.local
current_id = threading.get_ident

_current = threading.local()


class Runnable(Protocol):
    def turn(self) -> None:
        """Do some work and return; must not raise."""


class Dispatcher(Protocol):
    def schedule(self, runnable: Runnable) -> None:
        """Let ``runnable.turn()`` run soon, in some thread of this dispatcher."""


class Pool(Dispatcher, Protocol):
    def close(self) -> None:
        """No more turns."""


class _Worker:
    """What the pool's watch sees of one thread."""

    __slots__ = ("is_busy", "is_replaced", "seen_turns", "turns")

    def __init__(self) -> None:
        self.is_busy = self.is_replaced = False
        self.turns = 0
        self.seen_turns = -1

    def is_stuck(self) -> bool:
        """Still in the turn of the last look."""
        stuck = self.is_busy and self.turns == self.seen_turns and not self.is_replaced
        self.seen_turns = self.turns
        return stuck


class WorkerPool:
    """A few threads that run the turns of many actors, first come first served.

    A worker that says that it blocks (see ``blocking``) is replaced by a spare for the time, and so is one whose turn lasts
    longer than ``LOOK_S`` while others wait: actors that wait for one another, or for a disk, cannot use up the pool.
    Pure Python gains nothing from more workers than one: the interpreter runs one at a time.
    """

    def __init__(self, name: str = "actors", workers: int = 2) -> None:
        self.name = name
        self._queue: queue.SimpleQueue[Runnable | None] = queue.SimpleQueue()
        self._lock = new_lock()
        self._started = 0
        self._blocked = 0
        self._surplus = 0
        self._closed = False
        self._workers = workers
        self._threads: set[threading.Thread] = set()
        self._seen: list[_Worker] = []
        self._watch: BackgroundLoop | None = None

    @property
    def size(self) -> int:
        """Threads, spares included."""
        return self._started

    def schedule(self, runnable: Runnable) -> None:
        if self._started < self._workers:
            self._add_worker()
        self._queue.put(runnable)

    def _add_worker(self) -> None:
        with self._lock:
            if self._closed or self._started - self._blocked >= self._workers or self._started >= MAX_SPARE_WORKERS:
                return
            self._started += 1
            thread = threading.Thread(target=self._work, name=f"{self.name}-{self._started}", daemon=True)
            self._threads.add(thread)
            if self._watch is None:
                self._watch = BackgroundLoop(f"{self.name}-watch", self._look)
        thread.start()

    def _work(self) -> None:
        _current.pool = self
        worker = _Worker()
        self._seen.append(worker)
        get = self._queue.get
        while (runnable := get()) is not None:
            worker.is_busy = True
            try:
                runnable.turn()
            except BaseException:  # a turn contains its own failures; this would be a fault of the engine itself
                logger.exception("a turn failed outside its actor")
            worker.is_busy = False
            worker.turns += 1
            if worker.is_replaced:
                worker.is_replaced = False
                self.leave_blocking()
            if self._surplus > 0 and self._retire():
                break
        self._seen.remove(worker)
        with self._lock:
            self._threads.discard(threading.current_thread())

    def _look(self) -> float:
        """Add a spare for every worker that is stuck while actors wait for their turns."""
        for worker in list(self._seen):
            if worker.is_stuck() and not self._queue.empty():
                worker.is_replaced = True
                self.enter_blocking()
        return LOOK_S

    def _retire(self) -> bool:
        with self._lock:
            if self._surplus <= 0:
                return False
            self._surplus -= 1
            self._started -= 1
            return True

    def enter_blocking(self) -> None:
        with self._lock:
            self._blocked += 1
        self._add_worker()

    def leave_blocking(self) -> None:
        with self._lock:
            self._blocked -= 1
            self._surplus = max(0, self._started - self._blocked - self._workers)

    def close(self) -> None:
        """End every worker after its turn; waits for none."""
        with self._lock:
            self._closed = True
            threads = list(self._threads)
            if self._watch is not None:
                self._watch.close()
        for _ in threads:
            self._queue.put(None)


def replace_worker(dispatcher: Dispatcher) -> None:
    """A worker of this dispatcher is stuck: it has one more for the time. A private thread has nobody else to serve."""
    if isinstance(dispatcher, WorkerPool):
        dispatcher.enter_blocking()


def leave_worker(dispatcher: Dispatcher) -> None:
    """The stuck worker is back."""
    if isinstance(dispatcher, WorkerPool):
        dispatcher.leave_blocking()


class PrivateThread:
    """One thread for one actor that blocks, such as a writer to disk."""

    def __init__(self, name: str) -> None:
        self._wake: queue.SimpleQueue[Runnable | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def schedule(self, runnable: Runnable) -> None:
        self._wake.put(runnable)

    def _work(self) -> None:
        while True:
            runnable = self._wake.get()
            if runnable is None:
                return
            try:
                runnable.turn()
            except BaseException:  # as in WorkerPool
                logger.exception("a turn failed outside its actor")

    def close(self) -> None:
        self._wake.put(None)


def stack_of(thread_id: int) -> str | None:
    """Where a thread is now, as a traceback prints it; None when it is gone. Taken from outside, so a moment old."""
    frame = sys._current_frames().get(thread_id)
    return "".join(traceback.format_stack(frame)) if frame is not None else None


def set_pump(pump: Callable[[Callable[[], bool], float | None], bool] | None) -> None:
    """``pump(is_done, timeout_s)`` stands in for waiting in this thread: it lets the world go on (``simulation``)."""
    _current.pump = pump


def pump_until(is_done: Callable[[], bool], timeout_s: float | None) -> bool | None:
    """Whether ``is_done`` came true in time; None when this thread has no pump and has to wait for real."""
    pump = getattr(_current, "pump", None)
    return pump(is_done, timeout_s) if pump is not None else None


@contextmanager
def blocking() -> Iterator[None]:
    """Say that the current thread is about to wait, so that its pool can go on without it."""
    pool: WorkerPool | None = getattr(_current, "pool", None)
    if pool is None:
        yield
        return
    pool.enter_blocking()
    try:
        yield
    finally:
        pool.leave_blocking()


class BackgroundLoop:
    """Calls ``step`` again and again in a daemon thread; ``step`` returns the seconds to wait, ``wake`` cuts the wait short."""

    def __init__(self, name: str, step: Callable[[], float | None]) -> None:
        self._step = step
        self._condition = threading.Condition()
        self._woken = False
        self._closed = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def wake(self) -> None:
        with self._condition:
            self._woken = True
            self._condition.notify()

    def close(self) -> None:
        with self._condition:
            self._closed = True
            self._condition.notify()

    def _run(self) -> None:
        while not self._closed:
            wait_s = self._step()
            with self._condition:
                if not self._woken and not self._closed:
                    self._condition.wait(wait_s)
                self._woken = False


def wait_until(condition: Callable[[], bool], timeout_s: float) -> None:
    """Poll ``condition`` until it holds. Raises ``TimeoutError``; for tests and for orderly stops."""
    pumped = pump_until(condition, timeout_s)
    if pumped:
        return
    if pumped is False:
        raise TimeoutError(f"not settled within {timeout_s} virtual seconds")
    pause = threading.Event()
    waited = 0.0
    while not condition():
        if waited >= timeout_s:
            raise TimeoutError(f"not settled within {timeout_s} s")
        pause.wait(0.001)
        waited += 0.001
