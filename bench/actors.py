"""Actors of several libraries at the same work, each measurement in a process of its own (``actor_programs``)."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from bench.measure import Measure, Spread, in_turn, ratios, say

HERE = Path(__file__).parent

#: Test -> library -> how much of it: enough for a few seconds at most.
COUNTS: Mapping[str, Mapping[str, int]] = {
    "tell": {"ours": 400_000, "pykka": 100_000, "thespian": 100_000, "xoscar": 20_000, "erlang": 2_000_000},
    "fan": {"ours": 400_000, "pykka": 50_000, "thespian": 50_000, "erlang": 2_000_000},
    "ring": {"ours": 200_000, "pykka": 50_000, "thespian": 50_000, "xoscar": 20_000, "erlang": 1_000_000},
    "spawn": {"ours": 20_000, "pykka": 5_000, "thespian": 10_000, "xoscar": 5_000, "erlang": 100_000},
    "memory": {"ours": 100_000, "pykka": 5_000, "erlang": 100_000},
}

LIMIT_S = 120


def measure(runs: int) -> dict[str, Any]:
    """Test -> its rates or bytes by library, and how many times Pykka's we reach."""
    found: dict[str, Any] = {}
    with erlang() as erl:
        for test, counts in COUNTS.items():
            say(f"actors: {test}")
            measures: dict[str, Measure] = {
                library: partial(
                    erl_program if library == "erlang" else program,
                    *((erl,) if library == "erlang" else ()),
                    library,
                    test,
                    count,
                )
                for library, count in counts.items()
            }
            values = in_turn(measures, runs)
            found[test] = {
                "unit": "bytes" if test == "memory" else "a second",
                "by_library": {name: Spread.of(of) for name, of in values.items()},
                "ours_against": ratios(values, "ours"),
            }
    return found


def program(library: str, test: str, count: int) -> float | None:
    """None: the library is not installed, or has no such thing."""
    argv = [sys.executable, "-m", "bench.actor_programs", library, test, str(count)]
    return _number(argv, HERE.parent)


def erl_program(folder: Path | None, _: str, test: str, count: int) -> float | None:
    if folder is None:
        return None
    return _number(["erl", "-noshell", "-run", "actors", "main", test, str(count)], folder)


def _number(argv: list[str], cwd: Path) -> float | None:
    run = subprocess.run(argv, cwd=cwd, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    return float(run.stdout.split()[-1]) if run.returncode == 0 and run.stdout.strip() else None


@contextmanager
def erlang() -> Iterator[Path | None]:
    """A folder with the compiled module; None without Erlang."""
    if shutil.which("erlc") is None:
        yield None
        return
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["erlc", "-o", folder, str(HERE / "actors.erl")], check=True)
        yield Path(folder)
