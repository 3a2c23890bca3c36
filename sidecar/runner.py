"""Runs one task as one child process: the operator's command, with the task as data on stdin.

Nothing of a task ever becomes part of a command line or of a variable but its id and generation. The child leads a
session and process group of its own, which is killed when the child ends, so that nothing of it stays behind.
"""

from __future__ import annotations

import asyncio
import os
import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from sidecar.guard import Guard
from sidecar.journal import Attempt
from sidecar.live_output import Deliver, LiveOutput
from sidecar.options import TOKEN_VARIABLES, SidecarOptions
from sidecar.outcome import Outcome, exit_failure, success
from sidecar.output import Output, ProgressLines
from sidecar.posix import signal_group
from wire import codec

PASSED_ON = ("PATH", "HOME", "LANG", "TZ", "TMPDIR", "USER")
"""What nearly every program needs of its surroundings; besides these every ``LC_*``."""

DRAIN_S = 1.0
"""How long to wait, after the group is dead, for the end of its output. Only a process that left the group holds it
up."""

STDERR_BYTES = 64 * 1024

OnProgress = Callable[[tuple[str, int], int], None]

#: Sends lines of this attempt; see ``live_output.Deliver``.
OnOutput = Callable[[tuple[str, int]], Deliver]


@dataclass(frozen=True, slots=True)
class _Child:
    process: asyncio.subprocess.Process
    stdout: Output
    stderr: Output


class Runner:
    """At most one child at a time. Everything runs on the event loop."""

    def __init__(
        self,
        options: SidecarOptions,
        guard: Guard,
        on_progress: OnProgress,
        task_file_prefix: str,
        on_output: OnOutput = lambda key: lambda seq, lines: True,
    ) -> None:
        self._options = options
        self._guard = guard
        self._on_progress = on_progress
        self._on_output = on_output
        self._task_file_prefix = task_file_prefix
        self._stop_wanted = asyncio.Event()
        self._pgid: int | None = None

    async def run(self, attempt: Attempt) -> Outcome | None:
        """The outcome of the attempt; None when it was stopped. A command that cannot be started is a failed
        attempt."""
        self._stop_wanted.clear()
        progress = ProgressLines(lambda percent: self._on_progress(attempt.key, percent))
        live = LiveOutput(self._on_output(attempt.key))
        try:
            with self._task_file(attempt) as file:
                child = await self._start(attempt, file, progress, live)
                try:
                    return await self._follow(child)
                finally:
                    await self._clean_up(child)
        except OSError as error:
            return Outcome.failure(f"the command cannot be run: {error.strerror or error}")
        finally:
            progress.close()
            live.finish()

    def stop(self) -> None:
        """End the child: SIGTERM to its group, SIGKILL after the grace. ``run`` returns None then."""
        self._stop_wanted.set()

    def kill(self) -> None:
        """End the child at once."""
        self._stop_wanted.set()
        if self._pgid is not None:
            signal_group(self._pgid, signal.SIGKILL)

    # --- start --------------------------------------------------------------------------------------------------------

    @contextmanager
    def _task_file(self, attempt: Attempt) -> Iterator[IO[bytes]]:
        """The task in a file that only this user can read, open at its begin. Being a file, it needs no feeding."""
        with tempfile.NamedTemporaryFile(
            prefix=self._task_file_prefix, suffix=".task", dir=self._options.state_dir, buffering=0
        ) as file:
            file.write(codec.encode(attempt.order) + b"\n")
            file.seek(0)
            yield file

    async def _start(self, attempt: Attempt, file: IO[bytes], progress: ProgressLines, live: LiveOutput) -> _Child:
        guard_pipe = self._guard.ensure()

        def list_own_group() -> None:  # in the child, after setsid and before the command
            os.write(guard_pipe, b"+%d\n" % os.getpid())

        def printed(chunk: bytes) -> None:
            progress.feed(chunk)
            live.feed("out", chunk)

        stdout = Output(self._options.max_output_bytes, printed)
        stderr = Output(min(STDERR_BYTES, self._options.max_output_bytes), lambda chunk: live.feed("err", chunk))
        try:
            process = await asyncio.create_subprocess_exec(
                *self._options.command,
                stdin=file,
                stdout=stdout.write_end,
                stderr=stderr.write_end,
                env=child_environment(os.environ, self._options, attempt, file.name),
                start_new_session=True,
                preexec_fn=list_own_group,
            )
        except BaseException:
            stdout.close()
            stderr.close()
            raise
        self._pgid = process.pid
        for output in (stdout, stderr):
            output.follow()
        return _Child(process, stdout, stderr)

    # --- life and end -------------------------------------------------------------------------------------------------

    async def _follow(self, child: _Child) -> Outcome | None:
        ended = asyncio.ensure_future(child.process.wait())
        stop_wanted = asyncio.ensure_future(self._stop_wanted.wait())
        try:
            limit_s = self._options.task_timeout_s
            await asyncio.wait({ended, stop_wanted}, timeout=limit_s, return_when=asyncio.FIRST_COMPLETED)
            if not ended.done():
                await self._terminate(child, ended)
                return None if stop_wanted.done() else Outcome.failure(f"time limit of {limit_s:g} s")
        finally:
            stop_wanted.cancel()
        status = await ended
        await self._clean_up(child)
        if status == 0:
            return success(child.stdout.text())
        return exit_failure(status, child.stderr.text())

    async def _terminate(self, child: _Child, ended: asyncio.Future[int]) -> None:
        signal_group(child.process.pid, signal.SIGTERM)
        await asyncio.wait({ended}, timeout=self._options.stop_grace_s)
        signal_group(child.process.pid, signal.SIGKILL)
        await ended

    async def _clean_up(self, child: _Child) -> None:
        """Idempotent. The group's number is ours as long as one member lives, even after the child was waited for."""
        if self._pgid is not None:
            signal_group(self._pgid, signal.SIGKILL)
            self._guard.forget(self._pgid)
            self._pgid = None
        await asyncio.gather(child.stdout.drain(DRAIN_S), child.stderr.drain(DRAIN_S))


def child_environment(
    source: os._Environ[str] | dict[str, str], options: SidecarOptions, attempt: Attempt, task_file: str | Path
) -> dict[str, str]:
    """The variables of a task: an allow-list out of ``source`` and what says which attempt this is. Never the token."""
    wanted = {*PASSED_ON, *options.env_names} - TOKEN_VARIABLES
    passed = {
        name: value
        for name, value in source.items()
        if (name in wanted or name.startswith("LC_")) and options.token not in value
    }
    return {
        **passed,
        "AGENTCOM_AGENT": options.name,
        "AGENTCOM_TASK_ID": attempt.task_id,
        "AGENTCOM_TASK_GENERATION": str(attempt.generation),
        "AGENTCOM_TASK_FILE": str(task_file),
    }
