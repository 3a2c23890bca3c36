"""Options of the whole suite, and where its files are: in memory where there is room, because hundreds of databases are made."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import hypothesis
import pytest

# How long an example takes says something about the machine, which other tests share.
hypothesis.settings.register_profile(
    "busy machine", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("busy machine")


_MEMORY = Path("/dev/shm")
_ROOM_BYTES = 4 * 1024**3


def pytest_configure(config: pytest.Config) -> None:
    """Processes are killed here, never the machine, so nothing is learned from waiting for a disk."""
    is_there = _MEMORY.is_dir() and os.access(_MEMORY, os.W_OK)
    if is_there and shutil.disk_usage(_MEMORY).free >= _ROOM_BYTES:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(_MEMORY))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--full", action="store_true", help="run sweeps and fault tests at their full size")
    parser.addoption(
        "--sweep-faults", type=int, default=0, help="so many faults in the signal sweep, whatever its size is"
    )
    parser.addoption("--sweep-seed", type=int, default=11, help="another order and other moments of the signal sweep")
    parser.addoption("--sweep-only-kills", action="store_true", help="SIGKILL only, neither pauses nor polite ends")
    parser.addoption(
        "--sweep-patience", type=float, default=1.0, help="limits so many times as long, for a busy machine"
    )
