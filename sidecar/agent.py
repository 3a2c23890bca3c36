"""Drives one agent: carries out what the session decides, with the connection, the runner and the journal as its
hands."""

from __future__ import annotations

import asyncio
import signal
from typing import Any

from sidecar.connection import Connection, Listener
from sidecar.guard import Guard
from sidecar.journal import Attempt, Journal
from sidecar.live_output import Deliver, Lines, frame_of
from sidecar.log import Log
from sidecar.options import SidecarOptions
from sidecar.outcome import Outcome
from sidecar.posix import tell_ready
from sidecar.runner import Runner
from sidecar.session import Effect, Identified, Kill, Note, Quit, Remind, Save, Send, Session, Start

EXIT_NO_HUB = 3
"""The hub could not be reached in the time that the operator gave."""

EXIT_KILLED = 130
"""Ended by the second signal."""


class Agent:
    """One agent on one event loop. ``run`` is called once."""

    def __init__(self, options: SidecarOptions, journal: Journal, log: Log) -> None:
        self._options = options
        self._journal = journal
        self._log = log
        self._guard = Guard()
        self._session = Session(options, self._read_journal())
        self._runner = Runner(options, self._guard, self._progressed, journal.task_file_prefix, self._printing)
        self._connection = Connection(options, Listener(self._opened, self._received, self._tick, self._closed, log))
        self._work: asyncio.Task[None] | None = None
        self._quit: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._was_identified = False
        self._takes_output = False
        self._stopping: asyncio.Task[None] | None = None
        self._stops = 0
        self._is_ending = False

    async def run(self) -> int:
        """Until it is told to stop. Returns the exit code."""
        loop = asyncio.get_running_loop()
        for signum in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(signum, self._stop_asked, signum)
        if self._options.connect_timeout_s is not None:
            loop.call_later(self._options.connect_timeout_s, self._give_up)
        connecting = asyncio.create_task(self._connection.keep_open())
        connecting.add_done_callback(self._connecting_ended)
        try:
            return await self._quit
        finally:
            await self._finish(connecting)
            for signum in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(signum)

    # --- events -------------------------------------------------------------------------------------------------------

    def _opened(self) -> None:
        self._carry_out(self._session.opened())

    def _received(self, frame: dict[str, Any]) -> None:
        self._carry_out(self._session.received(frame))

    def _tick(self) -> None:
        self._carry_out(self._session.reminded())

    def _closed(self, code: int | None) -> None:
        self._carry_out(self._session.closed(code))

    def _progressed(self, key: tuple[str, int], percent: int) -> None:
        self._carry_out(self._session.progressed(key, percent))

    def _printing(self, key: tuple[str, int]) -> Deliver:
        def deliver(seq: int, lines: Lines) -> bool:
            return self._takes_output and self._connection.send_if_idle(frame_of(key, seq, lines))

        return deliver

    def _give_up(self) -> None:
        if not self._was_identified:
            self._log("no_hub", hub=self._options.hub_url, waited_s=self._options.connect_timeout_s)
            self._end(EXIT_NO_HUB)

    def _connecting_ended(self, task: asyncio.Task[None]) -> None:
        """Only a bug ends it by itself; then the sidecar ends too, and whoever started it sees the error."""
        if not task.cancelled() and (error := task.exception()) is not None and not self._quit.done():
            self._quit.set_exception(error)

    def _stop_asked(self, signum: signal.Signals) -> None:
        self._stops += 1
        self._log("stopping", signal=signum.name)
        if self._stops > 1:
            self._runner.kill()
            self._end(EXIT_KILLED)
            return
        self._session.stopping()
        self._runner.stop()
        self._stopping = asyncio.create_task(self._stop())

    async def _stop(self) -> None:
        """First the child ends, then the hub hears that its task is free: never do two agents work on it."""
        if self._work is not None:
            await asyncio.wait({self._work})
        self._carry_out(self._session.stopped())
        self._end(0)

    def _end(self, code: int) -> None:
        if not self._quit.done():
            self._quit.set_result(code)

    # --- effects ------------------------------------------------------------------------------------------------------

    def _carry_out(self, effects: list[Effect]) -> None:
        for effect in effects:
            match effect:
                case Send(frame):
                    self._connection.send(frame)
                case Save(attempt):
                    self._save(attempt)
                case Start(attempt):
                    self._log("task_started", task=attempt.task_id, generation=attempt.generation)
                    self._work = asyncio.create_task(self._work_on(attempt, after=self._work))
                case Kill():
                    self._runner.stop()
                case Remind(delay_s):
                    asyncio.get_running_loop().call_later(delay_s, self._tick)
                case Identified(takes_output):
                    self._takes_output = takes_output
                    self._take_note_of_welcome()
                case Note(event, about):
                    self._log(event, about=about)
                case Quit(exit_code, message):
                    self._log("giving_up", reason=message)
                    self._end(exit_code)

    async def _work_on(self, attempt: Attempt, after: asyncio.Task[None] | None) -> None:
        """``after``: the work on an attempt that was dropped, whose child may still have to die."""
        if after is not None:
            await asyncio.wait({after})
        if self._stops or self._is_ending or self._session.attempt is None or self._session.attempt.key != attempt.key:
            return  # dropped while it waited
        try:
            outcome = await self._runner.run(attempt)
        except Exception as error:  # noqa: BLE001 - a bug: end, and whoever started us sees it
            if not self._quit.done():
                self._quit.set_exception(error)
            return
        if outcome is None:
            self._log("task_stopped", task=attempt.task_id)
            return
        self._log("task_ended", task=attempt.task_id, outcome=_said(outcome))
        self._carry_out(self._session.ended(attempt.key, outcome))

    def _take_note_of_welcome(self) -> None:
        self._connection.identified()
        self._log("identified", hub=self._options.hub_url)
        if not self._was_identified:
            self._was_identified = True
            tell_ready()

    # --- journal and end ----------------------------------------------------------------------------------------------

    def _read_journal(self) -> Attempt | None:
        try:
            return self._journal.read()
        except (ValueError, OSError) as error:
            self._log("journal_unreadable", reason=error, consequence="begins with nothing in hand")
            return None

    def _save(self, attempt: Attempt | None) -> None:
        """A full disk does not end the work: without a journal a crash costs the hub's patience, and nothing else."""
        try:
            self._journal.write(attempt)
        except OSError as error:
            self._log("journal_not_written", reason=error.strerror)

    async def _finish(self, connecting: asyncio.Task[None]) -> None:
        self._is_ending = True
        self._session.stopping()
        if self._work is not None and not self._work.done():
            self._runner.stop()
            await asyncio.wait({self._work})
        await self._connection.close()
        connecting.cancel()
        await asyncio.wait({connecting})
        self._guard.close()


def _said(outcome: Outcome) -> str:
    """The kind of the outcome. What the task printed stays out of the log."""
    return "complete" if outcome.error is None else "failed"
