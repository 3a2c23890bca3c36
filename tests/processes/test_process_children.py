"""Real processes under ``python -m supervision``: what each way to end means, and who is told."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.harness.hub import is_running
from tests.harness.waiting import wait_for
from tests.processes.process_runner import HEAD, ROOT, Tree, tree_of

SLEEP = "import time; time.sleep(600)"


@pytest.mark.parametrize(
    ("code", "fields", "restart", "report"),
    [
        ("raise SystemExit(0)", "", "PERMANENT", "child_terminated: normal"),
        ("raise SystemExit(3)", "", "PERMANENT", "child_terminated: error in process: exit status 3"),
        ("raise SystemExit(3)", "success_statuses=frozenset({3})", "PERMANENT", "child_terminated: normal"),
        ("import os; os.kill(os.getpid(), 15)", "", "TRANSIENT", "killed by SIGTERM"),
        ("import os; os.kill(os.getpid(), 9)", "", "TRANSIENT", "killed by SIGKILL"),
        ("import os; os.abort()", "", "TRANSIENT", "killed by SIGABRT"),
    ],
)
def test_every_way_to_end_has_its_reason(tmp_path: Path, code: str, fields: str, restart: str, report: str) -> None:
    """Case 223."""
    spec = f"ChildSpec('one', python({code!r}, {fields}), Restart.{restart})"
    with Tree(tmp_path, tree_of(spec)) as tree:
        tree.wait_for_line("one", report)
        assert tree.process.wait(timeout=20) == 1, "it gave up"


def test_a_stop_is_never_counted_as_a_failure(tmp_path: Path) -> None:
    """Cases 224 and 225: SIGTERM is obeyed; one that ignores it is ended by force, with all that it started."""
    deaf = (
        "import signal, subprocess, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        " child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']);"
        " open('grandchild', 'w').write(str(child.pid)); time.sleep(600)"
    )
    source = tree_of(f"ChildSpec('obeys', python({SLEEP!r}))", f"ChildSpec('deaf', python({deaf!r}), shutdown_s=0.3)")
    with Tree(tmp_path, source) as tree:
        wait_for(lambda: (tmp_path / "grandchild").exists() and (tmp_path / "grandchild").read_text() != "")
        tree.wait_for_line("deaf", "progress")
        assert tree.stop() == 0
    assert not is_running(int((tmp_path / "grandchild").read_text()))
    assert [line for line in tree.log if "shutdown_error" in line and "deaf" in line]
    assert not [line for line in tree.log if "obeys" in line and "error" in line]


def test_one_that_ends_before_its_minimum_has_failed_to_start(tmp_path: Path) -> None:
    """Case 228: although its exit status is 0."""
    spec = "ChildSpec('short', python('raise SystemExit(0)', min_uptime_s=5.0))"
    with Tree(tmp_path, tree_of(spec)) as tree:
        tree.wait_for_line("short", "start_error", "before its start was complete")
        assert tree.process.wait(timeout=20) == 1


def test_one_process_dies_and_only_it_is_started_again(tmp_path: Path) -> None:
    """Case 226: the one beside it neither ends nor stops working."""
    works = (
        "import itertools, os, time\n"
        "open('steady.pid', 'w').write(str(os.getpid()))\n"
        "for number in itertools.count():\n"
        "    open('steady', 'w').write(str(number)); time.sleep(0.01)\n"
    )
    weak = f"import os; open('weak.pid', 'a').write(f'{{os.getpid()}}\\n'); {SLEEP}"
    source = tree_of(f"ChildSpec('steady', python({works!r}))", f"ChildSpec('weak', python({weak!r}))")

    def read(name: str) -> str:
        return (tmp_path / name).read_text() if (tmp_path / name).exists() else ""

    with Tree(tmp_path, source) as tree:
        wait_for(lambda: read("weak.pid").endswith("\n") and read("steady") != "")
        steady = int(read("steady.pid"))
        os.kill(int(read("weak.pid")), signal.SIGKILL)
        wait_for(lambda: len(read("weak.pid").split()) == 2)
        before = read("steady")
        wait_for(lambda: read("steady") not in ("", before))
        assert int(read("steady.pid")) == steady and is_running(steady)
        assert tree.stop() == 0


def test_nothing_is_left_open_by_many_restarts(tmp_path: Path) -> None:
    """Case 235: neither descriptors nor zombies."""
    source = tree_of("ChildSpec('short', python('pass'))", f"ChildSpec('long', python({SLEEP!r}))", max_restarts=10_000)
    with Tree(tmp_path, source) as tree:

        def left() -> tuple[int, int]:
            pid = tree.process.pid
            children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
            return len(list(Path(f"/proc/{pid}/fd").iterdir())), len(children)

        tree.wait_for_line("short", "child_terminated", count=5)
        descriptors, children = left()
        tree.wait_for_line("short", "child_terminated", count=60, timeout_s=60)
        later = [left() for _ in range(20)]
        assert min(fds for fds, _ in later) <= descriptors + 1
        assert max(found for _, found in later) <= max(children, 2)


def test_a_root_that_gives_up_stops_the_rest_in_order_and_fails(tmp_path: Path) -> None:
    """Case 236."""
    polite = (
        "import signal, time; signal.signal(signal.SIGTERM, lambda *_: exit(open('bye', 'w').close())); time.sleep(600)"
    )
    source = tree_of(
        f"ChildSpec('polite', python({polite!r}, min_uptime_s=0.5))", "ChildSpec('bad', python('raise SystemExit(3)'))"
    )
    with Tree(tmp_path, source) as tree:
        assert tree.process.wait(timeout=30) == 1
    assert (tmp_path / "bye").exists()


@pytest.mark.parametrize("program", ["/no/such/program", "./not-executable"])
def test_a_command_that_is_not_there_neither_spins_nor_hangs(tmp_path: Path, program: str) -> None:
    """Case 227: neither one that does not exist nor one that may not be executed."""
    (tmp_path / "not-executable").write_text("x")
    bad = f"ChildSpec('bad', ProcessStart(({program!r},), awaits_ready=False), Restart.PERMANENT)"
    with Tree(tmp_path, tree_of(bad, max_restarts=100)) as tree:
        tree.wait_for_line("bad", "start_error", "cannot start")
        assert tree.process.wait(timeout=20) == 1
    assert len(tree.log) < 20


def test_readiness_is_awaited_may_be_put_off_and_has_an_end(tmp_path: Path) -> None:
    """Case 230."""
    slow = (
        "import time; from supervision.notify import notify; notify('EXTEND_TIMEOUT_USEC=20000000\\nSTATUS=warming up');"
        " time.sleep(1); notify('READY=1'); time.sleep(600)"
    )
    never = "import time; time.sleep(600)"
    source = tree_of(
        f"ChildSpec('slow', python({slow!r}, awaits_ready=True), start_timeout_s=0.5)",
        f"ChildSpec('never', python({never!r}, awaits_ready=True), start_timeout_s=0.5)",
    )
    with Tree(tmp_path, source) as tree:
        tree.wait_for_line("slow", "progress: started")
        tree.wait_for_line("never", "start_error", "killed(start timeout)")
        assert tree.process.wait(timeout=20) == 1


@pytest.mark.skipif(shutil.which("systemd-notify") is None, reason="there is no systemd-notify")
def test_a_program_that_was_written_for_systemd_works_as_it_is(tmp_path: Path) -> None:
    """Case 230: a shell script that says with systemd's own command that it is ready."""
    script = "sleep 0.2; systemd-notify --ready --status='warm'; sleep 600"
    spec = f"ChildSpec('one', ProcessStart(('sh', '-c', {script!r})), start_timeout_s=20)"
    with Tree(tmp_path, tree_of(spec)) as tree:
        tree.wait_for_line("one", "progress: started")
        assert tree.stop() == 0


def test_who_misses_the_watchdog_is_ended_and_started_again(tmp_path: Path) -> None:
    """Case 230."""
    code = (
        "import os, pathlib, time; from supervision.notify import notify; notify('READY=1');"
        " first = not pathlib.Path('second').exists(); pathlib.Path('second').touch();"
        " [(notify('WATCHDOG=1'), time.sleep(0.05)) for _ in range(5 if first else 10000)]; time.sleep(600)"
    )
    spec = f"ChildSpec('dog', python({code!r}, awaits_ready=True, watchdog_s=0.6))"
    with Tree(tmp_path, tree_of(spec)) as tree:
        tree.wait_for_line("dog", "child_terminated", "missed its watchdog")
        tree.wait_for_line("dog", "progress: started", count=2)
        assert tree.stop() == 0


def test_a_flood_of_output_blocks_nobody_and_its_end_is_in_the_report(tmp_path: Path) -> None:
    """Case 233: 100 MB that nobody reads."""
    code = (
        "import sys; [sys.stdout.write('x' * 99999 + chr(10)) for _ in range(1000)];"
        " print('last words'); sys.stdout.flush(); raise SystemExit(7)"
    )
    spec = f"ChildSpec('flood', python({code!r}, tail_lines=5), Restart.TRANSIENT)"
    with Tree(tmp_path, tree_of(spec, max_restarts=0)) as tree:
        tree.wait_for_line("exit status 7")
        assert tree.process.wait(timeout=30) == 1
    assert [line for line in tree.log if "last words" in line]


def test_limits_hold(tmp_path: Path) -> None:
    code = "import resource; open('limit', 'w').write(str(resource.getrlimit(resource.RLIMIT_NOFILE)[0]))"
    late = f"import time; time.sleep(0.2); {code}"
    spec = f"ChildSpec('one', python({late!r}, limits={{__import__('resource').RLIMIT_NOFILE: 77}}), Restart.TEMPORARY)"
    with Tree(tmp_path, tree_of(spec)) as tree:
        wait_for(lambda: (tmp_path / "limit").exists() and (tmp_path / "limit").read_text() == "77")
        assert tree.stop() == 0


def test_no_orphan_survives_a_supervisor_that_is_killed(tmp_path: Path) -> None:
    """Case 231: also of a program that knows nothing of us."""
    code = "import os, time; open('pid', 'w').write(str(os.getpid())); time.sleep(600)"
    with Tree(tmp_path, tree_of(f"ChildSpec('one', python({code!r}))")) as tree:
        wait_for(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text() != "")
        tree.process.kill()
    wait_for(lambda: not is_running(int((tmp_path / "pid").read_text())))


def test_restarts_leave_no_descriptor_and_no_zombie_behind(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """Case 235: 100 restarts in the gate, 1,000 with ``--full``."""
    count = 1000 if request.config.getoption("--full") else 100
    spec = "ChildSpec('one', python('raise SystemExit(1)', tail_lines=3))"
    keeps = f"ChildSpec('keeps', python({SLEEP!r}))"
    with Tree(tmp_path, tree_of(keeps, spec, max_restarts=100_000)) as tree:
        tree.wait_for_line("one", "child_terminated", count=10)
        before = len(os.listdir(f"/proc/{tree.process.pid}/fd"))
        tree.wait_for_line("one", "child_terminated", count=count, timeout_s=300)
        assert len(os.listdir(f"/proc/{tree.process.pid}/fd")) <= before + 3
        children = Path(f"/proc/{tree.process.pid}/task/{tree.process.pid}/children").read_text().split()
        assert len(children) <= 2
        assert tree.stop() == 0


@pytest.mark.parametrize("ends", ["raise SystemExit(0)", "return"])
def test_a_forked_copy_of_the_supervisor_takes_nothing_away(tmp_path: Path, ends: str) -> None:
    """Case 221: it neither ends the children nor goes on with the loop, whether it unwinds the stack or comes back."""
    source = f"""{HEAD}
import os

def changed(supervisor):
    if supervisor.is_ready and not os.path.exists("copy"):
        copy = os.fork()
        if copy == 0:
            {ends}
        open("copy.new", "w").write(str(copy))
        os.rename("copy.new", "copy")

tells = "from supervision.notify import notify; notify('READY=1');"
one = python("import os, time; open('one', 'a').write(f'{{os.getpid()}}\\\\n'); " + tells + "time.sleep(600)", awaits_ready=True)
tree = ProcessTree(SupervisorFlags(), (ChildSpec("one", one),), on_change=changed)
"""
    with Tree(tmp_path, source) as tree:
        wait_for(lambda: (tmp_path / "copy").exists(), what="\n".join(tree.log))
        copy = int((tmp_path / "copy").read_text())
        wait_for(lambda: not is_running(copy))
        first = int((tmp_path / "one").read_text())
        assert is_running(first)
        os.kill(first, signal.SIGKILL)
        tree.wait_for_line("one", "progress: started", count=2)  # readiness still reaches the original
        assert tree.stop() == 0


def test_a_child_that_leaves_its_group_is_ended_all_the_same(tmp_path: Path) -> None:
    """Case 54 (child_unlink) for a process: in the group of its supervisor, and deaf."""
    deaf = (
        "import os, signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); os.setpgid(0, os.getpgid(os.getppid()));"
        " open('pid', 'w').write(str(os.getpid())); time.sleep(600)"
    )
    source = tree_of(f"ChildSpec('deaf', python({deaf!r}), shutdown_s=0.2)")
    with Tree(tmp_path, source) as tree:
        wait_for(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text() != "")
        assert tree.stop() == 0
        assert [line for line in tree.log if "shutdown_error" in line and "killed(timeout)" in line]
    assert not is_running(int((tmp_path / "pid").read_text()))


# --- the entry point ---------------------------------------------------------------------------------------------------


def supervision(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "supervision", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": f"{ROOT}:{folder}"},
        capture_output=True,
        text=True,
        timeout=30,
    )


def test_check_draws_the_tree_and_starts_nothing(tmp_path: Path) -> None:
    inner = "Group(SupervisorFlags(), (ChildSpec('b', python('pass')),))"
    source = tree_of("ChildSpec('a', python('pass'))", f"ChildSpec('group', {inner}, type=ChildType.SUPERVISOR)")
    (tmp_path / "service.py").write_text(source)
    done = supervision(tmp_path, "service:tree", "--check")
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert [line.split("  ")[0] for line in lines[:3]] == ["service:tree", "├── a", "└── group"]
    assert lines[3].strip().startswith("└── b")


@pytest.mark.parametrize(
    ("where", "complaint"),
    [
        ("service", "is not MODULE:SPEC"),
        ("nothing:tree", "cannot import 'nothing'"),
        ("service:tee", "it has tree"),
        ("service:number", "is a int"),
        ("service:double", "duplicate_child_name"),
    ],
)
def test_a_spec_that_cannot_be_used_is_said_plainly(tmp_path: Path, where: str, complaint: str) -> None:
    double = "double = ProcessTree(SupervisorFlags(), (ChildSpec('a', python('')), ChildSpec('a', python(''))))"
    (tmp_path / "service.py").write_text(f"{HEAD}\ntree = ProcessTree(SupervisorFlags(), ())\nnumber = 7\n{double}\n")
    done = supervision(tmp_path, where)
    assert done.returncode == 2 and complaint in done.stderr and "Traceback" not in done.stderr


def test_it_shows_life_to_the_system_above_it(tmp_path: Path) -> None:
    """As systemd with ``Type=notify`` and ``WatchdogSec``."""
    path = tmp_path / "notify"
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    listener.bind(str(path))
    listener.settimeout(20)
    env = {"NOTIFY_SOCKET": str(path), "WATCHDOG_USEC": "200000"}
    with Tree(tmp_path, tree_of(f"ChildSpec('one', python({SLEEP!r}))"), env=env) as tree:
        said = [listener.recv(1000) for _ in range(5)]
        assert said.count(b"WATCHDOG=1") == 4
        assert b"READY=1\nSTATUS=service:tree: 1 processes" in said
        assert tree.stop() == 0
    rest = []
    listener.setblocking(False)
    while True:
        try:
            rest.append(listener.recv(1000))
        except BlockingIOError:
            break
    assert b"STOPPING=1" in rest
    listener.close()
