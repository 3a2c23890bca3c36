"""How a worker says that a task ran: a byte in a file of its own, so that nobody's result store is measured."""

from __future__ import annotations

import os
from pathlib import Path

_files: dict[int, int] = {}


def note() -> None:
    pid = os.getpid()
    if pid not in _files:  # also after a fork
        path = Path(os.environ["BENCH_FOLDER"]) / f"{pid}.done"
        _files[pid] = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(_files[pid], b".")


def count(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.glob("*.done"))
