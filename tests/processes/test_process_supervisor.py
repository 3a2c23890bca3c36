"""The supervisor of processes with real processes: readiness, restarts, stop order, groups, and no orphans."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from supervision.process_child import ProcessStart
from supervision.process_specs import Group
from supervision.process_supervisor import ProcessSupervisor
from supervision.spec import ChildSpec, ChildType, SupervisorFlags

#: A child that logs its life to the file named by its argument and waits for SIGTERM.
CHILD = """
import os, signal, sys
from supervision.notify import notify
name, log = sys.argv[1:3]
def write(what):
    with open(log, "a") as file:
        file.write(f"{what} {name} {os.getpid()}\\n")
def stop(*_):
    write("stop")
    sys.exit(0)
signal.signal(signal.SIGTERM, stop)
write("start")
notify("READY=1")
while True:
    signal.pause()
"""

#: Ends before it is ready, always.
BROKEN = "raise SystemExit(3)"


class Pipe:
    """Requests to stop, one for each byte: only the main thread of a process gets its signals."""

    def __init__(self) -> None:
        self._read, self._write = os.pipe()

    def fileno(self) -> int:
        return self._read

    def read(self) -> int:
        return len(os.read(self._read, 64))

    def request(self) -> None:
        os.write(self._write, b"x")

    def close(self) -> None:
        os.close(self._read)
        os.close(self._write)


class Running:
    """A ``ProcessSupervisor`` in a thread of the test."""

    def __init__(self, specs: tuple[ChildSpec, ...], flags: SupervisorFlags | None = None) -> None:
        self.supervisor = ProcessSupervisor(flags or SupervisorFlags(max_restarts=5), specs, stop_limit_s=5)
        self.status: int | None = None
        self._stops = Pipe()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        self.status = self.supervisor.run(self._stops)

    def start(self) -> Running:
        self.thread.start()
        return self

    def stop(self) -> int | None:
        self._stops.request()
        self.thread.join(10)
        return self.status


def wait_for(condition: Callable[[], object], timeout_s: float = 15.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true"
        time.sleep(0.01)


def child(name: str, log: Path, code: str = CHILD) -> ChildSpec:
    env = {"PYTHONPATH": os.getcwd()}
    return ChildSpec(name, ProcessStart((sys.executable, "-c", code, name, str(log)), env), start_timeout_s=20)


def lines(log: Path) -> list[str]:
    return [" ".join(line.split()[:2]) for line in log.read_text().splitlines()] if log.exists() else []


def pid_of(log: Path, name: str) -> int:
    return int([line.split()[2] for line in log.read_text().splitlines() if f"start {name}" in line][-1])


def test_children_start_when_the_one_before_is_ready_and_stop_in_reverse(tmp_path: Path) -> None:
    log = tmp_path / "log"
    group = ChildSpec("g", Group(SupervisorFlags(), (child("b", log), child("c", log))), type=ChildType.SUPERVISOR)
    running = Running((child("a", log), group, child("d", log))).start()
    wait_for(lambda: running.supervisor.is_ready)
    assert running.stop() == 0
    assert lines(log) == [f"start {n}" for n in "abcd"] + [f"stop {n}" for n in "dcba"]


def test_a_killed_child_is_started_again_and_its_siblings_stay(tmp_path: Path) -> None:
    log = tmp_path / "log"
    running = Running((child("a", log), child("b", log))).start()
    wait_for(lambda: running.supervisor.is_ready)
    os.kill(pid_of(log, "a"), signal.SIGKILL)
    wait_for(lambda: lines(log).count("start a") == 2)
    assert lines(log).count("start b") == 1
    assert running.stop() == 0


def test_what_cannot_be_started_ends_the_supervisor_with_a_status(tmp_path: Path) -> None:
    log = tmp_path / "log"
    running = Running((child("a", log), child("x", log, BROKEN))).start()
    running.thread.join(15)
    assert running.status == 1
    assert lines(log) == ["start a", "stop a"]


def test_a_crash_loop_gives_up_and_leaves_no_process(tmp_path: Path) -> None:
    log = tmp_path / "log"
    crash = CHILD.replace("while True:", "os.kill(os.getpid(), 9)\nwhile True:")
    running = Running((child("a", log), child("x", log, crash)), SupervisorFlags(max_restarts=3, period_s=60)).start()
    running.thread.join(20)
    assert running.status == 1
    assert lines(log).count("start x") == 4
    assert not Path(f"/proc/{pid_of(log, 'a')}").exists()


def test_grandchildren_do_not_outlive_their_child(tmp_path: Path) -> None:
    log = tmp_path / "log"
    code = "import subprocess\np = subprocess.Popen(['sleep', '60'])\nopen('%s', 'w').write(str(p.pid))\n" % (
        tmp_path / "grandchild"
    )
    running = Running((child("a", log, code + CHILD),)).start()
    wait_for(lambda: running.supervisor.is_ready)
    grandchild = int((tmp_path / "grandchild").read_text())
    assert running.stop() == 0
    wait_for(lambda: not _is_running(grandchild))


def test_a_child_on_demand_starts_when_another_asks_and_stays(tmp_path: Path) -> None:
    """Also when it is asked for before its group is there; being asked twice, or for nothing known, changes nothing."""
    log = tmp_path / "log"
    asking = CHILD.replace('notify("READY=1")', 'notify("START=later")\nnotify("START=nobody")\nnotify("READY=1")')
    flags = SupervisorFlags(max_restarts=5)
    group = ChildSpec("g", Group(flags, (), on_demand=(child("later", log),)), type=ChildType.SUPERVISOR)
    running = Running((child("a", log, asking), group)).start()
    wait_for(lambda: "start later" in lines(log))
    os.kill(pid_of(log, "later"), signal.SIGKILL)
    wait_for(lambda: lines(log).count("start later") == 2)
    os.kill(pid_of(log, "a"), signal.SIGKILL)
    wait_for(lambda: lines(log).count("start a") == 2)
    assert running.stop() == 0
    assert lines(log).count("start later") == 2 and lines(log)[-2:] == ["stop later", "stop a"]


def test_a_child_on_demand_that_nobody_wants_is_not_started(tmp_path: Path) -> None:
    log = tmp_path / "log"
    group = ChildSpec("g", Group(SupervisorFlags(), (), on_demand=(child("later", log),)), type=ChildType.SUPERVISOR)
    running = Running((child("a", log), group)).start()
    wait_for(lambda: running.supervisor.is_ready)
    assert running.stop() == 0
    assert lines(log) == ["start a", "stop a"]


def _is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(") ")[-1][0] != "Z"
    except OSError:
        return False
