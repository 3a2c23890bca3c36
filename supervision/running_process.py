"""One incarnation of a process child: what its supervisor knows of it while it lives, and what its end was."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import suppress
from dataclasses import dataclass

from supervision.exits import ExitReason
from supervision.process_child import ProcessStart, exit_reason
from supervision.process_output import OutputTail


@dataclass(slots=True)
class RunningProcess:
    """A started child process, as ``ProcessSupervisor.processes`` shows it."""

    name: str
    process: subprocess.Popen[bytes]
    start: ProcessStart
    pidfd: int
    spawned_s: float
    start_deadline_s: float
    tail: OutputTail | None = None
    said_ready: bool = False
    is_ready: bool = False
    """Its start is complete: ready, and up for long enough."""
    seen_alive_s: float = 0.0
    status: str = ""
    """What it says of itself (``STATUS=``)."""
    asked_to_stop: int | None = None
    forced: str | None = None
    """Why it was ended by force."""

    @property
    def has_ended(self) -> bool:
        """Its pid stays ours until ``reap``, so that a signal can reach nobody else."""
        if self.process.returncode is not None:
            return True
        return os.waitid(os.P_PIDFD, self.pidfd, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def send(self, signum: int, *, to_group: bool = False) -> None:
        """To it, also when it has left its group, and to what it started if ``to_group``. Nothing when nobody is left."""
        if to_group and self.start.own_group:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signum)
        with suppress(ProcessLookupError, PermissionError):
            signal.pidfd_send_signal(self.pidfd, signum)

    def force(self, why: str) -> None:
        """SIGKILL for it and what it started."""
        if not self.has_ended:
            self.forced = self.forced or why
            self.send(signal.SIGKILL, to_group=True)

    def reap(self, last_words: str) -> ExitReason:
        """After its end, once: ends also what it started, which must not outlive it, and says what the end was."""
        ended = os.waitid(os.P_PIDFD, self.pidfd, os.WEXITED | os.WNOWAIT)
        self.send(signal.SIGKILL, to_group=True)
        os.close(self.pidfd)
        return exit_reason(
            self.process.wait(),
            asked_to_stop=self.asked_to_stop,
            forced=self.forced,
            success_statuses=self.start.success_statuses,
            has_dumped=ended is not None and ended.si_code == os.CLD_DUMPED,
            tail=last_words,
        )


def tail_of(process: subprocess.Popen[bytes], start: ProcessStart) -> OutputTail | None:
    if start.tail_lines is None:
        return None
    assert process.stdout is not None
    # The tail owns the descriptor; ours would be closed when the Popen object goes.
    fd = os.dup(process.stdout.fileno())
    process.stdout.close()
    return OutputTail(fd, start.tail_lines)
