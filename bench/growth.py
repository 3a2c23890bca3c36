"""What a hub costs and how fast it is with nothing, 1,000, 100,000 and 1,000,000 tasks queued, and after 100,000 finished."""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.load_clients import Http
from bench.measure import Spread, say
from bench.process_costs import quantile, resident_mib
from bench.tasks import TASK, Shape, run, submit
from tests.harness.hub import Hub

SIZES = (0, 1_000, 100_000, 1_000_000)

#: Only these agents can do what is queued behind, so that the measured tasks are others, of the same lane.
BURIED = {**TASK, "needed_capabilities": ["nobody-has-this"]}

MEASURED = Shape(agents=2, slots=256, tasks=15_000, bulk=250, in_flight=4)
SNAPSHOTS = 300
SINGLE_SUBMITS = 500


def measure(runs: int) -> dict[str, Any]:
    """By number of queued tasks: start in seconds, resident MiB of the hub, tasks a second, p99 in ms."""
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        hub = Hub(Path(folder) / "data", "--max-queued", "2000000", web_processes=1)
        queued = 0
        for size in SIZES:
            say(f"  growth: {size:,} queued")
            with hub:
                asyncio.run(submit(hub, size - queued, 500, 4, BURIED))
            queued = size
            started = time.perf_counter()
            with hub:
                found[f"{size:,} queued"] = {
                    "start, s": time.perf_counter() - started,
                    "hub, resident MiB": resident_mib(hub.hub_pid),
                    "tasks a second": Spread.of([asyncio.run(run(hub, MEASURED)) for _ in range(runs)]),
                    "submit p99, ms": asyncio.run(requests(hub, "POST", "/api/tasks", SINGLE_SUBMITS, BURIED)),
                    "snapshot p99, ms": asyncio.run(requests(hub, "GET", "/api/dashboard/state", SNAPSHOTS)),
                }
    found["finished"] = after_finished(runs)
    return found


def after_finished(runs: int) -> dict[str, Any]:
    """One hub: at first, and after 100,000 finished tasks."""
    many = Shape(agents=2, slots=256, tasks=100_000, bulk=250, in_flight=4)
    with tempfile.TemporaryDirectory() as folder, Hub(Path(folder) / "data", web_processes=1) as hub:
        before = [asyncio.run(run(hub, MEASURED)) for _ in range(runs)]
        asyncio.run(run(hub, many))
        after = [asyncio.run(run(hub, MEASURED)) for _ in range(runs)]
    share = Spread.of([b / a for a, b in zip(before, after, strict=True)])
    return {"tasks a second at first": Spread.of(before), "after 100,000 more": Spread.of(after), "share": share}


async def requests(hub: Hub, method: str, path: str, count: int, body: object = None) -> float:
    """p99 of one request after the other, in ms."""
    http = await Http.connect(hub.url, hub.admin_token)
    times = []
    for _ in range(count):
        started = time.perf_counter()
        status, _answer = await http.request(method, path, body)
        times.append(time.perf_counter() - started)
        assert status in (200, 201), status
    http.close()
    return quantile(times, 0.99) * 1000
