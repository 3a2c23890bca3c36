"""A Pykka future that costs little until somebody waits, and that can call back when it is done."""

from __future__ import annotations

import queue
import sys
from collections.abc import Callable
from typing import Any, TypeVar

import pykka

from supervision import threads

T = TypeVar("T")

#: For the few steps of setting an answer and of leaving a callback: one for all futures is cheaper than one each.
_lock = threads.new_shared_lock()


class ActorFuture(pykka.Future[T]):
    """Set exactly once, from any thread. ``on_done`` callbacks run in the thread that sets it."""

    _get_hook = None

    def __init__(self) -> None:
        # Pykka's own __init__ is for hooks, which hardly any future gets.
        self._done = False
        self._given_up = False
        self._value: Any = None
        self._error: BaseException | None = None
        self._callbacks: list[Callable[[ActorFuture[T]], None]] | None = None

    def get(self, *, timeout: float | None = None) -> T:
        """The value; raises the answer's exception, or ``pykka.Timeout`` after ``timeout`` seconds."""
        if self._get_hook is not None:
            return super().get(timeout=timeout)
        if not self._done:
            self._wait(timeout)
        if self._error is not None:
            raise self._error
        return self._value  # type: ignore[no-any-return]

    def _wait(self, timeout: float | None) -> None:
        pumped = threads.pump_until(lambda: self._done, timeout)
        if pumped is False:
            raise pykka.Timeout(f"{timeout} seconds")
        if pumped:
            return
        signal = threads.new_lock()
        signal.acquire()
        self.on_done(lambda _: signal.release())
        with threads.blocking():
            if not signal.acquire(timeout=-1 if timeout is None else max(timeout, 0.0)):
                raise pykka.Timeout(f"{timeout} seconds")

    def set(self, value: T | None = None) -> None:
        self._finish(value, None)

    def set_exception(self, exc_info: Any = None) -> None:
        kind, error, _ = exc_info or sys.exc_info()
        assert kind is not None, "set_exception() outside an except block needs exc_info"
        self._finish(None, error if error is not None else kind())

    def fail(self, error: BaseException) -> None:
        """Answer with ``error`` unless there is an answer; one that comes later is dropped in silence."""
        self._given_up = True
        if not self._done:
            self._finish(None, error)

    def _finish(self, value: Any, error: BaseException | None) -> None:
        with _lock:
            if self._done and self._given_up:
                return
            if self._done or self._get_hook is not None:
                raise queue.Full
            self._value, self._error = value, error
            self._done = True
            callbacks, self._callbacks = self._callbacks, None
        for callback in callbacks or ():
            callback(self)

    def set_get_hook(self, func: Callable[[float | None], T]) -> None:
        if self._done:
            raise queue.Full
        super().__init__()
        super().set_get_hook(func)

    def is_done(self) -> bool:
        return self._done

    def outcome(self) -> T | BaseException:
        """The value, or the exception as a value. Only for a future that is done."""
        return self._error if self._error is not None else self._value

    def on_done(self, callback: Callable[[ActorFuture[T]], None]) -> None:
        """Call ``callback(self)`` once the answer is there: at once if it is."""
        with _lock:
            if not self._done:
                if self._callbacks is None:
                    self._callbacks = []
                self._callbacks.append(callback)
                return
        callback(self)
