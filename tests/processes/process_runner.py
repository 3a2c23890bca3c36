"""Runs a tree of real processes in a process of its own, as ``python -m supervision`` does, and reads what it logs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Self

from tests.harness.waiting import wait_for

ROOT = Path(__file__).parents[2]


class Tree:
    """``source`` is a module that defines ``tree``. ``log`` grows as the supervisor writes."""

    def __init__(self, folder: Path, source: str, *flags: str, env: dict[str, str] | None = None) -> None:
        (folder / "service.py").write_text(source)
        self.log: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, "-m", "supervision", "service:tree", "--log-level", "DEBUG", *flags],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": f"{ROOT}:{folder}", **(env or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        self.log.extend(line.rstrip() for line in self.process.stdout)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(timeout=10)

    def wait_for_line(self, *parts: str, count: int = 1, timeout_s: float = 20.0) -> str:
        """The first line with all ``parts``, once there are ``count`` of them."""

        def found() -> list[str]:
            return [line for line in list(self.log) if all(part in line for part in parts)]

        wait_for(lambda: len(found()) >= count, timeout_s, f"{parts} in\n" + "\n".join(self.log))
        return found()[0]

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=20)


HEAD = """
import sys
from supervision.process_child import ProcessStart
from supervision.process_specs import Group, ProcessTree
from supervision.spec import ChildSpec, ChildType, Restart, SupervisorFlags

def python(code, **fields):
    return ProcessStart((sys.executable, "-c", code), awaits_ready=fields.pop("awaits_ready", False), **fields)
"""


def tree_of(*specs: str, max_restarts: int = 3) -> str:
    """The source of a module with these ``ChildSpec`` expressions."""
    return f"{HEAD}\ntree = ProcessTree(SupervisorFlags(max_restarts={max_restarts}, period_s=60), ({', '.join(specs)},))\n"
