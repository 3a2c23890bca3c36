"""Durable tasks a second, end to end: accepted, assigned, completed and acknowledged, each synced before it is answered."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from bench.load_clients import Agent, Http, decode
from bench.measure import Measure, Spread, in_turn, ratios
from bench.process_costs import cpu_s
from tests.harness.hub import Hub


@dataclass(frozen=True)
class Shape:
    """Who works and who submits."""

    agents: int
    slots: int
    tasks: int
    bulk: int
    """Tasks in one HTTP request."""
    in_flight: int
    """Requests that wait for an answer at the same time."""


SLOTTED = Shape(agents=2, slots=256, tasks=40_000, bulk=250, in_flight=4)
SINGLE = Shape(agents=100, slots=1, tasks=15_000, bulk=250, in_flight=2)


TASK = {"description": "benchmark", "metadata": {"n": 1}}


async def run(hub: Hub, shape: Shape) -> float:
    """Tasks a second from the first submit to the last acknowledged completion."""
    done = asyncio.Event()
    total = 0

    def completed() -> None:
        nonlocal total
        total += 1
        if total == shape.tasks:
            done.set()

    agents = []
    for number in range(shape.agents):
        name = f"bench-{number}"
        agent = Agent(name, slots=shape.slots)
        agent.on_completed = completed
        agents.append(await agent.connect(hub.url, hub.agent_token(name)))
    await asyncio.sleep(0.3)
    started = time.perf_counter()
    submits = asyncio.create_task(submit(hub, shape.tasks, shape.bulk, shape.in_flight))
    await asyncio.wait_for(done.wait(), 300)
    seconds = time.perf_counter() - started
    await submits
    for agent in agents:
        agent.socket.close()
    return shape.tasks / seconds


async def submit(hub: Hub, tasks: int, bulk: int, in_flight: int, task: object = TASK) -> float:
    """Submit so many; accepts a second."""
    left = tasks
    body = [task] * bulk
    started = time.perf_counter()

    async def one() -> None:
        nonlocal left
        http = await Http.connect(hub.url, hub.admin_token)
        while left > 0:
            count = min(bulk, left)
            left -= count
            status, answer = await http.request("POST", "/api/tasks/bulk", body[:count])
            assert status == 201, (status, answer[:300])
            assert len(decode(answer)["results"]) == count
        http.close()

    await asyncio.gather(*(one() for _ in range(in_flight)))
    return tasks / (time.perf_counter() - started)


async def submit_singly(hub: Hub, tasks: int, connections: int) -> float:
    """One task a request, each connection waits for its answer; accepts a second."""
    left = tasks
    started = time.perf_counter()

    async def one() -> None:
        nonlocal left
        http = await Http.connect(hub.url, hub.admin_token)
        while left > 0:
            left -= 1
            status, answer = await http.request("POST", "/api/tasks", TASK)
            assert status == 201, (status, answer[:300])
        http.close()

    await asyncio.gather(*(one() for _ in range(connections)))
    return tasks / (time.perf_counter() - started)


# --- beside others ---------------------------------------------------------------------------------------------------

#: Peer -> tasks of one run: a few seconds each.
PEERS = {"huey": 6_000, "dramatiq": 5_000, "celery": 3_000, "rq": 1_000, "procrastinate": 2_000}

#: Of our own: what is measured in a hub of its own each time.
OURS: dict[str, Callable[[Hub], Coroutine[None, None, float]]] = {
    "end to end, 2 agents of 256 slots": lambda hub: run(hub, SLOTTED),
    "end to end, 100 agents of one slot": lambda hub: run(hub, SINGLE),
    "accepted, in requests of 500": lambda hub: submit(hub, 50_000, 500, 4),
    "accepted, one a request, 64 connections": lambda hub: submit_singly(hub, 8_000, 64),
}


def measure(runs: int) -> dict[str, Any]:
    """Tasks a second, all synced: ours, the peers', and how many times theirs."""
    first, *rest = OURS
    beside: dict[str, Measure] = {"ours": partial(in_new_hub, OURS[first])}
    beside |= {name: partial(peer, name, count) for name, count in PEERS.items()}
    values = in_turn(beside, runs)
    alone = in_turn({name: partial(in_new_hub, OURS[name]) for name in rest}, runs)
    return {
        first: Spread.of(values["ours"]),
        **{name: Spread.of(of) for name, of in alone.items()},
        "peers, durable": {name: Spread.of(of) for name, of in values.items() if name != "ours"},
        "ours against": ratios(values, "ours"),
        "processor time of a task, µs": costs(),
    }


def costs() -> dict[str, float]:
    """Where the time of one task goes, by process; together they share two cores."""
    with tempfile.TemporaryDirectory() as folder, Hub(Path(folder) / "data", web_processes=1) as hub:
        asyncio.run(run(hub, SLOTTED))
        processes = {"hub": [hub.hub_pid], "web": hub.web_pids, "clients": [os.getpid()]}
        before = {name: cpu_s(pids) for name, pids in processes.items()}
        asyncio.run(run(hub, SLOTTED))
        return {name: (cpu_s(pids) - before[name]) / SLOTTED.tasks * 1e6 for name, pids in processes.items()}


def in_new_hub(work: Callable[[Hub], Coroutine[None, None, float]]) -> float:
    with tempfile.TemporaryDirectory() as folder, Hub(Path(folder) / "data", web_processes=1) as hub:
        return asyncio.run(work(hub))


def peer(name: str, count: int) -> float | None:
    """None: it is not installed here."""
    argv = [sys.executable, "-m", "bench.peers", name, str(count)]
    run = subprocess.run(argv, capture_output=True, text=True, timeout=400, check=False)
    return float(run.stdout.split()[-1]) if run.returncode == 0 else None
