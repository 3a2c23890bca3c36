"""One operating-system process under a supervisor: how it is started, told to stop, and what its end means."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TypeAlias

from supervision.exits import Error, ExitReason, Killed, Normal, Shutdown

#: Exit statuses that mean "done as planned".
CLEAN_STATUSES = frozenset({0})


@dataclass(frozen=True, slots=True)
class ProcessStart:
    """``argv`` is run without a shell. ``env`` is added to the parent's environment; ``pass_fds`` stay open in the child.

    ``awaits_ready``: the start is complete when the child sends ``READY=1`` (see ``notify``); otherwise as soon as it runs.
    """

    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    pass_fds: tuple[int, ...] = ()
    awaits_ready: bool = True
    stop_signal: int = signal.SIGTERM
    own_group: bool = True


Spawn: TypeAlias = Callable[[ProcessStart, Mapping[str, str]], "subprocess.Popen[bytes]"]


def spawn(start: ProcessStart, extra_env: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Start the process in a process group of its own, so that a terminal's Ctrl-C reaches the supervisor only."""
    environment = {**os.environ, **start.env, **extra_env, "SUPERVISOR_PID": str(os.getpid())}
    return subprocess.Popen(
        start.argv,
        env=environment,
        pass_fds=start.pass_fds,
        stdin=subprocess.DEVNULL,
        process_group=0 if start.own_group else None,
        close_fds=True,
    )


def signal_group(process: subprocess.Popen[bytes], signum: int, *, own_group: bool) -> None:
    """Signal the child and what it started. Nothing when it is gone."""
    with suppress(ProcessLookupError, PermissionError):
        if own_group:
            os.killpg(process.pid, signum)
        else:
            os.kill(process.pid, signum)


def exit_reason(status: int, *, asked_to_stop: int | None, forced: bool) -> ExitReason:
    """What ``Popen.returncode`` means (negative: killed by that signal)."""
    if forced:
        return Killed("timeout")
    if asked_to_stop is not None and (status in CLEAN_STATUSES or status == -asked_to_stop):
        return Shutdown()
    if status in CLEAN_STATUSES:
        return Normal()
    if status < 0:
        return Error(f"killed by {signal_name(-status)}", origin="process")
    return Error(f"exit status {status}", origin="process")


def signal_name(signum: int) -> str:
    try:
        return signal.Signals(signum).name
    except ValueError:
        return f"signal {signum}"
