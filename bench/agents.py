"""Many connected agents: what each costs, what they cost while nothing happens, and how fast they are back."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.load_clients import Agent
from bench.measure import say
from bench.process_costs import cpu_s, resident_mib
from tests.harness.hub import Hub

SIZES = (100, 1_000, 10_000)
IDLE_S = 20.0
BACK_LIMIT_S = 120.0

#: Connections that are being made at the same time.
AT_ONCE = 50


def measure(runs: int) -> dict[str, Any]:
    """By number of agents, once each: KiB an agent over all processes, processor share while idle, return after kill -9."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    found = {}
    for size in SIZES:
        if size + 1_000 > hard:
            found[f"{size:,} agents"] = {"left out": f"only {hard} open files are allowed here"}
            continue
        say(f"  agents: {size:,}")
        with tempfile.TemporaryDirectory() as folder, Hub(Path(folder) / "data") as hub:
            found[f"{size:,} agents"] = asyncio.run(_measure(hub, size))
    return found


async def _measure(hub: Hub, size: int) -> dict[str, float]:
    pids = [hub.where()["pid"], hub.hub_pid, *hub.web_pids]
    before = sum(resident_mib(pid) for pid in pids)
    tokens = [hub.agent_token(f"bench-{number}") for number in range(size)]
    gate = asyncio.Semaphore(AT_ONCE)

    async def connect(number: int) -> Agent:
        async with gate:
            return await Agent(f"bench-{number}").connect(hub.url, tokens[number])

    started = time.perf_counter()
    agents = await asyncio.gather(*(connect(number) for number in range(size)))
    connected_s = time.perf_counter() - started
    await asyncio.sleep(3)
    kib = (sum(resident_mib(pid) for pid in pids) - before) * 1024 / size
    spent = cpu_s(pids)
    await asyncio.sleep(IDLE_S)
    idle = (cpu_s(pids) - spent) / IDLE_S
    old = hub.hub_pid
    os.kill(old, signal.SIGKILL)
    started = time.perf_counter()
    while time.perf_counter() - started < BACK_LIMIT_S:
        await asyncio.sleep(0.2)
        with_answer = await asyncio.to_thread(hub.get, "/health", token=None)
        if hub.hub_pid != old and with_answer.status == 200 and with_answer.json["agents_connected"] == size:
            break
    back_s = time.perf_counter() - started
    for agent in agents:
        agent.socket.close()
    return {"connected in, s": connected_s, "KiB an agent": kib, "idle, % of a core": idle * 100, "all back, s": back_s}
