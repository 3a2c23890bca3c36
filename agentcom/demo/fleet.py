"""The process of the simulated fleet: all its agents, who submits work to them, and what goes wrong from time to time.

Started by the hub's root beside the hub: ``python -m agentcom.demo.fleet DATA_DIR``. With a frozen demo it connects every agent
once, each at its own time on the stopped clock, and then holds still.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from agentcom import data_dir, stopped_clock
from agentcom.cli.session import find_url
from agentcom.client import HubClient, HubError, Json, quoted
from agentcom.demo import seeding
from agentcom.demo.agent import DemoAgent
from agentcom.demo.story import FLEET, LOST, SUBMITTERS, Story
from supervision.posix import die_with_parent

#: Written into the data directory when a frozen demo has reached the state in which it stays.
SETTLED_FILE = "demo.settled"

#: The clock of a frozen demo.
CLOCK_FILE = "demo.clock"

#: Seconds between two submissions, on average: what keeps the fleet busy.
ARRIVAL_S = 4.6

#: Every so often many come at once.
RUSH_EVERY_S = 150.0
RUSH_TASKS = 14

#: The script of mishaps; seconds from the start, repeated after ``SCRIPT_S``.
SCRIPT_S = 300.0
RETURN_OF_THE_LOST_S = 45.0
VANISHES_S, VANISHES_FOR_S, UNLUCKY = 120.0, 25.0, "builder-4"
LIMITED_S, LIMITED_FOR_S, LIMITED = 200.0, 50.0, "reviewer-2"

#: How often and how long it is looked whether the hub shows what was done.
LOOK_S = 0.02
LOOK_LIMIT_S = 30.0


class Fleet:
    """``run`` until it is cancelled."""

    def __init__(self, directory: Path, seeded: seeding.Seeded) -> None:
        self._directory = directory
        self._seeded = seeded
        self._story = Story(seeded.seed)
        self._chance = self._story.chance("submitting")
        self._agents: dict[str, DemoAgent] = {}
        self._submitters: dict[str, HubClient] = {}
        self._next_number = seeded.tasks

    async def run(self) -> None:
        while not (self._directory / data_dir.HUB_FILE).exists():  # the root ends us if the hub never starts
            await asyncio.sleep(LOOK_S)
        url = find_url(None, self._directory)
        async with asyncio.TaskGroup() as together:
            for member in FLEET:
                if not (self._seeded.frozen and self._is_absent(member.name)):
                    token = self._seeded.tokens[member.name]
                    agent = DemoAgent(url, member, token, self._story, is_frozen=self._seeded.frozen)
                    self._agents[member.name] = agent
            if self._seeded.frozen:
                await self._settle(together, HubClient(url, self._seeded.tokens[SUBMITTERS[0]]))
            else:
                await self._go_on(together, url)

    def _is_lost(self, name: str) -> bool:
        return name == LOST and self._seeded.lost_at is not None

    def _is_absent(self, name: str) -> bool:
        """Without tasks a frozen demo shows a hub on its first day."""
        return self._is_lost(name) or self._seeded.tasks == 0

    # --- frozen -------------------------------------------------------------------------------------------------------

    async def _settle(self, together: asyncio.TaskGroup, hub: HubClient) -> None:
        """Connect one agent after another, each at its own time on the stopped clock, so that every run shows the same."""
        now_ms, clock = self._seeded.now_ms, self._directory / CLOCK_FILE
        names = sorted(self._agents, key=lambda name: (self._connected_ago_ms(name), name), reverse=True)
        for name in names:
            agent, held = self._agents[name], self._seeded.held.get(name)
            stopped_clock.write(clock, now_ms - self._connected_ago_ms(name))
            together.create_task(agent.run())
            await self._until(hub, _shows(name, "assigned" if held is not None else "idle"))
            if held is not None:
                stopped_clock.write(clock, held.accepted_at)
                agent.hold(held)
                agent.report_state()
                await self._until(hub, _shows(name, "working"))
                agent.print_until_now()
        stopped_clock.write(clock, now_ms)
        if names:
            self._agents[names[-1]].say_status("connected")  # an event, because a snapshot is made anew only after one
            await self._until(hub, lambda shown: shown["timestamp"] == now_ms)
        (self._directory / SETTLED_FILE).touch()

    def _connected_ago_ms(self, name: str) -> int:
        """An agent that is idle came back when it was last done, so that what it shows agrees with what it did."""
        if name not in self._seeded.held and name in self._seeded.ended_at:
            return self._seeded.now_ms - self._seeded.ended_at[name]
        most = int(stopped_clock.UPTIME_S * 1000)
        return most - int(self._story.chance(f"connected:{name}").uniform(0.02, 0.5) * most)

    @staticmethod
    async def _until(hub: HubClient, fits: Callable[[Json], bool]) -> None:
        deadline = time.monotonic() + LOOK_LIMIT_S
        while not fits(await asyncio.to_thread(hub.get, "/api/dashboard/state")):
            if time.monotonic() >= deadline:
                raise TimeoutError("the hub does not show what was prepared")
            await asyncio.sleep(LOOK_S)

    # --- live ---------------------------------------------------------------------------------------------------------

    async def _go_on(self, together: asyncio.TaskGroup, url: str) -> None:
        """From where the past ended."""
        for name in SUBMITTERS:
            self._submitters[name] = HubClient(url, self._seeded.tokens[name])
        for name, agent in self._agents.items():
            held = self._seeded.held.get(name)
            if held is not None:
                agent.hold(held)
            agent.is_away = self._is_lost(name)
            together.create_task(agent.run())
        together.create_task(self._submit())
        together.create_task(self._mishaps())

    async def _submit(self) -> None:
        rush_at = time.monotonic() + RUSH_EVERY_S
        while True:
            await asyncio.sleep(self._chance.expovariate(1.0 / ARRIVAL_S))
            await self._submit_next()
            if time.monotonic() >= rush_at:
                rush_at += RUSH_EVERY_S
                for _ in range(RUSH_TASKS):
                    await self._submit_next()

    async def _submit_next(self) -> None:
        work = self._story.work(self._next_number)
        self._next_number += 1
        body = {
            "description": work.task.description,
            "priority": int(work.task.priority),
            "metadata": work.task.metadata,
            "needed_capabilities": list(work.task.needed_capabilities),
            "max_retries": work.task.max_retries,
        }
        hub = self._submitters[work.plan.submitter]
        with contextlib.suppress(HubError):  # the hub is starting again, or somebody stopped it
            submitted = await asyncio.to_thread(hub.post, "/api/tasks", body)
            if work.plan.is_cancelled:
                await asyncio.to_thread(hub.post, f"/api/tasks/{quoted(submitted['task_id'])}/cancel", {})

    async def _mishaps(self) -> None:
        """The same ones again and again, so that whoever watches for five minutes has seen all of them."""
        returns = asyncio.create_task(self._come_back(LOST, RETURN_OF_THE_LOST_S))
        while True:
            started = time.monotonic()
            await asyncio.sleep(VANISHES_S)
            self._agents[UNLUCKY].vanish()
            await self._come_back(UNLUCKY, VANISHES_FOR_S)
            await asyncio.sleep(max(0.0, started + LIMITED_S - time.monotonic()))
            limited = self._agents[LIMITED]
            limited.is_limited = True
            limited.say_status("limited by its provider")
            await asyncio.sleep(LIMITED_FOR_S)
            limited.is_limited = False
            limited.say_status("connected")
            await asyncio.sleep(max(0.0, started + SCRIPT_S - time.monotonic()))
            await returns

    async def _come_back(self, name: str, after_s: float) -> None:
        await asyncio.sleep(after_s)
        self._agents[name].is_away = False


def _shows(name: str, state: str) -> Callable[[Json], bool]:
    return lambda shown: any(one["agent_id"] == name and one["fsm_state"] == state for one in shown["agents"])


async def run(directory: Path) -> None:
    fleet = asyncio.create_task(Fleet(directory, seeding.read(directory)).run())
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, fleet.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await fleet


def main() -> int:
    die_with_parent(signal.SIGKILL, os.getppid())
    asyncio.run(run(Path(sys.argv[1])))
    return 0


if __name__ == "__main__":
    sys.exit(main())
