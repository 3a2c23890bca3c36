"""Real children: what reaches them, what is read of them, and that nothing of them stays."""

from __future__ import annotations

import asyncio
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sidecar.guard import Guard
from sidecar.journal import Attempt
from sidecar.options import OptionsError, SidecarOptions
from sidecar.outcome import Outcome
from sidecar.runner import Runner

DEADLINE_S = 15.0
MakeOptions = Callable[..., SidecarOptions]


def is_alive(pid: int) -> bool:
    """Whether the process runs; one that only waits to be reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


async def until(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not happen in {DEADLINE_S} s"
        await asyncio.sleep(0.01)


def wait_until(condition: Callable[[], object], what: str) -> None:
    asyncio.run(until(condition, what))


def attempt(description: str = "text", metadata: dict[str, Any] | None = None) -> Attempt:
    order = {"task_id": "task-1", "description": description, "metadata": metadata or {}, "generation": 2}
    return Attempt("task-1", 2, order)


def run(
    options: SidecarOptions,
    task: Attempt | None = None,
    meanwhile: Callable[[Runner], Any] | None = None,
    progress: list[int] | None = None,
) -> Outcome | None:
    """One attempt to its end. ``meanwhile`` is a coroutine function that gets the runner."""

    async def go() -> Outcome | None:
        options.state_dir.mkdir(exist_ok=True)
        guard = Guard()
        seen = progress if progress is not None else []
        runner = Runner(options, guard, lambda _, percent: seen.append(percent), "tester~")
        try:
            work = asyncio.create_task(runner.run(task or attempt()))
            if meanwhile is not None:
                await meanwhile(runner)
            async with asyncio.timeout(DEADLINE_S):
                return await work
        finally:
            guard.close()
            assert not list(options.state_dir.glob("*.task"))

    return asyncio.run(go())


def result_of(outcome: Outcome | None) -> dict[str, Any]:
    assert outcome is not None and outcome.error is None, outcome
    assert outcome.result is not None
    return outcome.result


def error_of(outcome: Outcome | None) -> str:
    assert outcome is not None and outcome.error is not None, outcome
    return outcome.error


# --- what reaches the child ---------------------------------------------------------------------------------------

TOUCH = "touch CANARY"
HOSTILE = [
    f"$({TOUCH})",
    f"`{TOUCH}`",
    f"; {TOUCH}",
    f"\n{TOUCH}\n",
    f"&& {TOUCH}",
    f"|| {TOUCH}",
    f"| {TOUCH}",
    f'"; {TOUCH}; "',
    f"'; {TOUCH}; '",
    f"\\'; {TOUCH} #",
    f"${{IFS}};{TOUCH}",
    f"$'\\n'{TOUCH}",
    f"<({TOUCH})",
    f"() {{ :;}}; {TOUCH}",
    f"\u2028{TOUCH}\u2029",
    f"\r\n{TOUCH}\r\n",
    f"\x00{TOUCH}",
    f"\x1b]0;{TOUCH}\x07",
    f'__import__("os").system("{TOUCH}")',
    f'"""\nimport os; os.system("{TOUCH}")',
    "%s%n{0.__class__}",
    "--eval=1",
    "-c",
    "-",
    "../../../../etc/passwd",
    "$AGENTCOM_TOKEN ${PATH}",
    "%(asctime)s",
    "\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16"),
    '{"progress": 1}\n',
    "EOF\nEOF",
]

ECHO = """
import json, os, sys
task = json.load(sys.stdin)
in_file = json.load(open(os.environ["AGENTCOM_TASK_FILE"]))
print(json.dumps({"task": task, "same": task == in_file, "argv": sys.argv, "env": dict(os.environ)}))
"""


@pytest.mark.parametrize("payload", HOSTILE)
def test_a_hostile_text_reaches_the_child_as_data_and_never_runs(
    make_options: MakeOptions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, payload: str
) -> None:
    monkeypatch.chdir(tmp_path)
    task = attempt(payload, {"run": payload, payload: [payload]})
    result = result_of(run(make_options(ECHO), task))
    assert result["task"] == task.order and result["same"]
    assert result["argv"] == ["-c"]
    assert not any(payload in value for value in result["env"].values() if len(payload) > 2)
    assert not (tmp_path / "CANARY").exists()


@pytest.mark.parametrize("payload", HOSTILE[:12])
def test_a_shell_script_that_reads_stdin_does_not_run_it_either(
    make_options: MakeOptions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, payload: str
) -> None:
    monkeypatch.chdir(tmp_path)
    shell = ("bash", "-c", 'task=$(cat); cat "$AGENTCOM_TASK_FILE" >/dev/null; printf "%s" "$task"')
    assert result_of(run(make_options(command=shell), attempt(payload)))["description"] == payload
    assert not (tmp_path / "CANARY").exists()


def test_the_environment_is_an_allow_list_without_the_token(
    make_options: MakeOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = make_options(ECHO, env_names=("WANTED", "SNEAKY"))
    for name, value in {
        "AGENTCOM_TOKEN": options.token,
        "AGENTCOM_TOKEN_FILE": "/somewhere",
        "SECRET": "1",
        "LD_PRELOAD": "",
        "WANTED": "yes",
        "SNEAKY": f"Bearer {options.token}",
        "LC_ALL": "C.UTF-8",
    }.items():
        monkeypatch.setenv(name, value)
    env = result_of(run(options))["env"]
    assert env["WANTED"] == "yes" and env["LC_ALL"] == "C.UTF-8" and env["PATH"]
    told = {"AGENTCOM_TASK_ID", "AGENTCOM_TASK_GENERATION", "AGENTCOM_TASK_FILE", "AGENTCOM_AGENT"}
    allowed = told | {"PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "USER", "WANTED"}
    assert set(env) <= allowed and told <= set(env)
    assert (env["AGENTCOM_TASK_ID"], env["AGENTCOM_TASK_GENERATION"], env["AGENTCOM_AGENT"]) == (
        "task-1",
        "2",
        "tester",
    )
    assert not any(options.token in value for value in env.values())


@pytest.mark.parametrize("name", ["AGENTCOM_TOKEN", "AGENTCOM_TOKEN_FILE", "A=B", ""])
def test_the_token_cannot_be_passed_on_by_name(make_options: MakeOptions, name: str) -> None:
    with pytest.raises(OptionsError):
        make_options(env_names=(name,))


def test_the_token_is_not_shown_with_the_options(make_options: MakeOptions) -> None:
    assert "hub_agent_0000_secret" not in repr(make_options())


def test_the_task_file_is_private_and_gone_afterwards(make_options: MakeOptions) -> None:
    program = "import os; print(oct(os.stat(os.environ['AGENTCOM_TASK_FILE']).st_mode))"
    assert result_of(run(make_options(program)))["output"] == oct(stat.S_IFREG | 0o600)


def test_the_child_inherits_no_descriptor_but_its_three(make_options: MakeOptions) -> None:
    program = "import os; print(sorted(int(f) for f in os.listdir('/proc/self/fd'))[:-1])"
    assert result_of(run(make_options(program)))["output"] == "[0, 1, 2]"


# --- what is read of it -------------------------------------------------------------------------------------------


def test_a_failure_carries_the_status_and_stderr(make_options: MakeOptions) -> None:
    assert error_of(run(make_options("import sys; sys.exit('the reason')"))) == "exit status 1: the reason"


def test_a_command_that_does_not_exist_is_a_failed_task_and_not_the_end(make_options: MakeOptions) -> None:
    assert "cannot be run" in error_of(run(make_options(command=("/no/such/program",))))


def test_progress_is_told_at_most_twice_a_second_and_the_newest_first(make_options: MakeOptions) -> None:
    seen: list[int] = []
    program = "for n in range(101): print(f'progress: {n}', flush=True)\nprint('done')"
    began = time.monotonic()
    assert result_of(run(make_options(program), progress=seen)) == {"output": "done"}
    assert seen and seen == sorted(seen)
    assert len(seen) <= 1 + 2 * (time.monotonic() - began)


def test_huge_output_does_not_stop_the_child_and_is_kept_up_to_the_limit(make_options: MakeOptions) -> None:
    program = (
        "import sys\nline = 'x' * 99 + chr(10)\n"
        "for _ in range(2000): sys.stdout.write(line * 100); sys.stderr.write(line * 100)\n"
        "print('{\"end\": true}')"
    )
    assert result_of(run(make_options(program, max_output_bytes=50_000))) == {"end": True}


def test_output_without_a_line_end_is_bounded_too(make_options: MakeOptions) -> None:
    program = "import sys\nfor _ in range(300): sys.stdout.write('x' * 65536)"
    assert set(result_of(run(make_options(program, max_output_bytes=5_000)))["output"]) == {"x"}


def test_a_child_that_does_not_read_its_task_is_fine(make_options: MakeOptions) -> None:
    assert result_of(run(make_options("print('hello')"), attempt("x" * 9_000)))["output"] == "hello"


# --- its end ------------------------------------------------------------------------------------------------------


def test_a_task_over_its_time_limit_fails(make_options: MakeOptions) -> None:
    options = make_options("import time; time.sleep(60)", task_timeout_s=0.3)
    assert error_of(run(options)) == "time limit of 0.3 s"


def test_a_child_that_ignores_sigterm_is_killed_after_the_grace(make_options: MakeOptions) -> None:
    program = "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(60)"
    options = make_options(program, task_timeout_s=0.5, stop_grace_s=0.2)
    assert error_of(run(options)) == "time limit of 0.5 s"


def test_a_child_may_clean_up_in_the_grace(make_options: MakeOptions, tmp_path: Path) -> None:
    program = (
        f"import pathlib, signal, sys, time\nhere = pathlib.Path({str(tmp_path)!r})\n"
        "def bye(*_): (here / 'cleaned').touch(); sys.exit(1)\n"
        "signal.signal(15, bye); (here / 'ready').touch(); time.sleep(60)"
    )

    async def stop_when_ready(runner: Runner) -> None:
        await until((tmp_path / "ready").exists, "the child's start")
        runner.stop()

    assert run(make_options(program, stop_grace_s=10.0), meanwhile=stop_when_ready) is None
    assert (tmp_path / "cleaned").exists()


GRANDCHILD = "import subprocess\nchild = subprocess.Popen(['sleep', '600'])\nprint(child.pid, flush=True)\n"


@pytest.mark.parametrize("end", ["", "raise SystemExit(1)", "import os; os.kill(os.getpid(), 9)"])
def test_what_a_command_leaves_behind_dies_with_it(make_options: MakeOptions, tmp_path: Path, end: str) -> None:
    note = tmp_path / "pid"
    program = GRANDCHILD + f"open({str(note)!r}, 'w').write(str(child.pid))\n" + end
    run(make_options(program))
    pid = int(note.read_text())
    wait_until(lambda: not is_alive(pid), "the grandchild's end")


def test_a_daemon_that_left_the_group_does_not_hold_up_the_result(make_options: MakeOptions) -> None:
    program = (
        "import subprocess\n"
        "p = subprocess.Popen(['sleep', '600'], start_new_session=True)\n"
        "print('{\"pid\": %d}' % p.pid)"
    )
    result = result_of(run(make_options(program)))
    os.kill(result["pid"], signal.SIGKILL)


def test_kill_does_not_wait_for_the_grace(make_options: MakeOptions, tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    program = f"import signal, time; signal.signal(15, signal.SIG_IGN); open({str(ready)!r}, 'w'); time.sleep(60)"

    async def kill_when_ready(runner: Runner) -> None:
        await until(ready.exists, "the child's start")
        runner.kill()

    run(make_options(program, stop_grace_s=600.0), meanwhile=kill_when_ready)


# --- the guard ----------------------------------------------------------------------------------------------------


def test_the_guard_kills_the_listed_groups_and_spares_the_others() -> None:
    listed, forgotten = (subprocess.Popen(["sleep", "600"], start_new_session=True) for _ in range(2))
    try:
        guard = Guard()
        pipe = guard.ensure()
        os.write(pipe, b"+%d\n+%d\nrubbish\n+1\n+0\n+-1\n" % (forgotten.pid, listed.pid))
        guard.forget(forgotten.pid)
        guard.close()
        assert listed.wait(DEADLINE_S) == -signal.SIGKILL
        assert forgotten.poll() is None
    finally:
        for process in (listed, forgotten):
            process.kill()
            process.wait()


def test_the_guard_outlives_the_signals_that_end_a_session() -> None:
    sleeper = subprocess.Popen(["sleep", "600"], start_new_session=True)
    guard = subprocess.Popen([sys.executable, "-m", "sidecar.guard"], stdin=subprocess.PIPE, start_new_session=True)
    try:
        assert guard.stdin is not None
        ignored = (1 << signal.SIGTERM - 1) | (1 << signal.SIGINT - 1) | (1 << signal.SIGHUP - 1)

        def ignores() -> bool:
            status = Path(f"/proc/{guard.pid}/status").read_text()
            mask = next(line for line in status.splitlines() if line.startswith("SigIgn"))
            return int(mask.split()[1], 16) & ignored == ignored

        wait_until(ignores, "the guard's start")
        for signum in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            guard.send_signal(signum)
        guard.stdin.write(b"+%d\n" % sleeper.pid)
        guard.stdin.close()
        assert guard.wait(DEADLINE_S) == 0
        assert sleeper.wait(DEADLINE_S) == -signal.SIGKILL
    finally:
        for process in (guard, sleeper):
            process.kill()
            process.wait()


def test_a_killed_guard_is_replaced_for_the_next_task() -> None:
    guard = Guard()
    guard.ensure()
    first = guard.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: not is_alive(first), "the guard's end")
    guard.ensure()
    assert guard.pid not in (None, first)
    guard.close()
