"""Job files: what is read, how mistakes are answered, and what the report says."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

import pytest

from agentcom.job import Job, JobError, parse_job, read_job
from agentcom.job_report import Report, markdown, outcome_of, summary_lines

TEXT = """
title = "Demo"
setup = ["python3", "prepare.py"]
[agents.shell-1]
capabilities = ["shell"]
command = ["python3", "agent.py", "-v"]
[[tasks]]
title = "one"
run = "true"
[[tasks]]
title = "two | bad"
run = "false"
lane = "urgent"
needs = ["shell"]
max_retries = 0
expect = "dead_letter"
"""


def job(tmp_path: Path, text: str = TEXT) -> Job:
    return parse_job(tomllib.loads(text), tmp_path / "demo.toml")


def test_files_beside_the_job_become_absolute_and_python_is_ours(tmp_path: Path) -> None:
    (tmp_path / "agent.py").touch()
    [agent] = job(tmp_path).agents
    assert agent.command == (sys.executable, str(tmp_path / "agent.py"), "-v")
    assert job(tmp_path).setup == (sys.executable, "prepare.py")


def test_a_task_is_submitted_with_its_command_and_folder(tmp_path: Path) -> None:
    body = job(tmp_path).tasks[1].body("/work")
    assert body["metadata"] == {"run": "false", "cwd": "/work", "title": "two | bad"}
    assert (body["priority"], body["needed_capabilities"], body["max_retries"]) == ("urgent", ["shell"], 0)


def test_a_command_may_be_a_list_of_arguments(tmp_path: Path) -> None:
    [first, _] = job(tmp_path, TEXT.replace('run = "true"', 'run = ["echo", "a b"]')).tasks
    assert first.body("/work")["metadata"] == {"run": ["echo", "a b"], "cwd": "/work", "title": "one"}


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('needs = ["shell"]', 'needs = ["gpu"]', "no agent can do"),
        ('lane = "urgent"', 'lane = "fast"', "lane"),
        ("max_retries = 0", "max_retries = true", "max_retries"),
        ("max_retries = 0", "retries = 0", "'retries'"),
        ('expect = "dead_letter"', 'expect = "dead"', "expect"),
        ("[agents.shell-1]", '[agents."../x"]', "name"),
        ('command = ["python3", "agent.py", "-v"]', "", "no command"),
        ('run = "true"', "", "run"),
        ('run = "true"', "run = []", "run"),
        ('run = "true"', "run = [1]", "run"),
        ('setup = ["python3", "prepare.py"]', 'setup = "make"', "setup"),
    ],
)
def test_mistakes_name_their_place(tmp_path: Path, old: str, new: str, expected: str) -> None:
    assert old in TEXT
    with pytest.raises(JobError, match=expected):
        job(tmp_path, TEXT.replace(old, new))


@pytest.mark.parametrize("text", ["title = 1", "title =", "", "[agents.a]\ncommand=['x']"])
def test_unusable_files_are_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "job.toml").write_text(text)
    with pytest.raises(JobError):
        read_job(tmp_path / "job.toml")
    with pytest.raises(JobError, match="no file"):
        read_job(tmp_path / "other.toml")


def report(tmp_path: Path, second_status: str) -> Report:
    wanted = job(tmp_path)
    history = [
        {"event": "completed", "timestamp": 3000, "details": {}},
        {"event": "assigned", "timestamp": 2000, "details": {"agent_id": "shell-1"}},
        {"event": "retry", "timestamp": 1900, "details": "exit 1"},
        {"event": "assigned", "timestamp": 1500, "details": {"agent_id": "shell-1"}},
        {"event": "queued", "timestamp": 1000, "details": "submitted"},
    ]
    first = {
        "id": "a",
        "status": "completed",
        "retry_count": 1,
        "created_at": 1000,
        "assigned_at": 2000,
        "history": history,
    }
    second = {"id": "b", "status": second_status, "retry_count": 0, "created_at": 1000, "last_error": "exit | 1\nx"}
    bodies = zip(wanted.tasks, (first, second), strict=True)
    return Report("Demo", 2.5, tuple(outcome_of(task, body) for task, body in bodies))


def test_times_come_from_the_history(tmp_path: Path) -> None:
    first, second = report(tmp_path, "dead_letter").outcomes
    assert (first.wait_s, first.work_s, first.agent, first.retries) == (0.5, 1.0, "shell-1", 1)
    assert (second.wait_s, second.work_s, second.agent) == (None, None, None)


def test_a_death_that_was_expected_is_a_success(tmp_path: Path) -> None:
    made = report(tmp_path, "dead_letter")
    assert made.is_as_expected and "as expected" in summary_lines(made)[0]
    assert not report(tmp_path, "completed").is_as_expected
    assert any("expected dead_letter" in line for line in summary_lines(report(tmp_path, "completed")))


def test_the_report_file_is_a_table_that_no_text_can_break(tmp_path: Path) -> None:
    text = markdown(job(tmp_path), report(tmp_path, "dead_letter"))
    [row] = [line for line in text.splitlines() if "bad" in line]
    assert "two \\| bad" in row and "exit \\| 1 x" in row
