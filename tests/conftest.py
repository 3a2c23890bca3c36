"""Options of the whole suite."""

from __future__ import annotations

import hypothesis
import pytest

# How long an example takes says something about the machine, which other tests share.
hypothesis.settings.register_profile(
    "busy machine", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("busy machine")


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
