"""The processes of one ``agentcom run``: a hub and its agents on a temporary directory, started together and ended together."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

from agentcom.cli.session import admin_token
from agentcom.client import HubClient
from agentcom.failures import ExitStatus, Failure
from agentcom.job import JobAgent
from supervision.posix import die_with_parent

START_LIMIT_S = 60.0
SETUP_LIMIT_S = 120.0
#: Together with the last kill this stays below the 5 s in which Ctrl-C has to end everything.
AGENTS_STOP_S = 1.5
HUB_STOP_S = 3.0
LOG_TAIL = 2000

WORK_VARIABLE = "AGENTCOM_WORK_DIR"


class JobProcesses:
    """Use as a context manager: leaving it ends every process and removes the directory unless ``keep``."""

    def __init__(self, *, keep: bool) -> None:
        self._keep = keep
        self.directory = Path(tempfile.mkdtemp(prefix="agentcom-run-"))
        self.data_dir = self.directory / "data"
        self.work_dir = self.directory / "work"
        self.work_dir.mkdir()
        self._hub: subprocess.Popen[bytes] | None = None
        self._agents: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.stop()
        except BaseException:  # a second Ctrl-C or a signal: at once
            self.kill()
            raise
        finally:
            if not self._keep:
                shutil.rmtree(self.directory, ignore_errors=True)

    # --- starting -------------------------------------------------------------------------------------------------

    def start_hub(self) -> HubClient:
        """Start it and wait until it serves. Raises ``Failure`` with its last words when it does not."""
        ready_file = self.directory / "ready.json"
        argv = [sys.executable, "-m", "agentcom", "serve", "--data-dir", str(self.data_dir)]
        argv += ["--ready-file", str(ready_file), "--log-level", "warning", "--drain", f"{HUB_STOP_S:g}"]
        self._hub = self._start("hub", argv, {})
        deadline = time.monotonic() + START_LIMIT_S
        while not ready_file.exists():
            self.check()
            if time.monotonic() >= deadline:
                raise self._failure("the hub did not start in time", "hub")
            time.sleep(0.02)
        url = str(json.loads(ready_file.read_bytes())["url"])
        return HubClient(url, admin_token(self.data_dir))

    def run_setup(self, argv: Sequence[str]) -> None:
        """Run the job's preparation in the work folder. Raises ``Failure`` when it does not succeed."""
        if not argv:
            return
        environment = {**os.environ, WORK_VARIABLE: str(self.work_dir)}
        log = self.directory / "setup.log"
        try:
            with log.open("wb") as output:
                done = subprocess.run(
                    argv,
                    cwd=self.work_dir,
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    timeout=SETUP_LIMIT_S,
                    check=False,
                )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise Failure(
                f"the job's setup failed ({error})", "Mend setup in the job file.", ExitStatus.FAILED
            ) from error
        if done.returncode != 0:
            raise self._failure(f"the job's setup ended with {done.returncode}", "setup")

    def start_agent(self, agent: JobAgent) -> None:
        argv = [sys.executable, "-m", "agentcom", "agent", "start", "--local", "--die-with-parent"]
        argv += ["--data-dir", str(self.data_dir), "--name", agent.name, "--env", WORK_VARIABLE, "--stop-grace", "1s"]
        for capability in agent.capabilities:
            argv += ["--cap", capability]
        environment = {WORK_VARIABLE: str(self.work_dir), "SUPERVISOR_PID": str(os.getpid())}
        self._agents[agent.name] = self._start(agent.name, [*argv, "--", *agent.command], environment)

    def check(self) -> None:
        """Raises ``Failure`` when the hub or an agent has ended by itself."""
        if self._hub is not None and self._hub.poll() is not None:
            raise self._failure(f"the hub ended with {self._hub.returncode}", "hub")
        for name, process in self._agents.items():
            if process.poll() is not None:
                raise self._failure(f"agent {name} ended with {process.returncode}", name)

    def _start(self, name: str, argv: Sequence[str], variables: Mapping[str, str]) -> subprocess.Popen[bytes]:
        """In a process group of its own, so that Ctrl-C reaches us only and we end them in order."""
        inherited = {key: value for key, value in os.environ.items() if not key.startswith("AGENTCOM_")}
        parent = os.getpid()
        with (self.directory / f"{name}.log").open("ab") as log:
            return subprocess.Popen(
                argv,
                env={**inherited, **variables},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                process_group=0,
                # We have no threads yet, so running Python between fork and exec is safe.
                preexec_fn=lambda: die_with_parent(signal.SIGTERM, parent),
            )

    def _failure(self, message: str, name: str) -> Failure:
        log = self.directory / f"{name}.log"
        words = log.read_text(errors="replace")[-LOG_TAIL:].strip() if log.exists() else ""
        return Failure(message, words, ExitStatus.FAILED, "job_process_failed")

    # --- ending ---------------------------------------------------------------------------------------------------

    def stop(self) -> None:
        """Agents first, so that they say goodbye to a hub that listens; whoever does not end in time is killed."""
        agents = list(self._agents.values())
        _end(agents, AGENTS_STOP_S)
        _end([self._hub] if self._hub else [], HUB_STOP_S)
        self.kill()

    def kill(self) -> None:
        """SIGKILL for what is left. The hub's own children end with it."""
        for process in [*self._agents.values(), *([self._hub] if self._hub else [])]:
            if process.poll() is None:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def _end(processes: Sequence[subprocess.Popen[bytes]], limit_s: float) -> None:
    for process in processes:
        if process.poll() is None:
            process.terminate()
    deadline = time.monotonic() + limit_s
    for process in processes:
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=max(0.0, deadline - time.monotonic()))
