"""A sidecar against a scripted hub on loopback: what it says, in which order, and what it does when things break."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from tornado.httpserver import HTTPServer
from tornado.testing import bind_unused_port
from tornado.web import Application
from tornado.websocket import WebSocketHandler

from sidecar.connection import BACKOFF_CAP_S, Backoff
from sidecar.journal import Attempt, Journal
from sidecar.main import main
from sidecar.options import SidecarOptions
from sidecar.outcome import Outcome

DEADLINE_S = 15.0
ROOT = Path(__file__).resolve().parents[3]
MakeOptions = Callable[..., SidecarOptions]
Frame = dict[str, Any]


class Peer(WebSocketHandler):
    """The hub's end of one connection: it only keeps what comes, the test speaks."""

    def initialize(self, hub: Hub) -> None:
        self.hub = hub
        self.frames: asyncio.Queue[Frame] = asyncio.Queue()

    def open(self, *_: str, **__: str) -> None:
        self.hub.peers.put_nowait(self)

    def on_message(self, message: str | bytes) -> None:
        self.frames.put_nowait(json.loads(message))

    def on_close(self) -> None:
        self.frames.put_nowait({"type": "closed", "code": self.close_code})

    async def expect(self, kind: str) -> Frame:
        """The next frame, progress aside; it has to be of this kind."""
        async with asyncio.timeout(DEADLINE_S):
            while (frame := await self.frames.get())["type"] == "task_progress" != kind:
                pass
        assert frame["type"] == kind, frame
        return frame

    def say(self, kind: str, **fields: object) -> None:
        self.write_message({"type": kind, **fields})

    def assign(self, task_id: str = "task-1", generation: int = 1, description: str = "text") -> None:
        self.say("task_assign", task_id=task_id, generation=generation, description=description, metadata={})


class Hub:
    def __init__(self) -> None:
        self.peers: asyncio.Queue[Peer] = asyncio.Queue()
        listening, self.port = bind_unused_port(address="127.0.0.1")
        self.server = HTTPServer(Application([("/ws", Peer, {"hub": self})]))
        self.server.add_socket(listening)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def connection(self) -> Peer:
        async with asyncio.timeout(DEADLINE_S):
            return await self.peers.get()

    async def identified(self, **fields: object) -> Peer:
        """``fields``: what a newer hub says besides."""
        peer = await self.connection()
        identify = await peer.expect("identify")
        assert identify["token"] and identify["protocol_version"] == 1
        peer.say("identified", agent_id=identify["agent_id"], **fields)
        return peer


class Sidecar:
    """A real sidecar process."""

    def __init__(self, hub: Hub, options: SidecarOptions, *more: str) -> None:
        command = [sys.executable, "-m", "sidecar", "--hub", hub.url, "--name", options.name, "--cap", "shell"]
        command += ["--state-dir", str(options.state_dir), *more, "--", *options.command]
        env = {**os.environ, "AGENTCOM_TOKEN": options.token}
        self.process = subprocess.Popen(command, cwd=ROOT, env=env, stderr=subprocess.PIPE, text=True)

    async def exit_code(self) -> int:
        return await asyncio.to_thread(self.process.wait, DEADLINE_S)

    async def log(self) -> str:
        assert self.process.stderr is not None
        return await asyncio.to_thread(self.process.stderr.read)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        assert self.process.stderr is not None
        self.process.stderr.close()


@asynccontextmanager
async def hub_and(options: SidecarOptions, *more: str) -> AsyncIterator[tuple[Hub, Sidecar]]:
    hub = Hub()
    sidecar = Sidecar(hub, options, *more)
    try:
        yield hub, sidecar
    finally:
        sidecar.close()
        hub.server.stop()
        await hub.server.close_all_connections()


def play(scene: Callable[[], Awaitable[None]]) -> None:
    async def go() -> None:
        async with asyncio.timeout(3 * DEADLINE_S):
            await scene()

    asyncio.run(go())


async def until(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not happen in {DEADLINE_S} s"
        await asyncio.sleep(0.01)


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


ECHO = "import json, sys; print(json.dumps({'echo': json.load(sys.stdin)['description']}))"


def waits_for(path: Path, note: Path) -> str:
    """A program that notes its pid and ends once ``path`` exists."""
    return (
        f"import os, time\nopen({str(note)!r}, 'w').write(str(os.getpid()))\n"
        f"while not os.path.exists({str(path)!r}): time.sleep(0.02)\nprint('ended')"
    )


def test_a_task_is_accepted_run_and_reported_and_the_next_one_too(make_options: MakeOptions) -> None:
    options = make_options(ECHO)

    async def scene() -> None:
        async with hub_and(options) as (hub, sidecar):
            peer = await hub.identified()
            assert peer.request.headers["Authorization"] == f"Bearer {options.token}"
            for generation in (1, 2):
                peer.assign(generation=generation, description="hello $(id)")
                accepted = await peer.expect("task_accepted")
                complete = await peer.expect("task_complete")
                assert accepted["generation"] == complete["generation"] == generation
                assert complete["result"] == {"echo": "hello $(id)"}
                peer.say("task_ack", task_id="task-1", status="complete", generation=generation)
            await until(lambda: not (options.state_dir / "tester.json").exists(), "the empty journal")
            sidecar.process.send_signal(signal.SIGTERM)
            assert (await peer.expect("closed"))["code"] == 1000
            assert await sidecar.exit_code() == 0
            log = await sidecar.log()
            assert "task_started" in log and "hello" not in log and options.token not in log

    play(scene)


def test_what_a_task_prints_goes_before_its_result_to_a_hub_that_wants_it_and_to_no_other(
    make_options: MakeOptions,
) -> None:
    async def scene() -> None:
        async with hub_and(make_options("import sys; print('shown'); print('too', file=sys.stderr)")) as (hub, _):
            peer = await hub.identified(output=True)
            peer.assign()
            await peer.expect("task_accepted")
            lines: list[list[str]] = []
            while len(lines) < 2:
                frame = await peer.expect("task_output")
                assert (frame["task_id"], frame["generation"], frame["seq"]) == ("task-1", 1, 1 + len(lines))
                lines += frame["lines"]
            assert sorted(lines) == [["err", "too"], ["out", "shown"]]
            await peer.expect("task_complete")
            peer.say("task_ack", task_id="task-1", status="complete", generation=1)
            peer.close()
            older = await hub.identified()
            older.assign(task_id="task-2")
            await older.expect("task_accepted")
            await older.expect("task_complete")

    play(scene)


def test_a_result_whose_ack_got_lost_is_reported_again_after_reconnecting(make_options: MakeOptions) -> None:
    async def scene() -> None:
        async with hub_and(make_options(ECHO)) as (hub, _):
            peer = await hub.identified()
            peer.assign(generation=4)
            await peer.expect("task_accepted")
            first = await peer.expect("task_complete")
            peer.close()
            peer = await hub.identified()
            assert await peer.expect("task_complete") == first
            peer.say("error", error="task_complete_failed: stale_generation", task_id="task-1")
            peer.assign("task-2")
            assert (await peer.expect("task_accepted"))["task_id"] == "task-2"

    play(scene)


def test_a_result_survives_the_death_of_the_sidecar(make_options: MakeOptions) -> None:
    options = make_options(ECHO)
    journal = Journal(options.state_dir, options.name)
    journal.write(Attempt("task-1", 3, {"description": "x"}, Outcome(result={"kept": 1})))
    journal.close()

    async def scene() -> None:
        async with hub_and(options) as (hub, _):
            peer = await hub.identified()
            complete = await peer.expect("task_complete")
            assert (complete["generation"], complete["result"]) == (3, {"kept": 1})

    play(scene)


def test_work_goes_on_through_a_lost_connection(make_options: MakeOptions, tmp_path: Path) -> None:
    go, note = tmp_path / "go", tmp_path / "pid"

    async def scene() -> None:
        async with hub_and(make_options(waits_for(go, note))) as (hub, _):
            peer = await hub.identified()
            peer.assign()
            await peer.expect("task_accepted")
            await until(note.exists, "the child's start")
            peer.close()
            peer = await hub.identified()
            report = await peer.expect("state_report")
            assert (report["task_id"], report["generation"], report["status"]) == ("task-1", 1, "working")
            peer.say("state_report_ack", task_id="task-1", action="continue")
            go.touch()
            assert (await peer.expect("task_complete"))["result"] == {"output": "ended"}

    play(scene)


@pytest.mark.parametrize("verdict", ["abort", "cancel"])
def test_a_task_that_is_taken_away_is_killed_and_not_reported(
    make_options: MakeOptions, tmp_path: Path, verdict: str
) -> None:
    note = tmp_path / "pid"

    async def scene() -> None:
        async with hub_and(make_options(waits_for(tmp_path / "never", note))) as (hub, _):
            peer = await hub.identified()
            peer.assign()
            await peer.expect("task_accepted")
            await until(lambda: note.exists() and note.read_text(), "the child's start")
            if verdict == "abort":
                peer.say("state_report_ack", task_id="task-1", action="abort")
            else:
                peer.say("task_cancelled", task_id="task-1", timestamp=1)
            await until(lambda: not is_alive(int(note.read_text())), "the child's end")
            peer.assign("task-2")
            assert (await peer.expect("task_accepted"))["task_id"] == "task-2"

    play(scene)


def test_a_second_task_is_rejected_as_busy(make_options: MakeOptions, tmp_path: Path) -> None:
    go, note = tmp_path / "go", tmp_path / "pid"

    async def scene() -> None:
        async with hub_and(make_options(waits_for(go, note))) as (hub, _):
            peer = await hub.identified()
            peer.assign()
            await peer.expect("task_accepted")
            peer.assign()
            peer.assign("task-2", generation=7)
            rejected = await peer.expect("task_rejected")
            assert (rejected["task_id"], rejected["generation"], rejected["reason"]) == ("task-2", 7, "busy")
            go.touch()
            assert (await peer.expect("task_complete"))["task_id"] == "task-1"

    play(scene)


def test_after_kill_9_the_group_dies_and_the_next_sidecar_says_crashed(
    make_options: MakeOptions, tmp_path: Path
) -> None:
    note = tmp_path / "pid"
    options = make_options(waits_for(tmp_path / "never", note))

    async def scene() -> None:
        async with hub_and(options) as (hub, sidecar):
            peer = await hub.identified()
            peer.assign(generation=5)
            await peer.expect("task_accepted")
            await until(lambda: note.exists() and note.read_text(), "the child's start")
            sidecar.process.kill()
            await until(lambda: not is_alive(int(note.read_text())), "the child's end")
        async with hub_and(options) as (hub, _):
            peer = await hub.identified()
            recovering = await peer.expect("task_recovering")
            assert (recovering["generation"], recovering["last_status"]) == (5, "crashed")
            peer.say("task_reassign", task_id="task-1")
            peer.assign("task-2")
            assert (await peer.expect("task_accepted"))["task_id"] == "task-2"

    play(scene)


def test_a_stopping_sidecar_gives_its_task_back_after_the_child_is_dead(
    make_options: MakeOptions, tmp_path: Path
) -> None:
    note = tmp_path / "pid"
    options = make_options(waits_for(tmp_path / "never", note))

    async def scene() -> None:
        async with hub_and(options) as (hub, sidecar):
            peer = await hub.identified()
            peer.assign(generation=2)
            await peer.expect("task_accepted")
            await until(lambda: note.exists() and note.read_text(), "the child's start")
            sidecar.process.send_signal(signal.SIGINT)
            rejected = await peer.expect("task_rejected")
            assert not is_alive(int(note.read_text()))
            assert (rejected["generation"], rejected["reason"]) == (2, "stopping")
            assert (await peer.expect("closed"))["code"] == 1000
            assert await sidecar.exit_code() == 0
            assert not (options.state_dir / "tester.json").exists()

    play(scene)


def test_a_second_signal_is_immediate(make_options: MakeOptions, tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    program = f"import signal, time; signal.signal(15, signal.SIG_IGN); open({str(ready)!r}, 'w'); time.sleep(60)"

    async def scene() -> None:
        async with hub_and(make_options(program)) as (hub, sidecar):
            peer = await hub.identified()
            peer.assign()
            await until(ready.exists, "the child's start")
            sidecar.process.send_signal(signal.SIGTERM)
            assert sidecar.process.stderr is not None
            while "stopping" not in await asyncio.to_thread(sidecar.process.stderr.readline):
                pass
            sidecar.process.send_signal(signal.SIGTERM)
            assert await sidecar.exit_code() == 130

    play(scene)


@pytest.mark.parametrize(
    ("code", "exit_code", "told"), [(4403, 4, "agentcom token create tester"), (4409, 5, "another")]
)
def test_a_final_close_code_ends_the_sidecar_with_a_message(
    make_options: MakeOptions, code: int, exit_code: int, told: str
) -> None:
    async def scene() -> None:
        async with hub_and(make_options(ECHO)) as (hub, sidecar):
            peer = await hub.identified()
            peer.close(code, "because")
            assert await sidecar.exit_code() == exit_code
            assert told in await sidecar.log()

    play(scene)


def test_an_invalid_token_ends_the_sidecar_with_what_to_type(make_options: MakeOptions) -> None:
    async def scene() -> None:
        async with hub_and(make_options(ECHO)) as (hub, sidecar):
            peer = await hub.connection()
            peer.say("error", error="invalid_token")
            assert await sidecar.exit_code() == 4
            assert "agentcom token create tester --role agent" in await sidecar.log()

    play(scene)


def test_a_second_sidecar_of_the_same_name_refuses_to_start(make_options: MakeOptions) -> None:
    options = make_options(ECHO)
    journal = Journal(options.state_dir, options.name)

    async def scene() -> None:
        async with hub_and(options) as (_, sidecar):
            assert await sidecar.exit_code() == 5
            assert "another sidecar" in await sidecar.log()

    play(scene)
    journal.close()


def test_without_a_hub_it_gives_up_when_told_to(make_options: MakeOptions) -> None:
    async def scene() -> None:
        async with hub_and(make_options(ECHO), "--connect-timeout", "0.3") as (hub, sidecar):
            hub.server.stop()
            assert await sidecar.exit_code() == 3

    play(scene)


def test_rubbish_from_the_hub_is_survived(make_options: MakeOptions) -> None:
    async def scene() -> None:
        async with hub_and(make_options(ECHO)) as (hub, _):
            peer = await hub.identified()
            for rubbish in ("", "[]", "{", '{"type": 5}', "null", '{"type":"task_assign"}', "[" * 5000):
                peer.write_message(rubbish)
            peer.write_message(b"\xff\xfe", binary=True)
            peer.say("a\x1b[2J", error="x")
            peer.assign()
            await peer.expect("task_accepted")

    play(scene)


def test_readiness_is_told_once_the_hub_knows_the_agent(
    make_options: MakeOptions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = str(tmp_path / "notify")
    monkeypatch.setenv("NOTIFY_SOCKET", address)

    async def scene() -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
            listening.bind(address)
            listening.setblocking(False)
            async with hub_and(make_options(ECHO)) as (hub, _):
                peer = await hub.connection()
                await peer.expect("identify")
                with pytest.raises(BlockingIOError):
                    listening.recv(64)
                peer.say("identified", agent_id="tester")
                async with asyncio.timeout(DEADLINE_S):
                    assert await asyncio.get_running_loop().sock_recv(listening, 64) == b"READY=1"

    play(scene)


@pytest.mark.skipif(sys.platform != "linux", reason="prctl(2) is Linux's")
def test_it_stops_when_its_parent_dies_if_told_to(make_options: MakeOptions, tmp_path: Path) -> None:
    options = make_options(ECHO)
    starter = "import subprocess, sys, time; subprocess.Popen(sys.argv[1:]); time.sleep(60)"

    async def scene() -> None:
        hub = Hub()
        command = [sys.executable, "-m", "sidecar", "--hub", hub.url, "--name", "tester", "--die-with-parent"]
        command += ["--state-dir", str(tmp_path / "state"), "--", *options.command]
        env = {**os.environ, "AGENTCOM_TOKEN": options.token}
        parent = subprocess.Popen([sys.executable, "-c", starter, *command], cwd=ROOT, env=env)
        try:
            peer = await hub.identified()
            parent.kill()
            assert (await peer.expect("closed"))["code"] == 1000
        finally:
            parent.kill()
            parent.wait()
            hub.server.stop()
            await hub.server.close_all_connections()

    play(scene)


def test_pauses_are_drawn_below_a_ceiling_that_doubles_up_to_the_cap() -> None:
    backoff = Backoff(chance=lambda: 1.0)
    assert [backoff.pause_s() for _ in range(8)] == [0.5, 1, 2, 4, 8, 16, BACKOFF_CAP_S, BACKOFF_CAP_S]
    backoff.reset()
    backoff.chance = lambda: 0.0
    assert backoff.pause_s() == 0.0


def test_wrong_arguments_are_told_in_one_sentence(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AGENTCOM_TOKEN", "t")
    begin = ["--state-dir", str(tmp_path), "--name"]
    for argv, told in (
        ([*begin, "a"], "command is missing"),
        ([*begin, "../a", "--", "x"], "name must"),
        ([*begin, "a", "--hub", "ftp://x", "--", "x"], "not the address"),
        ([*begin, "a", "--env", "AGENTCOM_TOKEN", "--", "x"], "cannot be passed on"),
        ([*begin, "a", "--token-file", str(tmp_path / "none"), "--", "x"], "No such file"),
    ):
        assert main(argv) == 2
        assert told in capsys.readouterr().err
