"""A process that dies while a task prints costs lines at most, and never a result."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

from tests.harness.hub import Hub
from tests.harness.waiting import wait_for
from tests.harness.worker import Worker, waits_for

PRINTS = (
    "n = 0\nwhile not (Path(task['metadata']['folder']) / 'go').exists(): n += 1; print('line', n); time.sleep(0.005)\n"
)


def output(hub: Hub, task_id: str) -> dict[str, Any]:
    answer = hub.get(f"/api/dashboard/tasks/{task_id}/output?limit=5000", token=None)
    found: dict[str, Any] = answer.json
    return found if answer.status == 200 else {"last_seq": 0, "parts": []}


def check_numbers(found: dict[str, Any]) -> None:
    """Every line that is there has its own number, whatever was lost."""
    for part in found["parts"]:
        for offset, (_, text) in enumerate(part["lines"]):
            assert not text.startswith("line ") or text == f"line {part['first_seq'] + offset}"


def test_a_hub_that_is_killed_while_a_task_prints_loses_lines_only(tmp_path: Path) -> None:
    with Hub(tmp_path / "data") as hub, Worker(hub, tmp_path / "worker", "worker") as worker:
        task_id = worker.submit(PRINTS + "print('the end'); print(json.dumps({'lines': n}))")
        wait_for(lambda: output(hub, task_id)["last_seq"] > 20, 30, "some lines")
        before = hub.hub_pid
        os.kill(before, signal.SIGKILL)
        wait_for(lambda: hub.hub_pid != before, 30, "the new hub")
        wait_for(lambda: output(hub, task_id)["last_seq"] > 20, 30, "lines at the new hub")
        assert hub.task(task_id)["generation"] == 1, "nobody's work is repeated"
        worker.note("go").touch()
        result = hub.wait_for_status(task_id, "completed", 30)["result"]
        found = output(hub, task_id)
        check_numbers(found)
        assert found["last_seq"] == result["lines"] + 2
        assert found["kept_from"] > 1, "what the old hub had is gone, and that is seen"


def test_a_web_process_that_is_killed_while_a_task_prints_loses_lines_only(tmp_path: Path) -> None:
    with Hub(tmp_path / "data", web_processes=1) as hub, Worker(hub, tmp_path / "worker", "worker") as worker:
        task_id = worker.submit(PRINTS + "print(json.dumps({'lines': n}))")
        wait_for(lambda: output(hub, task_id)["last_seq"] > 20, 30, "some lines")
        before = hub.web_pids
        os.kill(before[0], signal.SIGKILL)
        wait_for(lambda: hub.web_pids != before, 30, "the new web process")
        worker.note("go").touch()
        task = hub.wait_for_status(task_id, "completed", 60)
        assert (task["generation"], task["retry_count"]) == (1, 0)
        assert task["result"]["lines"] > 20


def test_a_sidecar_that_is_killed_while_a_task_prints_does_it_again_and_both_outputs_are_there(tmp_path: Path) -> None:
    program = "print('line 1')" + waits_for("go") + "print('line 2')"
    with Hub(tmp_path / "data", "--grace", "2s") as hub, Worker(hub, tmp_path / "worker", "worker") as worker:
        task_id = worker.submit(program)
        wait_for(lambda: output(hub, task_id)["last_seq"] == 1, 30, "the first line")
        worker.kill()
        worker.note("go").touch()
        worker.start()
        task = hub.wait_for_status(task_id, "completed", 60)
        assert [one["generation"] for one in output(hub, task_id)["attempts"]] == [1, task["generation"]]
        check_numbers(output(hub, task_id))
        assert output(hub, task_id)["last_seq"] == 2


def test_the_last_lines_of_a_finished_task_are_there_after_the_hub_was_stopped_and_after_it_was_killed(
    tmp_path: Path,
) -> None:
    with Hub(tmp_path / "data") as hub:
        with Worker(hub, tmp_path / "worker", "worker") as worker:
            task_id = worker.submit("for n in range(1, 4): print('line', n)")
            hub.wait_for_status(task_id, "completed", 30)
            wait_for(lambda: output(hub, task_id)["last_seq"] == 3, 30, "its lines")
        hub.stop()
        hub.start()
        found = output(hub, task_id)
        check_numbers(found)
        assert (found["kept_from"], found["last_seq"], found["agent_id"]) == (1, 3, "worker")
        before = hub.hub_pid
        os.kill(before, signal.SIGKILL)
        wait_for(lambda: hub.hub_pid != before, 30, "the new hub")
        wait_for(lambda: output(hub, task_id)["last_seq"] == 3, 30, "the same lines")
