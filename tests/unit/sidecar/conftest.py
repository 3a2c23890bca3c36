"""What the tests of the sidecar share: options that work, and a log that keeps quiet."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sidecar.options import SidecarOptions

MakeOptions = Callable[..., SidecarOptions]


@pytest.fixture
def make_options(tmp_path: Path) -> MakeOptions:
    """Options for an agent whose command is a Python program given as text."""

    def make(program: str = "pass", **changes: Any) -> SidecarOptions:
        given: dict[str, Any] = {
            "hub_url": "ws://127.0.0.1:9",
            "name": "tester",
            "capabilities": ("shell",),
            "command": (sys.executable, "-c", program),
            "token": "hub_agent_0000_secret",
            "state_dir": tmp_path / "state",
            "task_timeout_s": 20.0,
            "stop_grace_s": 2.0,
        }
        return SidecarOptions(**{**given, **changes})

    return make
