"""One operating-system process under a supervisor: how it is started, told to stop, and what its end means."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field

from supervision.exits import Error, ExitReason, Killed, Normal, Shutdown
from supervision.posix import tie_to_parent

#: Exit statuses that mean "done as planned".
CLEAN_STATUSES = frozenset({0})


@dataclass(frozen=True, slots=True)
class ProcessStart:
    """``argv`` is run without a shell. ``env`` is added to the parent's environment; ``pass_fds`` stay open in the child.

    ``awaits_ready``: the start is complete when the child sends ``READY=1`` (see ``notify``); otherwise as soon as it runs.
    ``min_uptime_s``: the start is complete only when it has also run so long; one that ends sooner has failed to start,
    whatever its exit status. ``success_statuses``: those that mean "done as planned".
    ``watchdog_s``: after its start it says ``WATCHDOG=1`` at least so often (``WATCHDOG_USEC`` tells it), or it is ended.
    ``tail_lines``: keep so many of its last lines of output for the report of its end; None: it writes where we write.
    ``limits``: ``resource.RLIMIT_…`` -> the most that it may use. ``nice``: added to its niceness.
    """

    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    pass_fds: tuple[int, ...] = ()
    awaits_ready: bool = True
    stop_signal: int = signal.SIGTERM
    own_group: bool = True
    min_uptime_s: float = 0.0
    success_statuses: frozenset[int] = CLEAN_STATUSES
    watchdog_s: float | None = None
    tail_lines: int | None = None
    limits: Mapping[int, int] = field(default_factory=dict)
    nice: int = 0
    cwd: str | None = None


def spawn(start: ProcessStart, extra_env: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Start the process in a process group of its own, so that a terminal's Ctrl-C reaches the supervisor only."""
    # What the system above says to us about its watchdog is not meant for our children.
    inherited = {name: value for name, value in os.environ.items() if name not in ("WATCHDOG_USEC", "WATCHDOG_PID")}
    environment = {**inherited, **start.env, **extra_env, "SUPERVISOR_PID": str(os.getpid())}
    if start.watchdog_s is not None:
        environment["WATCHDOG_USEC"] = str(int(start.watchdog_s * 1_000_000))
    _check_limits(start)
    return subprocess.Popen(
        start.argv,
        env=environment,
        cwd=start.cwd,
        pass_fds=start.pass_fds,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE if start.tail_lines is not None else None,
        stderr=subprocess.STDOUT if start.tail_lines is not None else None,
        process_group=0 if start.own_group else None,
        close_fds=True,
        preexec_fn=lambda: _prepare(start),
    )


def _prepare(start: ProcessStart) -> None:
    """In the child, before it becomes the command: no instruction of that runs without its limits."""
    tie_to_parent()
    for limit, most in start.limits.items():
        resource.setrlimit(limit, (most, most))
    if start.nice:
        os.nice(start.nice)


def _check_limits(start: ProcessStart) -> None:
    """What goes wrong in the child has no message of its own. Raises ``ValueError``."""
    for limit, most in start.limits.items():
        _, hard = resource.getrlimit(limit)
        if hard != resource.RLIM_INFINITY and not 0 <= most <= hard:
            raise ValueError(f"a limit of {most} is above what we may use ourselves: {hard}")
    if start.nice < 0 and os.geteuid() != 0:
        raise ValueError(f"nice {start.nice} needs privileges")


def exit_reason(
    status: int,
    *,
    asked_to_stop: int | None,
    forced: str | None,
    success_statuses: frozenset[int] = CLEAN_STATUSES,
    has_dumped: bool = False,
    tail: str = "",
) -> ExitReason:
    """What ``Popen.returncode`` means (negative: killed by that signal). ``forced``: why we ended it by force, if we did.

    ``has_dumped``: it left a core.
    """
    if forced == "watchdog":
        return Error("missed its watchdog", tail, origin="process")
    if forced is not None:
        return Killed(forced)
    if asked_to_stop is not None and (status in success_statuses or status == -asked_to_stop):
        return Shutdown()
    if status in success_statuses:
        return Normal()
    if status < 0:
        core = ", core dumped" if has_dumped else ""
        return Error(f"killed by {signal_name(-status)}{core}", tail, origin="process")
    return Error(f"exit status {status}", tail, origin="process")


def signal_name(signum: int) -> str:
    try:
        return signal.Signals(signum).name
    except ValueError:
        return f"signal {signum}"
