"""The root process: no actors, no database, no HTTP.

It owns the listening socket, the lock on the data directory, the signals, and the order of start and stop: first the hub, then
the web processes, then local agents; stopping is the reverse. A child that dies is started again; more often than
``max_restarts`` in ``max_seconds`` and the root gives up with exit status 1.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import signal
import socket
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import msgspec

from agentcom import data_dir, listening
from agentcom.config import Config, lane_seconds
from agentcom.logs import configure_logging
from agentcom.process_options import (
    HUB_VARIABLE,
    NOTIFIER_VARIABLE,
    WEB_VARIABLE,
    HubOptions,
    NotifierProcessOptions,
    WebProcessOptions,
)
from supervision.backoff import Backoff
from supervision.notify import notify
from supervision.process_child import ProcessStart
from supervision.process_nodes import process_tree
from supervision.process_specs import Group, ProcessTree
from supervision.process_supervisor import ProcessSupervisor, supervise
from supervision.socket_folder import make_socket_folder
from supervision.spec import ChildSpec, ChildType, Strategy, SupervisorFlags

logger = logging.getLogger("agentcom.root")

#: How long each kind of process may take to stop within the root's ``drain_s``.
WEB_SHUTDOWN_S = 4.0
HUB_SHUTDOWN_S = 9.0
AGENT_SHUTDOWN_S = 6.0
NOTIFIER_SHUTDOWN_S = 6.0

#: The notifier is no reason to give up: it comes back after pauses that grow, for as long as the hub runs.
NOTIFIER_BACKOFF = Backoff(1.0, 30.0, max_in_a_row=1_000_000)

#: A hub whose actors have not moved for so long is ended and started again. Longer than a pause of the machine that is none.
HUB_WATCHDOG_S = 60.0

LINK_SOCKET = "hub.sock"

#: In the same folder: the tree of processes as of ``at_s`` (monotonic seconds), for the web processes to show.
PROCESSES_FILE = "processes.json"


@dataclass(frozen=True, slots=True)
class LocalAgent:
    """A sidecar that the root runs beside the hub (``agentcom up``)."""

    name: str
    argv: tuple[str, ...]
    env: tuple[tuple[str, str], ...] = ()


class StartRefused(Exception):
    """The root cannot start; ``exit_status`` as in ``agentcom help exit-codes``, ``hint`` says what to type next."""

    def __init__(self, message: str, hint: str, exit_status: int) -> None:
        super().__init__(message)
        self.hint = hint
        self.exit_status = exit_status


def serve(config: Config, agents: Sequence[LocalAgent] = (), clock_file: Path | None = None) -> int:
    """Run a hub until it is told to stop; the exit status of the process. Raises ``StartRefused`` before anything started.

    ``clock_file``: the hub's time stands still at what it says (``agentcom.stopped_clock``).
    """
    configure_logging("root", config.log_level)
    root = Root(config, agents, clock_file)
    try:
        root.open()
        return root.run()
    finally:
        root.close()


class Root:
    """One run of the root process. ``open`` takes what must be exclusive, ``run`` blocks, ``close`` gives all of it back."""

    def __init__(self, config: Config, agents: Sequence[LocalAgent], clock_file: Path | None = None) -> None:
        self._config = config
        self._agents = agents
        self._clock_file = None if clock_file is None else str(clock_file)
        self._data_dir = Path(config.data_dir)
        self._lock_fd: int | None = None
        self._socket: socket.socket | None = None
        self._run_dir: Path | None = None
        self._announced = False
        self.url = ""

    def open(self) -> None:
        config = self._config
        is_local = listening.is_loopback(config.host)
        if not is_local and not config.insecure_lan:
            hint = "Say that you mean it:  --insecure-lan   (traffic and tokens travel in clear text)"
            raise StartRefused(f"{config.host} is reachable from other machines and there is no TLS", hint, 2)
        try:
            self._lock_fd = data_dir.lock(data_dir.prepare(self._data_dir))
        except data_dir.DataDirError as error:
            raise StartRefused(str(error), error.hint, 5 if error.is_conflict else 1) from error
        try:
            self._socket = listening.bind(config.host, config.port, strict=config.port_explicit)
        except listening.PortTaken as error:
            hint = f"Use another:  agentcom serve --port {config.port + 1}    or let one be picked:  --port 0"
            raise StartRefused(str(error), hint, 5) from error
        except OSError as error:
            raise StartRefused(f"cannot listen on {config.host}: {error}", "Name another --host.", 2) from error
        self.url = listening.url_of(self._socket, config.host)
        try:
            self._run_dir = make_socket_folder("agentcom-")
        except OSError as error:
            raise StartRefused(str(error), "Set TMPDIR to a folder with a short path, such as /tmp.", 1) from error
        if not is_local:
            logger.warning("reachable from other machines: the dashboard's reads are %s", config.dashboard_auth)

    def run(self) -> int:
        flags = SupervisorFlags(Strategy.ONE_FOR_ONE, self._config.max_restarts, self._config.max_seconds)
        status = supervise(ProcessTree(flags, self._children(flags), self._config.drain_s, self._changed))
        if status != 0:
            logger.critical("gave up: a process could not be kept running; its own messages above say why")
        return status

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
        if self._run_dir is not None:
            shutil.rmtree(self._run_dir, ignore_errors=True)
        if self._lock_fd is not None:
            with suppress(FileNotFoundError):
                (self._data_dir / data_dir.HUB_FILE).unlink()
            os.close(self._lock_fd)

    # --- children -------------------------------------------------------------------------------------------------

    def _children(self, flags: SupervisorFlags) -> tuple[ChildSpec, ...]:
        webs = tuple(self._web(number) for number in range(self._config.web_processes))
        agents = tuple(_agent(agent) for agent in self._agents)
        return (
            self._hub(),
            ChildSpec("web", Group(flags, webs), type=ChildType.SUPERVISOR, start_timeout_s=60.0),
            ChildSpec("agents", Group(flags, agents), type=ChildType.SUPERVISOR, start_timeout_s=60.0),
            # A group of its own: while its child starts, nobody else waits. It is empty until somebody wants to be told.
            ChildSpec("outside", Group(flags, (), on_demand=(self._notifier(),)), type=ChildType.SUPERVISOR),
        )

    def _hub(self) -> ChildSpec:
        config = self._config
        assert self._run_dir is not None and self._lock_fd is not None
        options = HubOptions(
            parent_pid=os.getpid(),
            data_dir=str(self._data_dir),
            link_socket=str(self._run_dir / LINK_SOCKET),
            log_level=config.log_level,
            max_restarts=config.hub_max_restarts,
            max_seconds=config.hub_max_seconds,
            lease_s=config.lease_s,
            boot_grace_s=config.boot_grace_s,
            retry_base_s=config.retry_base_s,
            retry_cap_s=config.retry_cap_s,
            max_reclaims=config.max_reclaims,
            retention_days=config.retention_days,
            max_queued=config.max_queued,
            acceptance_timeout_s=config.acceptance_timeout_s,
            grace_s=config.grace_s,
            environment=config.environment,
            offline_after_s=config.offline_after_s,
            stuck_after_s=config.stuck_after_s,
            wait_targets_s=lane_seconds(config.wait_targets),
            clock_file=self._clock_file,
        )
        # The hub inherits the lock, so that nobody else gets the database while a hub without a root still dies.
        start = _python("agentcom.hub", HUB_VARIABLE, options, self._lock_fd, watchdog_s=HUB_WATCHDOG_S)
        return ChildSpec("hub", start, shutdown_s=HUB_SHUTDOWN_S, start_timeout_s=180.0)

    def _web(self, number: int) -> ChildSpec:
        assert self._socket is not None and self._run_dir is not None
        options = WebProcessOptions(
            parent_pid=os.getpid(),
            log_level=self._config.log_level,
            web_id=f"web-{number}",
            listen_fd=self._socket.fileno(),
            hub_socket=str(self._run_dir / LINK_SOCKET),
            processes_file=str(self._run_dir / PROCESSES_FILE),
            allowed_hosts=tuple(self._config.allowed_hosts),
            trusted_origins=tuple(self._config.trusted_origins),
            bind_is_loopback=listening.is_loopback(self._config.host),
            dashboard_auth=self._config.dashboard_auth,
            clock_file=self._clock_file,
            outgoing_networks=tuple(self._config.outgoing_networks),
        )
        start = _python("agentcom.web_process", WEB_VARIABLE, options, self._socket.fileno())
        return ChildSpec(options.web_id, start, shutdown_s=WEB_SHUTDOWN_S)

    def _notifier(self) -> ChildSpec:
        assert self._run_dir is not None
        options = NotifierProcessOptions(
            parent_pid=os.getpid(),
            log_level=self._config.log_level,
            hub_socket=str(self._run_dir / LINK_SOCKET),
            outgoing_networks=tuple(self._config.outgoing_networks),
            first_retry_s=self._config.notify_retry_s,
            contact=self._config.push_contact,
        )
        start = _python("agentcom.notifier_process", NOTIFIER_VARIABLE, options, None)
        return ChildSpec("notifier", start, shutdown_s=NOTIFIER_SHUTDOWN_S, backoff=NOTIFIER_BACKOFF)

    # --- telling ----------------------------------------------------------------------------------------------------

    def _changed(self, supervisor: ProcessSupervisor) -> None:
        self._show_processes(supervisor)
        if not supervisor.is_ready:
            return
        pids = {running.name: running.process.pid for running in supervisor.processes() if running.is_ready}
        webs = [pid for name, pid in pids.items() if name.startswith("web-")]
        if "hub" not in pids or len(webs) < self._config.web_processes:
            return
        where = {"url": self.url, "pid": os.getpid(), "hub_pid": pids["hub"], "web_pids": webs}
        content = json.dumps(where).encode() + b"\n"
        data_dir.write_private(self._data_dir / data_dir.HUB_FILE, content)
        if self._config.ready_file:
            data_dir.write_private(Path(self._config.ready_file), content)
        if not self._announced:
            self._announced = True
            self._announce()

    def _show_processes(self, supervisor: ProcessSupervisor) -> None:
        assert self._run_dir is not None
        seen = {"at_s": supervisor.now, "tree": {**asdict(process_tree(supervisor, "root")), "pid": os.getpid()}}
        data_dir.write_private(self._run_dir / PROCESSES_FILE, json.dumps(seen).encode())

    def _announce(self) -> None:
        notify(f"READY=1\nSTATUS=serving on {self.url}")
        assert self._socket is not None
        port = self._socket.getsockname()[1]
        if self._config.port not in (0, port):
            print(f"Port {self._config.port} is taken; using {port}.", file=sys.stderr)
        print(f"  Dashboard  {self.url}/", flush=True)
        print(f"  Data       {self._data_dir}", flush=True)
        print("  Stop       Ctrl-C", flush=True)


def _python(
    module: str, variable: str, options: msgspec.Struct, fd: int | None, watchdog_s: float | None = None
) -> ProcessStart:
    """One of our own processes: ``python -m module`` with its options in the environment and one inherited descriptor."""
    env = {variable: msgspec.json.encode(options).decode()}
    fds = (fd,) if fd is not None else ()
    return ProcessStart((sys.executable, "-m", module), env, fds, watchdog_s=watchdog_s)


def _agent(agent: LocalAgent) -> ChildSpec:
    start = ProcessStart(agent.argv, dict(agent.env), awaits_ready=False, stop_signal=signal.SIGTERM)
    return ChildSpec(agent.name, start, shutdown_s=AGENT_SHUTDOWN_S)
