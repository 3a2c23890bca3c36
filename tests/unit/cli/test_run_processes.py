"""``agentcom run`` with real processes: it ends when told, and nothing stays behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.harness.waiting import wait_for

REPOSITORY = Path(__file__).resolve().parents[3]
LIMIT_S = 60.0

JOB = """
[agents.sleeper]
command = ["python3", "-c", "import time; time.sleep(600)"]
[[tasks]]
title = "nap"
run = "-"
"""


def start(folder: Path) -> subprocess.Popen[bytes]:
    """A run whose every temporary file is in ``folder/tmp``, so that its processes can be told by their arguments."""
    (folder / "job.toml").write_text(JOB)
    (folder / "tmp").mkdir()
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("AGENTCOM_")}
    environment = {**inherited, "PYTHONPATH": str(REPOSITORY), "TMPDIR": str(folder / "tmp")}
    with (folder / "log").open("wb") as log:
        argv = [sys.executable, "-m", "agentcom", "run", "job.toml"]
        return subprocess.Popen(argv, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)


def works(folder: Path) -> bool:
    return b"task_started" in b"".join(log.read_bytes() for log in (folder / "tmp").glob("agentcom-run-*/sleeper.log"))


def left(folder: Path) -> list[str]:
    """Command lines and environments of live processes that mention the run's temporary folder."""
    mark = str(folder / "tmp").encode()
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            text = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
        except OSError:
            continue
        if mark in text:
            found.append(process.name)
    return found


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
@pytest.mark.parametrize(
    ("signals", "status"),
    [
        ([signal.SIGINT], 130),
        ([signal.SIGINT, signal.SIGINT], 130),
        ([signal.SIGTERM], 143),
        ([signal.SIGKILL], -signal.SIGKILL),
    ],
    ids=["ctrl-c", "ctrl-c twice", "sigterm", "sigkill"],
)
def test_an_interrupted_run_leaves_no_process_behind(
    tmp_path_factory: pytest.TempPathFactory, signals: list[signal.Signals], status: int
) -> None:
    folder = tmp_path_factory.mktemp("run")  # a short name: the hub's socket is below it
    process = start(folder)
    try:
        wait_for(lambda: works(folder), LIMIT_S, "an agent at work")
        for signum in signals:
            process.send_signal(signum)
        assert process.wait(timeout=LIMIT_S) == status, (folder / "log").read_text()
        wait_for(lambda: not left(folder), LIMIT_S, "the end of all its processes")
        if signal.SIGKILL not in signals:
            assert not list((folder / "tmp").glob("agentcom-run-*"))
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
