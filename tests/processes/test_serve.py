"""``agentcom serve`` as an operator meets it: starting, refusing to start, stopping, and what it leaves behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.harness.hub import REPOSITORY, Hub, is_running
from tests.harness.socket import Socket
from tests.harness.waiting import wait_for


def serve(folder: Path, *flags: str) -> subprocess.CompletedProcess[str]:
    """A start that is expected to be refused."""
    argv = [sys.executable, "-m", "agentcom", "serve", "--data-dir", str(folder / "data"), *flags]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    return subprocess.run(argv, capture_output=True, text=True, timeout=60, env=environment, cwd=folder, check=False)


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_everything_in_order_and_cleanly(tmp_path: Path, signum: int) -> None:
    with Hub(tmp_path / "data") as hub:
        task_id = hub.submit("stay")
        agent = Socket(f"{hub.ws_url}/ws")
        agent.ask(type="identify", agent_id="a", token=hub.agent_token("a"))
        family = [hub.hub_pid, *hub.web_pids]
        assert hub.process is not None
        hub.process.send_signal(signum)
        assert agent.closed() == 1001
        assert hub.process.wait(timeout=15) == 0
        assert not any(is_running(pid) for pid in family)
        assert not (tmp_path / "data" / "hub.json").exists()
        hub.start()
        assert hub.task(task_id)["status"] in ("queued", "assigned")


def test_a_second_signal_does_not_wait(tmp_path: Path) -> None:
    """Case 220."""
    with Hub(tmp_path / "data") as hub:
        family = [hub.hub_pid, *hub.web_pids]
        assert hub.process is not None
        os.kill(hub.hub_pid, signal.SIGSTOP)  # a hub that would not stop by itself
        hub.process.send_signal(signal.SIGINT)
        wait_for(lambda: "stopping" in hub.log(), 5)  # two signals at once are one
        hub.process.send_signal(signal.SIGINT)
        hub.process.wait(timeout=8)
        wait_for(lambda: not any(is_running(pid) for pid in family), 5)


def test_the_ready_file_follows_the_processes(tmp_path: Path) -> None:
    with Hub(tmp_path / "data") as hub:
        before = hub.where()
        assert set(before) == {"url", "pid", "hub_pid", "web_pids"}
        os.kill(before["web_pids"][0], signal.SIGKILL)
        wait_for(lambda: hub.where()["web_pids"] != before["web_pids"], 15)
        after = hub.where()
        assert (after["url"], after["hub_pid"]) == (before["url"], before["hub_pid"])


def test_an_explicit_port_that_is_taken_is_refused_and_says_what_to_type(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        refused = serve(tmp_path, "--port", str(taken.getsockname()[1]))
    assert refused.returncode == 5
    assert "is taken" in refused.stderr and "--port 0" in refused.stderr
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize(
    ("flags", "status", "words"),
    [
        (("--host", "0.0.0.0"), 2, "--insecure-lan"),
        (("--port", "70000"), 2, "port"),
        (("--grace", "soon"), 2, "grace"),
        (("--no-such-flag",), 2, "no-such-flag"),
    ],
)
def test_a_bad_setting_is_refused_with_the_way_out(
    tmp_path: Path, flags: tuple[str, ...], status: int, words: str
) -> None:
    refused = serve(tmp_path, *flags)
    assert (refused.returncode, words in refused.stderr) == (status, True), refused.stderr
    assert "Traceback" not in refused.stderr
    assert not (tmp_path / "data" / "hub.db").exists()


def test_a_damaged_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    """Never an empty start, never a deletion (D5)."""
    (tmp_path / "data").mkdir()
    database = tmp_path / "data" / "hub.db"
    database.write_bytes(b"this was a database once" * 100)
    before = database.read_bytes()
    refused = serve(tmp_path, "--port", "0")
    assert refused.returncode == 1
    assert database.read_bytes() == before
    assert "hub.db" in refused.stderr


def test_an_admin_token_that_others_can_read_is_refused(tmp_path: Path) -> None:
    with Hub(tmp_path / "data") as hub:
        hub.stop()
    (tmp_path / "data" / "admin.token").chmod(0o644)
    refused = serve(tmp_path, "--port", "0")
    assert refused.returncode == 1
    assert "can be read by others" in refused.stderr


def test_a_request_to_a_hub_that_dies_is_answered_at_once(tmp_path: Path) -> None:
    """Case 232: not only when the time for its answer is over (5 s)."""
    with Hub(tmp_path / "data", web_processes=1) as hub, ThreadPoolExecutor(1) as pool:
        os.kill(hub.hub_pid, signal.SIGSTOP)
        answer = pool.submit(hub.post, "/api/tasks", {"description": "asked of the dead"})
        time.sleep(0.5)
        assert not answer.done()
        os.kill(hub.hub_pid, signal.SIGKILL)
        refused = answer.result(timeout=3)
        assert (refused.status, refused.json["error"]) == (503, "hub_unavailable")


def test_a_connection_that_a_web_process_had_not_taken_yet_is_served_by_the_next(tmp_path: Path) -> None:
    """Case 234: the listening socket and those who wait at it belong to the root."""
    with Hub(tmp_path / "data", web_processes=1) as hub, ThreadPoolExecutor(1) as pool:
        (web,) = hub.web_pids
        os.kill(web, signal.SIGSTOP)
        answer = pool.submit(hub.get, "/api/health", token=None)
        time.sleep(0.3)
        assert not answer.done()
        os.kill(web, signal.SIGKILL)
        assert answer.result(timeout=15).status == 200


def test_the_tree_shows_every_process_with_its_pid_and_its_restarts(tmp_path: Path) -> None:
    with Hub(tmp_path / "data", web_processes=2) as hub:

        def webs() -> list[dict[str, Any]]:
            root = hub.get("/api/system/tree", token=None).json["processes"]
            assert (root["id"], root["kind"], root["strategy"]) == ("root", "supervisor", "one_for_one")
            return list(root["children"][1]["children"])

        assert [(node["id"], node["state"], node["pid"]) for node in webs()] == [
            ("web-0", "running", hub.web_pids[0]),
            ("web-1", "running", hub.web_pids[1]),
        ]
        os.kill(hub.web_pids[1], signal.SIGKILL)
        wait_for(lambda: [(node["state"], node["restarts"]) for node in webs()] == [("running", 0), ("running", 1)], 20)
        again = webs()[1]
        assert again["last_exit"] == "error in process: killed by SIGKILL" and again["last_exit_s"] >= 0
        wait_for(lambda: hub.web_pids[1] == again["pid"], 5)  # the ready file is written next
        assert again["uptime_s"] < webs()[0]["uptime_s"]
