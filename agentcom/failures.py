"""How a command fails: what went wrong, what to type next, and the exit status that says it to a script."""

from __future__ import annotations

from enum import IntEnum


class ExitStatus(IntEnum):
    """Exit statuses; never renumbered. Those in ``RETRYABLE`` may be tried again as they are."""

    OK = 0
    FAILED = 1
    USAGE = 2
    NOT_FOUND = 3
    NOT_ALLOWED = 4
    CONFLICT = 5
    UNREACHABLE = 6
    TIMED_OUT = 7
    PARTLY_DONE = 8
    NOTHING_TO_DO = 9
    INTERRUPTED = 130


MEANING = {
    ExitStatus.OK: "success",
    ExitStatus.FAILED: "it ran and failed (a waited task is dead, doctor found an error)",
    ExitStatus.USAGE: "wrong usage or invalid input: change the call",
    ExitStatus.NOT_FOUND: "not found",
    ExitStatus.NOT_ALLOWED: "no token, or its role is not enough",
    ExitStatus.CONFLICT: "conflict: wrong state, taken port, data directory in use",
    ExitStatus.UNREACHABLE: "hub unreachable or overloaded: try again later",
    ExitStatus.TIMED_OUT: "waiting timed out: try again",
    ExitStatus.PARTLY_DONE: "partly done: see the output",
    ExitStatus.NOTHING_TO_DO: "nothing to do",
    ExitStatus.INTERRUPTED: "interrupted with Ctrl-C",
}

RETRYABLE = frozenset({ExitStatus.UNREACHABLE, ExitStatus.TIMED_OUT, ExitStatus.NOTHING_TO_DO})


class Failure(Exception):
    """A command cannot do what it was asked. The message says what and why, ``hint`` what to type next."""

    def __init__(self, message: str, hint: str, exit_status: int, code: str = "failed") -> None:
        super().__init__(message)
        self.hint = hint
        self.exit_status = exit_status
        self.code = code
