"""A hub whose processes carry the plugin of named moments, and real sidecars beside it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Self

from tests.harness.hub import REPOSITORY, Hub
from tests.harness.moments import PLUGIN_FOLDER, Trap
from tests.harness.waiting import wait_for


class TrappedHub(Hub):
    """As ``Hub``; every process may stop at a moment that ``trap`` names. Url and token are read once, not on each request."""

    def __init__(self, data_dir: Path, *flags: str, web_processes: int = 2) -> None:
        super().__init__(data_dir, *flags, web_processes=web_processes)
        self.trap = Trap(data_dir.parent / f"{data_dir.name}.trap")
        self._url = ""
        self._token = ""

    def environment(self) -> dict[str, str]:
        kept = {key: value for key, value in os.environ.items() if not key.startswith("AGENTCOM_")}
        return {**kept, "PYTHONPATH": f"{PLUGIN_FOLDER}:{REPOSITORY}", **self.trap.environment}

    def launch(self) -> None:
        """Start the root and return at once."""
        self.ready_file.unlink(missing_ok=True)
        argv = [sys.executable, "-m", "agentcom", "serve", "--port", self._port, "--data-dir", str(self.data_dir)]
        argv += ["--ready-file", str(self.ready_file), *self._flags]
        with self.log_file.open("ab") as log:
            self.process = subprocess.Popen(
                argv, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=self.environment(), cwd=self.data_dir.parent
            )

    def start(self) -> Hub:
        self.launch()
        self.wait_until_ready()
        self._url = str(self.where()["url"])
        self._port = self._url.rsplit(":", 1)[1]
        return self

    def where(self) -> dict[str, Any]:
        """As the last complete ready file said; the file is away while the root is being started."""
        while True:
            try:
                content: dict[str, Any] = json.loads(self.ready_file.read_text())
            except (FileNotFoundError, ValueError):
                time.sleep(0.005)
                continue
            return content

    @property
    def url(self) -> str:
        return self._url

    @property
    def admin_token(self) -> str:
        self._token = self._token or super().admin_token
        return self._token


class Sidecar:
    """The product's own agent. Its command appends "task generation" to ``effects`` and prints who it is."""

    def __init__(self, hub: TrappedHub, folder: Path, name: str, work_s: float = 0.0) -> None:
        folder.mkdir(exist_ok=True)
        self.name = name
        self.effects_file = folder / f"{name}.effects"
        self.log_file = folder / f"{name}.log"
        self._environment = {**hub.environment(), "AGENTCOM_TOKEN": hub.agent_token(name)}
        script = f'echo "$AGENTCOM_TASK_ID $AGENTCOM_TASK_GENERATION" >> {self.effects_file}; sleep {work_s}; echo done'
        self._argv = [sys.executable, "-m", "sidecar", "--hub", hub.url, "--name", name, "--state-dir", str(folder)]
        self._argv += ["--", "/bin/sh", "-c", script]
        self.process: subprocess.Popen[bytes]
        self._log_size = 0

    def start(self) -> None:
        self._log_size = self.log_file.stat().st_size if self.log_file.exists() else 0
        with self.log_file.open("ab") as log:
            self.process = subprocess.Popen(
                self._argv, env=self._environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def is_identified(self) -> bool:
        """Since it was started last."""
        with self.log_file.open("rb") as log:
            log.seek(self._log_size)
            return b" identified " in log.read()

    def restart(self) -> None:
        """After its death."""
        self.process.wait(timeout=20)
        self.start()
        wait_for(self.is_identified, 30, f"{self.name} being identified")

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
        self.process.wait(timeout=10)

    def effects(self) -> list[tuple[str, str, int]]:
        if not self.effects_file.exists():
            return []
        lines = (line.split() for line in self.effects_file.read_text().splitlines())
        return [(self.name, words[0], int(words[1])) for words in lines if len(words) == 2]

    def __enter__(self) -> Self:
        self.start()
        wait_for(self.is_identified, 30, f"{self.name} being identified")
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
