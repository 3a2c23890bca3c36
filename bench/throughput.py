"""Durable tasks a second, end to end: accepted, assigned, completed and acknowledged, each synced before it is answered."""

from __future__ import annotations

import asyncio
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from bench.load_clients import Agent, Http, decode
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


async def submit(hub: Hub, tasks: int, bulk: int, in_flight: int) -> float:
    """Submit so many; accepts a second."""
    left = tasks
    body = [{"description": "benchmark", "metadata": {"n": 1}}] * bulk
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


def main() -> None:
    import sys

    shape = SINGLE if "single" in sys.argv else SLOTTED
    with tempfile.TemporaryDirectory() as folder, Hub(Path(folder) / "data", web_processes=1) as hub:
        for _ in range(3):
            if "accept" in sys.argv:
                print(f"{asyncio.run(submit(hub, 40_000, 500, 4)):,.0f} accepts/s")
            else:
                print(f"{asyncio.run(run(hub, shape)):,.0f} tasks/s")
        for pid, what in [(hub.hub_pid, "hub"), (hub.web_pids[0], "web")]:
            fields = Path(f"/proc/{pid}/stat").read_text().rsplit(") ")[1].split()
            print(what, "cpu s", (int(fields[11]) + int(fields[12])) / 100)


if __name__ == "__main__":
    main()
