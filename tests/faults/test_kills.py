"""SIGKILL of every kind of process: what was accepted survives, what lives keeps its connections, nothing is left behind."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
import urllib.error
from pathlib import Path
from typing import Self

import pytest

from tests.harness.fleet import Fleet
from tests.harness.hub import Hub, is_running
from tests.harness.judge import faults
from tests.harness.waiting import wait_for


def test_killing_the_root_leaves_no_process_and_a_new_start_finds_every_task(tmp_path: Path) -> None:
    with Hub(tmp_path / "data") as hub, Fleet(hub, tmp_path / "fleet") as fleet:
        fleet.add("worker", work_ms=60_000)
        wait_for(lambda: fleet.online() == 1)
        accepted = {hub.submit(f"task {n}") for n in range(20)}
        wait_for(lambda: any(task["status"] == "assigned" for task in hub.all_tasks()))
        assert hub.process is not None
        family = [hub.process.pid, hub.hub_pid, *hub.web_pids]
        hub.process.kill()
        hub.process.wait(timeout=10)
        wait_for(lambda: not any(is_running(pid) for pid in family), 10, "the end of every process")
        hub.start()
        assert {task["id"] for task in hub.all_tasks()} == accepted


def test_a_killed_hub_comes_back_while_agents_keep_their_connection_and_their_work(tmp_path: Path) -> None:
    with Hub(tmp_path / "data") as hub, Fleet(hub, tmp_path / "fleet") as fleet:
        fleet.add("worker", work_ms=3000)
        wait_for(lambda: fleet.online() == 1)
        task_id = hub.submit("outlive the hub")
        wait_for(
            lambda: any(
                entry["what"] == "sent" and entry["frame"]["type"] == "task_accepted" for entry in fleet.history()
            )
        )
        before = hub.hub_pid
        os.kill(before, signal.SIGKILL)
        wait_for(lambda: hub.get("/api/tasks").status == 503 or hub.hub_pid != before, 5, "503 or a new hub")
        wait_for(lambda: hub.hub_pid != before and hub.get("/api/tasks").status == 200, 10, "the new hub")
        task = hub.wait_for_status(task_id, "completed")
        assert task["generation"] == 1, "the work was repeated"
        assert sum(entry["what"] == "connected" for entry in fleet.history()) == 1


def test_a_killed_web_process_costs_only_its_own_connections(tmp_path: Path) -> None:
    with Hub(tmp_path / "data", web_processes=2) as hub:
        victim = hub.web_pids[0]
        os.kill(victim, signal.SIGKILL)
        # No pause: while one web process lives, no connect is refused.
        assert [hub.get("/health", token=None).status for _ in range(50)] == [200] * 50
        wait_for(lambda: victim not in hub.web_pids and len(hub.web_pids) == 2, 10, "a new web process")


def test_a_second_hub_refuses_the_data_directory(tmp_path: Path) -> None:
    with Hub(tmp_path / "data") as hub:
        import subprocess
        import sys

        argv = [sys.executable, "-m", "agentcom", "serve", "--port", "0", "--data-dir", str(hub.data_dir)]
        second = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
        assert second.returncode == 5
        assert "in use by another agentcom hub" in second.stderr
        assert "Traceback" not in second.stderr


class Chaos:
    """Kills a random process every second until it is told to stop."""

    def __init__(self, hub: Hub, fleet: Fleet, names: list[str], seed: int, period_s: float) -> None:
        self._hub, self._fleet, self._names = hub, fleet, names
        self._random = random.Random(seed)
        self._period_s = period_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.kills: list[str] = []
        self.away_s: list[float] = []
        self.killed_webs = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(60)

    def _run(self) -> None:
        while not self._stop.wait(self._period_s):
            kind = self._random.choice(["hub", "web", "agent"])
            self.kills.append(kind)
            if kind == "agent":
                self._fleet.restart(self._random.choice(self._names))
            elif kind == "web":
                self.killed_webs += 1
                self._kill(self._random.choice(self._hub.web_pids))
            else:
                self._kill_hub()

    def _kill(self, pid: int) -> None:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            self.kills.pop()

    def _kill_hub(self) -> None:
        before = self._hub.hub_pid
        start = time.monotonic()
        self._kill(before)
        wait_for(lambda: self._hub.hub_pid != before and self._answers(), 30, "the hub's return")
        self.away_s.append(time.monotonic() - start)

    def _answers(self) -> bool:
        try:
            return self._hub.get("/api/tasks/stats", timeout_s=5).status == 200
        except (urllib.error.URLError, OSError):
            return False


def submit_surely(hub: Hub, number: int) -> str:
    """Submit with a key until a 2xx is read: an outcome that is unknown may be tried again."""
    body = {"description": f"task {number}", "priority": ["urgent", "high", "normal", "low"][number % 4]}
    deadline = time.monotonic() + 60
    while True:
        try:
            answer = hub.post("/api/tasks", body, headers={"Idempotency-Key": f"key-{number}"}, timeout_s=5)
            if answer.status in (200, 201):
                return str(answer.json["task_id"])
            assert answer.status in (500, 503), (answer.status, answer.json)
        except (urllib.error.URLError, OSError):
            pass  # the web process died with our request
        assert time.monotonic() < deadline, "no answer for 60 s"
        time.sleep(0.05)


@pytest.mark.timeout(600)
def test_nothing_is_lost_or_done_twice_while_processes_are_killed_every_second(
    tmp_path: Path, chaos_size: tuple[int, int]
) -> None:
    agents, tasks = chaos_size
    with Hub(tmp_path / "data", "--grace", "5s") as hub, Fleet(hub, tmp_path / "fleet") as fleet:
        names = [f"agent-{number:02d}" for number in range(agents)]
        for name in names:
            fleet.add(name, work_ms=300)
        wait_for(lambda: fleet.online() == agents, 120, "the fleet")
        with Chaos(hub, fleet, names, seed=7, period_s=1.0) as chaos:
            accepted = {submit_surely(hub, number) for number in range(tasks)}
            assert len(accepted) == tasks
            wait_for(lambda: _settled(hub, tasks), 300, "every task being final")
        final = hub.all_tasks()
        assert faults(accepted, fleet.history(), final) == []
        for name in names:  # a connection ends only with its own web process or with the agent itself
            ended = sum(entry["what"] == "disconnected" for entry in fleet.history(name))
            assert ended <= chaos.killed_webs, f"{name} had to reconnect {ended} times"
        dead = [task["last_error"] for task in final if task["status"] == "dead_letter"]
        assert len(dead) <= len(chaos.kills), dead
        print(f"{tasks} tasks, {agents} agents, kills {chaos.kills}, hub away {[round(s, 2) for s in chaos.away_s]} s")
        if chaos.away_s:
            assert sorted(chaos.away_s)[len(chaos.away_s) // 2] < 10


def _settled(hub: Hub, tasks: int) -> bool:
    try:
        queue = hub.snapshot()["queue"]
    except (AssertionError, urllib.error.URLError, OSError):
        return False
    return int(queue["by_status"]["completed"]) + int(queue["dead_letter"]) >= tasks


@pytest.fixture
def chaos_size(request: pytest.FixtureRequest) -> tuple[int, int]:
    """(agents, tasks): the gate's size, or the full one with ``--full``."""
    return (50, 2000) if request.config.getoption("--full") else (12, 400)
