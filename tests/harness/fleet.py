"""Many test agents as real processes: started, killed, started again, and their logs read."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, Self

from tests.harness.hub import REPOSITORY, Hub


class Fleet:
    """Use as a context manager: leaving it kills every agent that is left."""

    def __init__(self, hub: Hub, folder: Path) -> None:
        self._hub = hub
        self._folder = folder
        self._argv: dict[str, list[str]] = {}
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        folder.mkdir(exist_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self.processes.values():
            process.kill()
        for process in self.processes.values():
            process.wait(timeout=10)

    def add(self, name: str, *capabilities: str, work_ms: int = 5) -> None:
        """Start one agent with a token of its own."""
        argv = [sys.executable, "-m", "tests.harness.agent", self._hub.ws_url, name, self._hub.agent_token(name)]
        argv += [str(self.log_of(name)), "--work-ms", str(work_ms)]
        for capability in capabilities:
            argv += ["--capability", capability]
        self._argv[name] = argv
        self._start(name)

    def _start(self, name: str) -> None:
        environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
        self.processes[name] = subprocess.Popen(self._argv[name], env=environment, stdin=subprocess.DEVNULL)

    def kill(self, name: str) -> None:
        self.processes[name].send_signal(signal.SIGKILL)
        self.processes[name].wait(timeout=10)

    def restart(self, name: str) -> None:
        self.kill(name)
        self._start(name)

    def log_of(self, name: str) -> Path:
        return self._folder / f"{name}.log"

    def history(self, name: str | None = None) -> list[dict[str, Any]]:
        """The lines of one agent's log, or of all, by time. The last line of a killed writer may be torn and is skipped."""
        names = [name] if name is not None else list(self._argv)
        entries = [entry for one in names for entry in _read(self.log_of(one))]
        return sorted(entries, key=lambda entry: float(entry["at"]))

    def online(self) -> int:
        """How many agents have identified since they were last started."""
        return sum(any(_is_frame(entry, "identified") for entry in _read(self.log_of(one))) for one in self._argv)


def _read(path: Path) -> list[dict[str, Any]]:
    entries = []
    for line in path.read_text().splitlines() if path.exists() else ():
        try:
            entries.append(json.loads(line))
        except ValueError:
            continue
    return entries


def _is_frame(entry: dict[str, Any], kind: str) -> bool:
    return entry["what"] == "got" and entry["frame"]["type"] == kind
