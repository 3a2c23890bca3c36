"""``agentcom demo`` as a process: the same for the same seed, alive when it is not frozen, and nothing of it stays."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.harness.demo import Demo
from tests.harness.hub import REPOSITORY, is_running
from tests.harness.waiting import wait_for

#: What says which run this is, and not what it shows.
OF_THE_RUN = ("boot_id", "seq")


def state(demo: Demo) -> dict[str, Any]:
    """Everything that the API shows of fleet and work."""
    tasks = demo.all_tasks()
    return {
        "snapshot": {name: value for name, value in demo.snapshot().items() if name not in OF_THE_RUN},
        "tasks": [demo.task(task["id"]) for task in tasks],
        "dead": demo.get("/api/tasks/dead-letter").json,
        "agents": demo.get("/api/agents").json,
        "states": demo.get("/api/agents/states").json,
        "stats": demo.get("/api/tasks/stats").json,
        "health": demo.get("/api/health").json,
        "output": [demo.get(f"/api/dashboard/tasks/{task['id']}/output").json for task in tasks if task["assigned_to"]],
    }


def digest(shown: dict[str, Any]) -> dict[str, str]:
    return {name: hashlib.sha256(json.dumps(part).encode()).hexdigest() for name, part in shown.items()}


def test_a_frozen_demo_is_the_same_again_for_the_same_seed_and_another_for_another(tmp_path: Path) -> None:
    with Demo(tmp_path / "one", tasks=60) as one:
        first = state(one)
    with Demo(tmp_path / "two", tasks=60) as two:
        second = state(two)
        wait_for(lambda: two.snapshot()["uptime_ms"] > 0, 5)
        assert digest(state(two)) == digest(second), "it does not move"
    assert digest(first) == digest(second)
    assert first["snapshot"]["environment"] == "demo"
    assert first["snapshot"]["timestamp"] == 1_773_324_161_000
    assert {agent["fsm_state"] for agent in first["snapshot"]["agents"]} == {"working", "idle"}
    with Demo(tmp_path / "three", tasks=60, seed=8) as three:
        assert digest(state(three))["tasks"] != digest(first)["tasks"]


def test_a_live_demo_moves_and_finishes_what_its_past_left_open(tmp_path: Path) -> None:
    with Demo(tmp_path / "live", tasks=100, frozen=False) as demo:
        held = [task["id"] for task in demo.all_tasks() if task["status"] == "assigned"]
        before = demo.get("/api/tasks/stats").json["by_status"]["completed"]
        assert held and before > 50
        wait_for(lambda: demo.get("/api/tasks/stats").json["by_status"]["completed"] > before + 3, 60)
        wait_for(lambda: any(demo.task(task_id)["status"] == "completed" for task_id in held), 60)
        wait_for(lambda: sum(demo.get("/api/tasks/stats").json["by_status"].values()) > 100, 60)


def run(*arguments: str, folder: Path) -> subprocess.Popen[str]:
    argv = [sys.executable, "-m", "agentcom", "demo", "--port", "0", "--web-processes", "1", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), "TMPDIR": str(folder)}
    return subprocess.Popen(
        argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, cwd=folder
    )


def test_ctrl_c_ends_all_of_it_and_leaves_nothing(tmp_path: Path) -> None:
    temporary = tmp_path / ("deeper than the path of a socket may be " * 3).strip()
    temporary.mkdir()
    ready = tmp_path / "ready.json"
    process = run("--ready-file", str(ready), folder=temporary)
    wait_for(ready.exists, 60)
    where = json.loads(ready.read_text())
    [directory] = temporary.glob("agentcom-demo-*")
    assert (directory / "hub.db").exists()
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=20)
    assert process.returncode == 0
    assert out.startswith("DEMO: a simulated fleet, seed 7.") and where["url"] in out
    assert list(temporary.iterdir()) == []
    assert not any(is_running(pid) for pid in (where["hub_pid"], *where["web_pids"]))


@pytest.mark.parametrize("content", ["hub.db", "notes.txt"])
def test_a_directory_that_no_demo_has_made_is_refused_and_not_touched(tmp_path: Path, content: str) -> None:
    real = tmp_path / "real"
    real.mkdir()
    (real / content).write_text("precious")
    process = run("--data-dir", str(real), folder=tmp_path)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 5
    assert "holds data that no demo has written" in err
    assert (real / content).read_text() == "precious"


@pytest.mark.timeout(400)
def test_a_hundred_thousand_tasks_are_there_at_once(tmp_path: Path) -> None:
    with Demo(tmp_path / "big", tasks=100_000) as demo:
        stats = demo.get("/api/tasks/stats").json
        assert sum(stats["by_status"].values()) + stats["dead_letter"] == 100_000
