"""Orders to real agents: they hold when the hub is killed, and a code lets a real sidecar in once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.harness.fleet import Fleet
from tests.harness.hub import REPOSITORY, Hub, is_running
from tests.harness.waiting import wait_for


def mode_of(hub: Hub, name: str) -> str | None:
    answer = hub.get("/api/agents")
    modes = {one["agent_id"]: one["mode"] for one in answer.json["agents"]} if answer.status == 200 else {}
    return modes.get(name)


def workers(hub: Hub) -> set[str]:
    return {task["result"]["by"] for task in hub.all_tasks() if task["status"] == "completed"}


@pytest.mark.parametrize(("order", "mode"), [("drain", "drained"), ("pause", "paused")])
def test_an_order_survives_a_hub_that_is_killed_and_others_do_the_work(tmp_path: Path, order: str, mode: str) -> None:
    with Hub(tmp_path / "data", "--grace", "1s") as hub, Fleet(hub, tmp_path / "fleet") as fleet:
        fleet.add("out", work_ms=5)
        fleet.add("in", work_ms=5)
        wait_for(lambda: fleet.online() == 2)
        assert hub.post(f"/api/agents/out/{order}").json["mode"] in (mode, "draining")
        killed = hub.hub_pid
        os.kill(killed, signal.SIGKILL)
        wait_for(lambda: not is_running(killed) and hub.get("/health").status == 200, 30, "the next hub")
        wait_for(lambda: mode_of(hub, "out") == mode, 20, "the order being known again")
        tasks = [hub.submit(f"task {number}") for number in range(20)]
        for task_id in tasks:
            hub.wait_for_status(task_id, "completed")
        assert workers(hub) == {"in"}
        fleet.kill("out")
        wait_for(lambda: mode_of(hub, "out") is None, 20, "the end of its grace")
        assert hub.get("/api/health").json["status"] == "ok"
        hub.post("/api/agents/out/resume")
        fleet.restart("out")
        last = hub.submit("for the one that was out", assign_to="out")
        assert hub.wait_for_status(last, "completed")["assigned_to"] == "out"


def test_a_code_lets_one_real_agent_in_and_its_token_serves_for_the_next_start(tmp_path: Path) -> None:
    with Hub(tmp_path / "data", "--grace", "1s") as hub:
        code = hub.post("/api/onboard/codes", token=None, headers={"Origin": hub.url}).json["code"]
        first = joined(hub, tmp_path, "--code", code)
        try:
            task_id = hub.submit("hello", needed_capabilities=["joined"])
            assert hub.wait_for_status(task_id, "completed")["assigned_to"] == "newcomer"
        finally:
            stopped(first)
        second = joined(hub, tmp_path)
        try:
            wait_for(lambda: mode_of(hub, "newcomer") == "active", 20, "its coming back")
        finally:
            stopped(second)
        token_file = tmp_path / "newcomer" / "agent.token"
        assert token_file.stat().st_mode & 0o077 == 0
        other = subprocess.run(
            argv(hub, tmp_path / "other", "other", "--code", code),
            env=environment(),
            capture_output=True,
            timeout=60,
            text=True,
        )
        assert other.returncode == 4 and "used" in other.stderr
        actions = [
            (one["action"], one["actor"]) for one in hub.get("/api/dashboard/audit?action=agent.join").json["entries"]
        ]
        assert ("agent.join", "newcomer") in actions and ("agent.join_code", "dashboard") in actions


def argv(hub: Hub, state_dir: Path, name: str, *options: str) -> list[str]:
    words = [sys.executable, "-m", "agentcom", "agent", "join", hub.url, "--name", name, "--cap", "joined"]
    return [*words, "--state-dir", str(state_dir), *options, "--", sys.executable, "-c", "print('done')"]


def environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AGENTCOM_")}
    return {**kept, "PYTHONPATH": str(REPOSITORY)}


def joined(hub: Hub, folder: Path, *options: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        argv(hub, folder / "newcomer", "newcomer", *options), env=environment(), stdin=subprocess.DEVNULL
    )


def stopped(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(timeout=20)
    finally:
        process.kill()
        process.wait(timeout=10)
