"""Supervisors of processes: the same ``SupervisorCore`` as for actors, run by one single-threaded loop.

The loop waits for child exits (a pidfd each), readiness datagrams, signals and deadlines, and for nothing else. Children may
be nested supervisors (``Group``), which have a core of their own, so that a slow start in one group does not hold up another.

Signals: the first SIGTERM or SIGINT stops every child in reverse order of start; the second kills them at once.
"""

from __future__ import annotations

import logging
import os
import random
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from supervision.clock import Clock, SystemClock
from supervision.core import SupervisorCore
from supervision.core_messages import (
    Api,
    Begin,
    Effect,
    Event,
    Exit,
    Exited,
    Failure,
    Ready,
    Reply,
    Report,
    RetryDue,
    ScheduleRetry,
    StartChild,
    StartChildRequest,
    Started,
    StartFailed,
    StopChild,
    StopRequested,
)
from supervision.exits import Error, ExitReason, Killed, Shutdown
from supervision.notify import notify
from supervision.process_child import ProcessStart, spawn
from supervision.process_loop import Loop
from supervision.process_notify import NotifySocket, seconds
from supervision.process_signals import StopSignals, StopSource
from supervision.process_specs import Group, ProcessTree, on_demand_of
from supervision.running_process import RunningProcess, tail_of
from supervision.socket_folder import make_socket_folder
from supervision.spec import BRUTAL_KILL, INFINITY, ChildSpec, SupervisorFlags

logger = logging.getLogger("supervision")

#: Between SIGABRT and SIGKILL of a child that missed its watchdog.
ABORT_GRACE_S = 1.0

#: Before a child that could not be started at all is tried again.
CANNOT_START_PAUSE_S = 0.5

#: Before a child on demand whose start failed is tried again.
ON_DEMAND_PAUSE_S = 1.0

#: Characters kept of what a child says of itself.
STATUS_LIMIT = 200

#: Reads of what a child that ended has left in its pipe.
LAST_READS = 64


def supervise(tree: ProcessTree) -> int:
    """Run a tree until it is told to stop or gives up; the exit status of the process. In the main thread."""
    on_change = tree.on_change

    def changed() -> None:
        if on_change is not None:
            on_change(supervisor)

    supervisor = ProcessSupervisor(tree.flags, tree.specs, on_change=changed, stop_limit_s=tree.stop_limit_s)
    return supervisor.run()


@dataclass(slots=True)
class ProcessNode:
    """One core with its children, and what to do when it is ready or over."""

    core: SupervisorCore
    on_ready: Callable[[], None]
    on_exit: Callable[[ExitReason], None]
    processes: dict[tuple[str, int], RunningProcess] = field(default_factory=dict)
    groups: dict[tuple[str, int], ProcessNode] = field(default_factory=dict)
    on_demand: tuple[ChildSpec, ...] = ()


class ProcessSupervisor:
    """``run()`` blocks until every child is gone and returns the process's exit status: 0 after a stop, 1 after giving up."""

    def __init__(
        self,
        flags: SupervisorFlags,
        specs: tuple[ChildSpec, ...],
        *,
        on_change: Callable[[], None] | None = None,
        stop_limit_s: float = 10.0,
        clock: Clock | None = None,
    ) -> None:
        self._loop = Loop(clock or SystemClock())
        self._on_change = on_change or (lambda: None)
        self._stop_limit_s = stop_limit_s
        self._on_demand = tuple(on_demand_of(specs))
        self._wanted: set[str] = set()
        self._stop_signals = 0
        self._stopping = False
        self._over: ExitReason | None = None
        self._gave_up = False
        self.is_ready = False
        self.top = self._node(flags, specs, self._became_ready, self._ended)

    @property
    def now(self) -> float:
        """Monotonic seconds."""
        return self._loop.now

    # --- life -----------------------------------------------------------------------------------------------------

    def run(self, stops: StopSource | None = None) -> int:
        """``stops``: where requests to stop come from; the signals of this process unless something else is named."""
        folder = make_socket_folder("supervisor-")
        self._notify = NotifySocket(folder / "notify")
        self._loop.watch(self._notify, self._read_notifications)
        stops = stops or StopSignals()
        self._loop.watch(stops, lambda: self._signalled(stops.read()))
        self._ping_upwards()
        try:
            self._feed(self.top, Begin())
            self._loop.run(lambda: self._over is not None)
        finally:
            self.kill_all()
            stops.close()
            self._notify.close()
            if self._loop.is_ours:
                self._loop.close()
                shutil.rmtree(folder, ignore_errors=True)
        return 1 if self._gave_up else 0

    def _ping_upwards(self) -> None:
        """``WatchdogSec`` of systemd: a sign of life from inside this loop, twice as often as asked for."""
        every_s = seconds(os.environ.get("WATCHDOG_USEC", ""))
        if every_s and os.environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid()):
            notify("WATCHDOG=1")
            self._loop.after(every_s / 2, self._ping_upwards)

    # --- signals --------------------------------------------------------------------------------------------------

    def _signalled(self, times: int) -> None:
        for _ in range(times):
            self.request_stop()

    def request_stop(self) -> None:
        """As a SIGTERM: orderly the first time, at once the second."""
        self._stop_signals += 1
        if self._stop_signals == 1:
            logger.info("stopping")
            notify("STOPPING=1")
            self._stopping = True
            self._loop.after(self._stop_limit_s, self._kill_and_end)
            self._feed(self.top, StopRequested(Shutdown()))
        else:
            logger.info("stopping at once")
            self._kill_and_end()

    def _kill_and_end(self) -> None:
        self.kill_all()
        self._over = self._over or Killed("timeout")

    def kill_all(self) -> None:
        """SIGKILL every process group that is left, and reap it. Nothing in a forked copy, whose they are not."""
        if not self._loop.is_ours:
            return
        for running in self.processes():
            running.send(signal.SIGKILL, to_group=True)
        for running in self.processes():
            with suppress(subprocess.TimeoutExpired):
                running.process.wait(timeout=5)

    # --- readiness ------------------------------------------------------------------------------------------------

    def _read_notifications(self) -> None:
        for pid, said in self._notify.read():
            for node, identity, running in self._running():
                if running.process.pid == pid:
                    self._notified(node, identity, running, said)

    def _notified(
        self, node: ProcessNode, identity: tuple[str, int], running: RunningProcess, said: dict[str, str]
    ) -> None:
        now = self._loop.now
        running.status = said.get("STATUS", running.status)[:STATUS_LIMIT]
        if said.get("WATCHDOG") == "1":
            running.seen_alive_s = now
        if "START" in said:
            self._want(said["START"])
        more_s = seconds(said.get("EXTEND_TIMEOUT_USEC", ""))
        if more_s is not None:
            running.start_deadline_s = now + more_s
        if said.get("READY") == "1" and not running.said_ready:
            running.said_ready = True
            self._complete_start(node, identity, running)

    def _want(self, id_: str) -> None:
        """Remembered, because the group may not be there yet, or come back later."""
        if any(spec.id == id_ for spec in self._on_demand):
            self._wanted.add(id_)
            for node in list(self._nodes()):
                self._loop.soon(partial(self._start_on_demand, node))

    def _complete_start(self, node: ProcessNode, identity: tuple[str, int], running: RunningProcess) -> None:
        """Once it is ready and has been up for long enough."""
        now = self._loop.now
        early_s = running.spawned_s + running.start.min_uptime_s - now
        if node.processes.get(identity) is not running or running.is_ready or not running.said_ready:
            return
        if early_s > 0:
            self._loop.after(early_s, lambda: self._complete_start(node, identity, running))
            return
        running.is_ready = True
        running.seen_alive_s = now
        self._feed(node, Started(*identity, running))
        self._watch(running)
        self._on_change()

    def _watch(self, running: RunningProcess) -> None:
        """Look at its next sign of life when that is due."""
        limit_s = running.start.watchdog_s
        if limit_s is None or running.asked_to_stop is not None or running.has_ended:
            return
        left_s = running.seen_alive_s + limit_s - self._loop.now
        if left_s > 0:
            self._loop.after(left_s, lambda: self._watch(running))
            return
        running.forced = "watchdog"
        # A process that can still do anything writes a core or a traceback now.
        running.send(signal.SIGABRT)
        self._loop.after(ABORT_GRACE_S, lambda: running.force("watchdog"))

    # --- children -------------------------------------------------------------------------------------------------

    def processes(self) -> list[RunningProcess]:
        """Every child process that is alive, in order of start within each group."""
        return [running for _, _, running in self._running()]

    def _running(self) -> list[tuple[ProcessNode, tuple[str, int], RunningProcess]]:
        return [(node, identity, running) for node in self._nodes() for identity, running in node.processes.items()]

    def _nodes(self) -> Iterator[ProcessNode]:
        nodes = [self.top]
        while nodes:
            node = nodes.pop()
            yield node
            nodes += node.groups.values()

    def _start_on_demand(self, node: ProcessNode) -> None:
        """What was asked for. One that is there already stays as it is: the core answers so, and nobody needs to hear it."""
        for spec in node.on_demand:
            if spec.id in self._wanted:
                self._feed(node, Api(spec.id, StartChildRequest(spec)))

    def _answered(self, node: ProcessNode, value: object) -> None:
        """A start on demand that failed is tried again; what is there already is what was wanted."""
        if isinstance(value, Failure) and value.code == "start_failed":
            self._loop.after(ON_DEMAND_PAUSE_S, lambda: self._try_again(node))

    def _try_again(self, node: ProcessNode) -> None:
        if not self._stopping and node in self._nodes():
            self._start_on_demand(node)

    def _node(
        self,
        flags: SupervisorFlags,
        specs: tuple[ChildSpec, ...],
        on_ready: Callable[[], None],
        on_exit: Callable[[ExitReason], None],
    ) -> ProcessNode:
        core = SupervisorCore(flags, specs, lambda: self._loop.now, chance=random.random)
        return ProcessNode(core, on_ready, on_exit)

    def _became_ready(self) -> None:
        self.is_ready = True
        self._on_change()

    def _ended(self, reason: ExitReason) -> None:
        self._gave_up = not self._stopping or "max_restart" in str(reason)
        self._over = reason

    def _feed(self, node: ProcessNode, event: Event) -> None:
        for effect in node.core.handle(event):
            self._perform(node, effect)

    def _perform(self, node: ProcessNode, effect: Effect) -> None:
        if isinstance(effect, StartChild):
            if isinstance(effect.spec.start, Group):
                self._start_group(node, effect)
            else:
                self._start_process(node, effect)
        elif isinstance(effect, StopChild):
            self._stop_child(node, effect)
        elif isinstance(effect, ScheduleRetry):
            retry = RetryDue(effect.key, effect.token)
            if effect.delay_s > 0:
                self._loop.after(effect.delay_s, lambda: self._feed(node, retry))
            else:
                self._loop.soon(lambda: self._feed(node, retry))
        elif isinstance(effect, Reply):
            self._answered(node, effect.value)
        elif isinstance(effect, Ready):
            node.on_ready()
        elif isinstance(effect, Report):
            level = logging.DEBUG if effect.kind == "progress" else logging.WARNING
            last_words = f"; its last words:\n{effect.detail}" if effect.detail else ""
            logger.log(level, "%s %s: %s%s", effect.child, effect.kind, effect.reason, last_words)
        elif isinstance(effect, Exit):
            node.on_exit(effect.reason)

    def _start_group(self, node: ProcessNode, effect: StartChild) -> None:
        identity = (effect.key, effect.incarnation)
        group: Group = effect.spec.start
        state = {"ready": False}

        def ready() -> None:
            state["ready"] = True
            self._loop.soon(lambda: self._feed(node, Started(*identity)))
            self._loop.soon(lambda: self._start_on_demand(inner))

        def over(reason: ExitReason) -> None:
            del node.groups[identity]
            event = Exited(*identity, reason) if state["ready"] else StartFailed(*identity, reason)
            self._loop.soon(lambda: self._feed(node, event))

        inner = self._node(group.flags, group.specs, ready, over)
        inner.on_demand = group.on_demand
        node.groups[identity] = inner
        self._loop.soon(lambda: self._feed(inner, Begin()))

    def _start_process(self, node: ProcessNode, effect: StartChild) -> None:
        identity = (effect.key, effect.incarnation)
        start: ProcessStart = effect.spec.start
        try:
            process = spawn(start, {"NOTIFY_SOCKET": self._notify.path})
            pidfd = os.pidfd_open(process.pid)
        except (OSError, ValueError, TypeError, subprocess.SubprocessError) as error:
            reason = Error(f"cannot start: {error}", origin="start")
            # A pause, so that a command that cannot be found does not become a busy loop.
            self._loop.after(CANNOT_START_PAUSE_S, lambda: self._feed(node, StartFailed(*identity, reason)))
            return
        now = self._loop.now
        deadline_s = now + effect.spec.start_timeout_s
        running = RunningProcess(effect.spec.id, process, start, pidfd, now, deadline_s, tail_of(process, start))
        node.processes[identity] = running
        self._loop.watch(pidfd, lambda: self._process_ended(node, identity, running))
        if running.tail is not None:
            self._loop.watch(running.tail.fd, lambda: self._read_output(running))
        if start.awaits_ready:
            self._loop.after(effect.spec.start_timeout_s, lambda: self._start_timed_out(running))
        else:
            running.said_ready = True
            self._loop.soon(lambda: self._complete_start(node, identity, running))

    def _read_output(self, running: RunningProcess) -> None:
        if running.tail is not None and not running.tail.read():
            self._loop.forget(running.tail.fd)

    def _start_timed_out(self, running: RunningProcess) -> None:
        if running.said_ready or running.has_ended:
            return
        left_s = running.start_deadline_s - self._loop.now
        if left_s > 0:  # it asked for more time
            self._loop.after(left_s, lambda: self._start_timed_out(running))
            return
        running.force("start timeout")

    def _process_ended(self, node: ProcessNode, identity: tuple[str, int], running: RunningProcess) -> None:
        self._loop.forget(running.pidfd)
        reason = running.reap(self._last_words(running))
        del node.processes[identity]
        if running.is_ready:
            self._feed(node, Exited(*identity, reason))
        else:
            up_s = self._loop.now - running.spawned_s
            why = f"ended after {up_s:.2f} s, before its start was complete ({reason})"
            failed: Any = reason if not reason.is_clean else Error(why, "", "start")
            self._feed(node, StartFailed(*identity, failed))
        self._on_change()

    def _last_words(self, running: RunningProcess) -> str:
        tail = running.tail
        if tail is None:
            return ""
        self._loop.forget(tail.fd)
        for _ in range(LAST_READS):
            if not tail.read():
                break
        tail.close()
        return tail.text()

    def _stop_child(self, node: ProcessNode, effect: StopChild) -> None:
        identity = (effect.key, effect.incarnation)
        inner = node.groups.get(identity)
        if inner is not None:
            self._loop.soon(lambda: self._feed(inner, StopRequested(Shutdown())))
            return
        running = node.processes.get(identity)
        if running is None:  # its exit is on the way
            return
        limit_s = effect.spec.shutdown
        if limit_s == BRUTAL_KILL:
            running.force("brutal")
            return
        running.asked_to_stop = running.start.stop_signal
        running.send(running.start.stop_signal)
        if limit_s != INFINITY:
            self._loop.after(limit_s, lambda: running.force("timeout"))
