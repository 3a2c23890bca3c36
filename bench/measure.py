"""Measuring in pairs: what is compared runs in turn, round by round, so that both meet the same noise of the machine."""

from __future__ import annotations

import os
import platform
import statistics
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

#: An end of a measurement that gave nothing: the thing is not there.
Measure = Callable[[], float | None]


@dataclass(frozen=True)
class Spread:
    """Of the rounds of one measurement."""

    low: float
    median: float
    high: float
    runs: int

    @classmethod
    def of(cls, values: list[float]) -> Spread:
        return cls(min(values), statistics.median(values), max(values), len(values))

    def __str__(self) -> str:
        return f"{number(self.median)} ({number(self.low)} … {number(self.high)})"


def number(value: float) -> str:
    """As short as it can be read: three digits."""
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def in_turn(measures: Mapping[str, Measure], runs: int) -> dict[str, list[float]]:
    """Name -> one value a round, in the unit of the measure. One that gave nothing in its first round is left out."""
    values: dict[str, list[float]] = {name: [] for name in measures}
    for round_ in range(runs):
        for name in list(values):
            say(f"  round {round_ + 1} of {runs}: {name}")
            value = measures[name]()
            if value is None:
                del values[name]
            else:
                values[name].append(value)
    return values


def ratios(values: Mapping[str, list[float]], ours: str) -> dict[str, Spread]:
    """How many times as much ``ours`` gave as each other one, from the pairs of each round."""
    mine = values[ours]
    return {
        name: Spread.of([a / b for a, b in zip(mine, theirs, strict=True)])
        for name, theirs in values.items()
        if name != ours
    }


def say(line: str) -> None:
    """Progress, for whoever waits; never part of the result."""
    print(line, file=sys.stderr, flush=True)


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    model = next(
        (
            line.split(":", 1)[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        "unknown",
    )
    return {
        "processor": model,
        "cores": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "system": platform.platform(),
        "python": platform.python_version(),
        "load_before": os.getloadavg()[0],
    }


def plain(value: Any) -> Any:
    """For JSON."""
    if isinstance(value, Spread):
        return asdict(value)
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    return value
