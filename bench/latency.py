"""Submit -> the agent has it -> completed, at a fixed rate: an answer that is late does not put off the next submit."""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.load_clients import Agent, Http, decode
from bench.measure import Spread, say
from bench.process_costs import cpu_s, quantile, resident_mib
from bench.tasks import TASK, Shape, run
from tests.harness.hub import Hub

#: Share of what the same hub did at full speed with one submit a request.
LOADS = (0.01, 0.5, 0.9)
SECONDS = 8.0
IDLE_S = 20.0


def measure(runs: int) -> dict[str, Any]:
    """Milliseconds by load, and what an idle hub costs."""
    found: dict[str, Any] = {"idle hub": idle(), "after its agent was killed, grace 0, s": Spread.of(taken_over(runs))}
    with tempfile.TemporaryDirectory() as folder, Hub(Path(folder) / "data", web_processes=1) as hub:
        capacity = asyncio.run(run(hub, Shape(agents=2, slots=64, tasks=4_000, bulk=1, in_flight=64)))
        found["capacity with one submit a request"] = capacity
        for load in LOADS:
            say(f"  latency at {load:.0%} of {capacity:,.0f}/s")
            rounds = [asyncio.run(_at(hub, capacity * load)) for _ in range(runs)]
            found[f"{load:.0%} of capacity, ms"] = {
                name: Spread.of([one[name] for one in rounds]) for name in rounds[0]
            }
    return found


def idle() -> dict[str, float]:
    """Nobody is connected."""
    with tempfile.TemporaryDirectory() as folder, Hub(Path(folder) / "data") as hub:
        pids = [hub.where()["pid"], hub.hub_pid, *hub.web_pids]
        time.sleep(3)
        before = cpu_s(pids)
        time.sleep(IDLE_S)
        spent = (cpu_s(pids) - before) / IDLE_S
        return {"% of a core": spent * 100, "all processes, MiB": sum(resident_mib(pid) for pid in pids)}


def taken_over(runs: int) -> list[float]:
    """Seconds from the end of an agent's connection until another agent has its task."""
    with tempfile.TemporaryDirectory() as folder, Hub(Path(folder) / "data", "--grace", "0s") as hub:
        return [asyncio.run(_take_over(hub, number)) for number in range(runs)]


async def _take_over(hub: Hub, number: int) -> float:
    loop = asyncio.get_running_loop()
    held, taken = loop.create_future(), loop.create_future()
    killed = Agent("killed", on_assigned=held.set_result, holds=True)
    await killed.connect(hub.url, hub.agent_token("killed"))
    http = await Http.connect(hub.url, hub.admin_token)
    await http.request("POST", "/api/tasks", {"description": f"taken over {number}"})
    await held
    await asyncio.sleep(0.2)
    heir = Agent("heir", on_assigned=lambda _: taken.set_result(loop.time()))
    await heir.connect(hub.url, hub.agent_token("heir"))
    started = loop.time()
    killed.socket.abort()
    seconds = await asyncio.wait_for(taken, 60) - started
    await asyncio.sleep(0.2)
    heir.socket.close()
    http.close()
    return float(seconds)


async def _at(hub: Hub, rate: float) -> dict[str, float]:
    """Submits follow a clock, whatever the answers do; each is measured from when it was due."""
    loop = asyncio.get_running_loop()
    due: dict[str, float] = {}
    assigned: dict[str, float] = {}
    taken: list[float] = []
    ended: list[float] = []

    def got(task_id: str) -> None:
        assigned[task_id] = loop.time()

    agents = []
    for number in range(2):
        agent = Agent(f"late-{number}", slots=64, on_assigned=got)
        agents.append(await agent.connect(hub.url, hub.agent_token(f"late-{number}")))
    connections = [await Http.connect(hub.url, hub.admin_token) for _ in range(16)]
    count = max(50, int(rate * SECONDS))
    start = loop.time() + 0.2

    async def submit(number: int, at: float) -> None:
        _, answer = await connections[number % len(connections)].request("POST", "/api/tasks", TASK)
        ended.append(loop.time() - at)
        due[decode(answer)["task_id"]] = at

    waiting = []
    for number in range(count):
        at = start + number / rate
        if (delay := at - loop.time()) > 0:
            await asyncio.sleep(delay)
        waiting.append(asyncio.create_task(submit(number, at)))
    await asyncio.gather(*waiting)
    deadline = loop.time() + 30
    while len(assigned) < count and loop.time() < deadline:
        await asyncio.sleep(0.01)
    taken = [assigned[task_id] - at for task_id, at in due.items() if task_id in assigned]
    assert len(taken) == count, f"{count - len(taken)} tasks never came"
    for agent in agents:
        agent.socket.close()
    for connection in connections:
        connection.close()
    return {
        "accepted p50": quantile(ended, 0.5) * 1000,
        "accepted p99": quantile(ended, 0.99) * 1000,
        "agent has it p50": quantile(taken, 0.5) * 1000,
        "agent has it p99": quantile(taken, 0.99) * 1000,
    }
