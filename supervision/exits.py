"""Why a child ended: a small closed set of reasons.

``is_clean`` decides restarts: ``Normal`` and ``Shutdown`` are clean, everything else is abnormal.
Tracebacks are kept as text, because a stored traceback object would pin every frame that it names.
"""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Normal:
    """Ended by itself, as planned."""

    is_clean = True

    def __str__(self) -> str:
        return "normal"


@dataclass(frozen=True, slots=True)
class Shutdown:
    """Was asked to stop and did, or stopped in an orderly way; ``detail`` says why."""

    detail: str = ""

    is_clean = True

    def __str__(self) -> str:
        return f"shutdown({self.detail})" if self.detail else "shutdown"


@dataclass(frozen=True, slots=True)
class Killed:
    """Ended by force: ``brutal``, ``abandoned`` (a thread that would not stop), ``timeout`` or ``watchdog``."""

    cause: str = "brutal"

    is_clean = False

    def __str__(self) -> str:
        return f"killed({self.cause})"


@dataclass(frozen=True, slots=True)
class Error:
    """An exception nobody expected, or a process that ended badly; ``origin`` says where (start, message, stop, process)."""

    summary: str
    traceback: str = ""
    origin: str = "message"

    is_clean = False

    def __str__(self) -> str:
        return f"error in {self.origin}: {self.summary}"


@dataclass(frozen=True, slots=True)
class NoProc:
    """Was already gone when it was looked at."""

    is_clean = False

    def __str__(self) -> str:
        return "noproc"


ExitReason: TypeAlias = Normal | Shutdown | Killed | Error | NoProc


class ExitRequested(BaseException):
    """Raised by ``Actor.exit``: ends the actor at once with ``reason``, whatever the handler was doing."""

    def __init__(self, reason: ExitReason) -> None:
        super().__init__(str(reason))
        self.reason = reason


class Ignore(Exception):
    """Raised in ``__init__`` or ``on_start``: do not run this child, and do not call it a failure."""


def error_from(exception: BaseException, origin: str) -> Error:
    """The exit reason for an exception, with its traceback as text (at most 50 frames)."""
    text = "".join(traceback.format_exception(exception, limit=-50))
    return Error(f"{type(exception).__name__}: {exception}"[:500], text, origin)
