"""Named moments of the product's processes, at which a test kills, stops or fails exactly there.

As a plugin (``TEST_PLUGIN=tests.harness.moments`` with ``tests/faults/plugin`` on the PYTHONPATH) this wraps the few calls that
bound each moment, so the product carries no line of it and pays nothing. ``TEST_MOMENTS`` names the control file: while it does
not exist nothing happens. ``Trap.arm`` writes "moment action count" into it; the process that comes to the moment for the
count-th time takes the file away (one process only can), leaves a ``.fired`` file, and acts.
"""

from __future__ import annotations

import functools
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CONTROL_VARIABLE = "TEST_MOMENTS"
PLUGIN = "tests.harness.moments"
PLUGIN_FOLDER = Path(__file__).resolve().parents[1] / "faults" / "plugin"

#: moment -> what it is (the numbers are those of the reliability design). By the process that comes to it.
HUB_MOMENTS = {
    "submit.received": "S1: before anything is written",
    "submit.in_transaction": "S2: written, not committed",
    "submit.committed": "S4: durable, not answered",
    "submit.answered": "S4: answered to the gateway, not yet on the link",
    "claim.in_transaction": "A1",
    "claim.committed": "A2: durable, not pushed",
    "claim.pushed": "A3: on its way to the web process",
    "accept.received": "A5: said, not processed",
    "accept.committed": "A5",
    "complete.received": "C1, and B3: it waits in the mailbox",
    "complete.in_transaction": "C2",
    "complete.committed": "C3: durable, no acknowledgement sent",
    "complete.answered": "C4: acknowledgement not read",
    "reclaim.timer": "R1: leases have run out",
    "reclaim.in_transaction": "R2",
    "reclaim.committed": "R3: the old agent was not told",
    "cancel.in_transaction": "cancel, inside the transaction",
    "cancel.committed": "cancel, event not published",
}
BOOT_MOMENTS = {
    "boot.migrated": "O2",
    "boot.recovered": "O3: WAL read",
    "boot.indexed": "O4: index rebuilt",
    "boot.listening": "O5: listens, agents are not back",
}
WEB_MOMENTS = {
    "web.reply": "S5: the answer is made, not on the wire",
    "web.half_reply": "S6: half of the answer is written",
    "web.frame": "B2: a frame of an agent, not on the link",
    "web.push": "A3: a frame for an agent, not on the wire",
}
AGENT_MOMENTS = {
    "agent.assigned": "A4: read, acceptance not sent",
    "agent.accepted": "A5: acceptance sent",
    "agent.done": "C1: the outcome is noted, not sent",
    "agent.reported": "B1, C1: sent, not processed",
    "agent.forgotten": "C5: its own copy is deleted",
}
ROOT_MOMENTS = {"boot.locked": "O1: the data directory is locked"}


@dataclass(frozen=True, slots=True)
class Fired:
    """What a trap did: in which process and when (monotonic seconds)."""

    moment: str
    pid: int
    at: float


class Trap:
    """The test's end of the control file."""

    def __init__(self, control: Path) -> None:
        self.control = control
        self._fired = control.with_suffix(".fired")

    @property
    def environment(self) -> dict[str, str]:
        return {CONTROL_VARIABLE: str(self.control), "TEST_PLUGIN": PLUGIN}

    def arm(self, moment: str, action: str = "kill", count: int = 1) -> None:
        """``action``: kill, stop or raise."""
        self._fired.unlink(missing_ok=True)
        temporary = self.control.with_suffix(".new")
        temporary.write_text(f"{moment} {action} {count}")
        temporary.replace(self.control)

    def disarm(self) -> None:
        self.control.unlink(missing_ok=True)

    def fired(self) -> Fired | None:
        try:
            moment, pid, at = self._fired.read_text().split()
        except (FileNotFoundError, ValueError):
            return None
        return Fired(moment, int(pid), float(at))


# --- inside the processes ---------------------------------------------------------------------------------------------

_control = os.environ.get(CONTROL_VARIABLE, "")
_visits: dict[str, int] = {}


def moment(name: str) -> None:
    """This process has come to the moment. Returns unless a trap for it is armed and due."""
    try:
        with open(_control) as file:
            armed, action, count = file.read().split()
            armed_at = os.fstat(file.fileno()).st_mtime_ns
    except (FileNotFoundError, ValueError):
        return
    if armed != name:
        return
    key = f"{name} {armed_at}"
    _visits[key] = _visits.get(key, 0) + 1
    if _visits[key] >= int(count) and _take_control():
        _act(name, action)


def _take_control() -> bool:
    try:
        os.rename(_control, f"{_control}.{os.getpid()}")
    except FileNotFoundError:  # another process was first
        return False
    return True


def _act(name: str, action: str) -> None:
    fired = Path(_control).with_suffix(".fired")
    temporary = fired.with_suffix(".part")
    temporary.write_text(f"{name} {os.getpid()} {time.monotonic()}")
    temporary.replace(fired)
    if action == "raise":
        raise RuntimeError(f"planted at {name}")
    os.kill(os.getpid(), signal.SIGSTOP if action == "stop" else signal.SIGKILL)


def around(owner: Any, name: str, before: str | None = None, after: str | None = None) -> None:
    """Let calls of ``owner.name`` come to the moment ``before`` they begin and to ``after`` once they have returned."""
    original = getattr(owner, name)

    @functools.wraps(original)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        if before is not None:
            moment(before)
        result = original(*args, **kwargs)
        if after is not None:
            moment(after)
        return result

    setattr(owner, name, wrapped)


def _attach_hub() -> None:
    from actors import migrations
    from actors.leases import Leases
    from actors.sqlite_connection import SqliteConnection
    from actors.sqlite_storage import SqliteStorage
    from actors.task_queue import TaskQueue

    around(migrations, "migrate", after="boot.migrated")
    around(SqliteConnection, "wait_for_other_writers", after="boot.recovered")
    around(TaskQueue, "on_start", after="boot.indexed")
    _attach_batches(TaskQueue, SqliteStorage)
    _attach_link()
    expired = Leases.expired

    def expired_and_told(self: Leases, now: float) -> list[Any]:
        found = expired(self, now)
        if found:
            moment("reclaim.timer")
        return found

    Leases.expired = expired_and_told  # type: ignore[method-assign]


def _attach_batches(queue: Any, storage: Any) -> None:
    """All messages of a batch share one transaction, so its moments are those of each kind of message in it."""
    kinds: set[str] = set()  # only the queue's own thread comes here
    on_batch, commit = queue.on_batch, storage.commit

    def note(name: str, kind: str) -> None:
        original = getattr(queue, name)

        def handler(self: Any, *args: Any) -> Any:
            moment(f"{kind}.received")
            kinds.add(kind)
            return original(self, *args)

        setattr(queue, name, handler)

    for kind in ("submit", "claim", "accept", "complete", "cancel"):
        note(kind, kind)
    note("_reclaim", "reclaim")

    def at_each(stage: str) -> None:
        for kind in tuple(kinds):
            moment(f"{kind}.{stage}")

    def committed(self: Any) -> None:
        at_each("in_transaction")
        commit(self)
        at_each("committed")

    def batch(self: Any, requests: Any) -> None:
        kinds.clear()
        on_batch(self, requests)
        at_each("answered")

    storage.commit, queue.on_batch = committed, batch


def _attach_link() -> None:
    from link.messages import ToAgents
    from link.server import LinkServer

    send, start = LinkServer.send, LinkServer.start

    def told(self: LinkServer, peer: int | None, message: Any) -> None:
        send(self, peer, message)
        if isinstance(message, ToAgents) and "task_assign" in repr(message):
            moment("claim.pushed")

    async def listening(self: LinkServer) -> None:
        await start(self)
        moment("boot.listening")

    LinkServer.send, LinkServer.start = told, listening  # type: ignore[method-assign]


def _attach_web() -> None:
    from tornado.iostream import IOStream
    from tornado.web import RequestHandler

    from link.client import HubLink
    from link.messages import AgentFrame

    finish, send, write, to_agents = RequestHandler.finish, HubLink.send, IOStream.write, HubLink._received

    def finished(self: RequestHandler, *args: Any) -> Any:
        if self.request.method == "POST" and self.request.path == "/api/tasks":
            moment("web.reply")
        return finish(self, *args)

    def sent(self: HubLink, message: Any) -> None:
        if isinstance(message, AgentFrame):
            moment("web.frame")
        send(self, message)

    def written(self: IOStream, data: Any) -> Any:
        if data[:9] == b"HTTP/1.1 " and Path(_control).exists():
            _write_half(self, bytes(data))
        return write(self, data)

    def received(self: HubLink, messages: Any) -> None:
        if any(type(message).__name__ == "ToAgents" for message in messages):
            moment("web.push")
        to_agents(self, messages)

    RequestHandler.finish, HubLink.send = finished, sent  # type: ignore[method-assign]
    IOStream.write, HubLink._received = written, received  # type: ignore[method-assign]


def _write_half(stream: Any, data: bytes) -> None:
    """Only when this very moment is armed, because nothing can take these bytes back."""
    try:
        armed = Path(_control).read_text().split()[0]
    except (FileNotFoundError, IndexError):
        return
    if armed == "web.half_reply" and _take_control():
        stream.socket.send(data[: len(data) // 2])
        _act("web.half_reply", "kill")


def _attach_agent() -> None:
    from sidecar.connection import Connection
    from sidecar.journal import Journal
    from sidecar.session import TRANSITIONS, Session

    for key in [key for key in TRANSITIONS if TRANSITIONS[key] is Session._take]:
        TRANSITIONS[key] = _then(TRANSITIONS[key], "agent.assigned")
    around(Session, "ended", before="agent.done")
    send, write = Connection.send, Journal.write

    def sent(self: Connection, frame: dict[str, Any]) -> bool:
        result = send(self, frame)
        name = {"task_accepted": "agent.accepted", "task_complete": "agent.reported"}.get(frame["type"])
        if name is not None:
            moment(name)
        return result

    def written(self: Journal, attempt: Any) -> None:
        write(self, attempt)
        if attempt is None:
            moment("agent.forgotten")

    Connection.send, Journal.write = sent, written  # type: ignore[method-assign]


def _then(handler: Callable[..., Any], name: str) -> Callable[..., Any]:
    def handled(*args: Any) -> Any:
        result = handler(*args)
        moment(name)
        return result

    return handled


def _attach_root() -> None:
    from agentcom import data_dir

    around(data_dir, "lock", after="boot.locked")


ATTACH: dict[str, Callable[[], None]] = {
    "agentcom.hub": _attach_hub,
    "agentcom.web_process": _attach_web,
    "sidecar": _attach_agent,
    "agentcom": _attach_root,
}

if _control:
    _words = sys.orig_argv
    _program = _words[_words.index("-m") + 1] if "-m" in _words else ""
    if _program in ATTACH:
        ATTACH[_program]()
