"""The product's own agent, whose tasks are Python programs: it runs ``metadata.program`` of each, with the task as ``task``."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, Self

from tests.harness.hub import REPOSITORY, Hub
from tests.harness.waiting import wait_for

_RUN = "import json, os, sys, time; from pathlib import Path; task = json.load(sys.stdin); exec(task['metadata']['program'])"


class Worker:
    """A real sidecar process. ``submit`` queues a program for it; use as a context manager."""

    def __init__(self, hub: Hub, folder: Path, name: str, *capabilities: str) -> None:
        folder.mkdir(exist_ok=True)
        self.hub = hub
        self.folder = folder
        self.name = name
        self._log_file = folder / f"{name}.log"
        kept = {key: value for key, value in os.environ.items() if not key.startswith("AGENTCOM_")}
        self._environment = {**kept, "PYTHONPATH": str(REPOSITORY), "AGENTCOM_TOKEN": hub.agent_token(name)}
        self._argv = [sys.executable, "-m", "sidecar", "--hub", hub.url, "--name", name, "--state-dir", str(folder)]
        self._argv += [part for capability in capabilities for part in ("--cap", capability)]
        self._argv += ["--", sys.executable, "-u", "-c", _RUN]
        self.process: subprocess.Popen[bytes]

    def submit(self, program: str, description: str = "a program", **fields: Any) -> str:
        metadata = {"program": program, "folder": str(self.folder)}
        return self.hub.submit(description, metadata=metadata, assign_to=self.name, **fields)

    def note(self, name: str) -> Path:
        """A file with which a program and a test wait for each other."""
        return self.folder / name

    def start(self) -> None:
        with self._log_file.open("wb") as log:
            self.process = subprocess.Popen(
                self._argv, env=self._environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        wait_for(lambda: b" identified " in self._log_file.read_bytes(), 30, f"{self.name} being identified")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(timeout=10)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(timeout=20)


def waits_for(name: str) -> str:
    """Part of a program: goes on when the test has made the file."""
    return f"\nwhile not (Path(task['metadata']['folder']) / {name!r}).exists(): time.sleep(0.01)\n"
