"""The example job does what it says: each of its commands is run here, without a hub."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"
JOB = tomllib.loads((EXAMPLES / "first-job.toml").read_text("utf-8"))
LANES = {"urgent", "high", "normal", "low"}


def script(argv: list[str]) -> list[str]:
    return [sys.executable, str(EXAMPLES / argv[1]), *argv[2:]]


@pytest.fixture(scope="module")
def work_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("work")
    subprocess.run(script(JOB["setup"]), cwd=folder, check=True)
    return folder


def perform(run: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    task = {"task_id": "t", "generation": 1, "description": "d", "metadata": {"run": run, "cwd": str(cwd)}}
    command = script(JOB["agents"]["shell-1"]["command"])
    return subprocess.run(command, input=json.dumps(task), cwd=EXAMPLES, capture_output=True, text=True)


def test_every_task_has_an_agent_that_fits_and_every_lane_is_used() -> None:
    assert len(JOB["tasks"]) >= 12
    assert {task["lane"] for task in JOB["tasks"]} == LANES
    assert len({task["title"] for task in JOB["tasks"]}) == len(JOB["tasks"])
    for task in JOB["tasks"]:
        assert any(set(task["needs"]) <= set(agent["capabilities"]) for agent in JOB["agents"].values()), task
        assert set(task) <= {"title", "run", "lane", "needs", "max_retries", "expect"}


@pytest.mark.parametrize("task", JOB["tasks"], ids=lambda task: str(task["title"]))
def test_every_command_of_the_first_job_ends_as_expected(task: dict[str, Any], work_dir: Path) -> None:
    if task["title"] == "flaky-check":
        first = perform(task["run"], work_dir)
        assert first.returncode == 1 and "not yet" in first.stderr
    done = perform(task["run"], work_dir)
    if task.get("expect") == "dead_letter":
        assert done.returncode == 3 and "on purpose" in done.stderr
        return
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout.splitlines()[-1])
    assert result["exit"] == 0 and isinstance(result["output"], str)


@pytest.mark.parametrize("run", [None, "", [], ["a", 1], 5, {"a": 1}])
def test_a_task_without_a_usable_command_fails_with_a_reason(run: object, tmp_path: Path) -> None:
    done = perform(run, tmp_path)
    assert done.returncode == 2 and "metadata.run" in done.stderr


def test_a_program_that_does_not_exist_fails_with_a_reason(tmp_path: Path) -> None:
    done = perform(["no-such-program"], tmp_path)
    assert done.returncode == 127 and "cannot be run" in done.stderr


def test_the_sample_repository_is_not_made_over_somebodys_work(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("mine")
    done = subprocess.run(script(JOB["setup"]), cwd=tmp_path, env=dict(os.environ), capture_output=True, text=True)
    assert done.returncode == 1 and "empty folder" in done.stderr
    assert (tmp_path / "README.md").read_text() == "mine"
