"""What belongs to one incarnation of an actor and ends with it: timers, answers that it owes, and who wants to hear of its end.

Most incarnations have none of it, so each of these is made when it is first needed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from supervision import threads
from supervision.exits import ExitReason, NoProc

if TYPE_CHECKING:
    from supervision.deferred import Deferred
    from supervision.mailbox import Mailbox
    from supervision.runtime import Runtime
    from supervision.timers import Timer

#: For what all incarnations do rarely and in a few steps, such as ending or being monitored: one lock is cheaper than 100,000.
rarely = threads.new_shared_lock()


class Belongings:
    """The part of a ``Cell`` that is about them; of the rest it knows these three."""

    __slots__ = ("_deferred", "_monitors", "_releases", "_timers", "mailbox", "runtime")

    runtime: Runtime
    mailbox: Mailbox

    @property
    def is_over(self) -> bool:
        raise NotImplementedError

    def owns_nothing(self) -> None:
        self._monitors: list[Callable[[ExitReason], None]] | None = None
        self._timers: dict[Timer, None] | None = None
        self._deferred: dict[Deferred, None] | None = None
        self._releases: list[Callable[[], None]] | None = None

    # --- who hears of the end -----------------------------------------------------------------------------------------

    def monitor(self, callback: Callable[[ExitReason], None]) -> Callable[[], None]:
        """``callback(reason)`` exactly once, in some thread; at once with ``NoProc`` when it is over. Returns the undo."""
        with rarely:
            if not self.is_over:
                self._monitors = self._monitors or []
                self._monitors.append(callback)
                return lambda: self._drop_monitor(callback)
        callback(NoProc())
        return lambda: None

    def _drop_monitor(self, callback: Callable[[ExitReason], None]) -> None:
        with rarely:
            if self._monitors is not None and callback in self._monitors:
                self._monitors.remove(callback)

    def take_monitors(self) -> Sequence[Callable[[ExitReason], None]]:
        """Each of them once: there are none afterwards."""
        with rarely:
            monitors, self._monitors = self._monitors, None
        return monitors or ()

    # --- timers and answers -------------------------------------------------------------------------------------------

    def add_timer(self, delay_s: float, message: object, period_s: float | None) -> Timer:
        def fire() -> None:
            if period_s is None and self._timers is not None:
                self._timers.pop(timer, None)
            self.mailbox.post(message)

        timer = self.runtime.timers.after(delay_s, fire, period_s)
        if self._timers is None:
            self._timers = {}
        self._timers[timer] = None
        return timer

    def defer(self, deferred: Deferred) -> None:
        if self._deferred is None:
            self._deferred = {}
        self._deferred[deferred] = None

    def settle_deferred(self, deferred: Deferred) -> None:
        if self._deferred is not None:
            self._deferred.pop(deferred, None)

    def fail_deferred(self, error: BaseException) -> None:
        for deferred in list(self._deferred or ()):
            deferred.fail(error)

    # --- the end ------------------------------------------------------------------------------------------------------

    def on_release(self, release: Callable[[], None]) -> None:
        """``release()`` when the incarnation ends, before anybody can observe that it did."""
        if self._releases is None:
            self._releases = []
        self._releases.append(release)

    def release_all(self) -> None:
        for release in self._releases or ():
            release()
        for timer in list(self._timers or ()):
            timer.cancel()
        self._timers = None
