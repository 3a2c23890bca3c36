"""The link to the hub, the listener, and the process as a whole."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from link.client import HubLink, HubRefused, HubUnavailable
from link.notify import notify
from tests.unit.web.kit import Kit, Refuse, ScriptedHub, until, with_kit
from web.options import WebLimits
from web.single_flight import SingleFlight

REPOSITORY = Path(__file__).resolve().parents[3]

# --- the link -----------------------------------------------------------------------------------------------------------


@with_kit()
async def test_a_call_is_answered_refused_or_unavailable(kit: Kit) -> None:
    link = kit.web.services.link

    def refuse() -> None:
        raise Refuse("queue_full", "no room")

    def busy() -> None:
        raise Refuse("unavailable", "restarting")

    kit.hub.ops |= {"x.value": lambda a: {"a": a, "b": b"\xff"}, "x.refused": refuse, "x.busy": busy}
    assert await link.call("x.value", a=[1, None]) == {"a": [1, None], "b": b"\xff"}
    with pytest.raises(HubRefused) as refused:
        await link.call("x.refused")
    assert (refused.value.code, refused.value.detail) == ("queue_full", "no room")
    with pytest.raises(HubUnavailable):
        await link.call("x.busy")


@with_kit()
async def test_a_call_has_a_deadline_and_its_late_answer_disturbs_nobody(kit: Kit) -> None:
    kit.hub.is_mute = True
    with pytest.raises(HubUnavailable, match="no answer"):
        await kit.web.services.link.call("dashboard.snapshot", timeout_s=0.05)
    kit.hub.is_mute = False
    assert (await kit.web.services.link.call("dashboard.snapshot"))["seq"] == 0


@with_kit()
async def test_calls_that_wait_fail_at_once_when_the_hub_dies(kit: Kit) -> None:
    kit.hub.is_mute = True
    loop = asyncio.get_running_loop()
    calls = [asyncio.create_task(kit.web.services.link.call("dashboard.snapshot", timeout_s=60)) for _ in range(20)]
    request = asyncio.create_task(kit.get("/api/tasks/stats"))
    await asyncio.sleep(0.05)
    start = loop.time()
    await kit.hub.stop()
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    assert all(isinstance(outcome, HubUnavailable) for outcome in outcomes) and loop.time() - start < 5
    assert (await request).status == 503


@with_kit()
async def test_too_many_waiting_calls_are_refused(kit: Kit, monkeypatch: pytest.MonkeyPatch | None = None) -> None:
    import link.client

    kit.hub.is_mute = True
    limit, link.client.MAX_PENDING_CALLS = link.client.MAX_PENDING_CALLS, 5
    try:
        calls = [asyncio.create_task(kit.web.services.link.call("dashboard.snapshot", timeout_s=0.2)) for _ in range(6)]
        outcomes = await asyncio.gather(*calls, return_exceptions=True)
    finally:
        link.client.MAX_PENDING_CALLS = limit
    assert "too many" in str(outcomes[5]) and "no answer" in str(outcomes[0])


@with_kit(with_hub=False)
async def test_it_reconnects_for_ever(kit: Kit) -> None:
    for boot in range(3):
        await asyncio.sleep(0.1)
        await kit.hub.restart(f"boot-{boot}")
        await until(lambda boot=boot: kit.web.services.feed.boot_id == f"boot-{boot}")
        assert (await kit.get("/api/dashboard/state", token=None)).status == 200
        await kit.hub.stop()
        await until(lambda: not kit.web.services.link.is_up)
        assert (await kit.get("/api/dashboard/state", token=None)).status == 503


@with_kit()
async def test_a_hub_that_speaks_nonsense_is_left(kit: Kit) -> None:
    connection = kit.web.services.link._connection
    assert connection is not None
    logging.getLogger().removeHandler(kit.errors)
    connection.data_received(b"\x00\x00\x00\x02\xff\xff")
    await until(lambda: kit.web.services.link._connection not in (None, connection))
    assert (await kit.get("/api/dashboard/state", token=None)).status == 200


def test_a_link_that_never_came_up_can_be_closed() -> None:
    async def main() -> None:
        with tempfile.TemporaryDirectory() as folder:
            link = HubLink(f"{folder}/nobody.sock", "web-0")
            link.start()
            assert not await link.wait_until_up(0.1)
            with pytest.raises(HubUnavailable):
                await link.call("x")
            await link.close()

    asyncio.run(main())


# --- sharing work -------------------------------------------------------------------------------------------------------


def test_a_fresh_outcome_began_after_the_question() -> None:
    async def main() -> None:
        started: list[int] = []
        gate = asyncio.Event()

        async def work() -> int:
            started.append(len(started))
            number = started[-1]
            await gate.wait()
            return number

        flight = SingleFlight(work)
        first = asyncio.create_task(flight.shared())
        await asyncio.sleep(0)
        late = [asyncio.create_task(flight.fresh()) for _ in range(10)]
        joined = asyncio.create_task(flight.shared())
        await asyncio.sleep(0.01)
        assert started == [0]
        gate.set()
        assert (await first, await joined) == (0, 0)
        assert await asyncio.gather(*late) == [1] * 10 and started == [0, 1]

    asyncio.run(main())


def test_a_failed_run_is_told_to_its_own_askers_only() -> None:
    async def main() -> None:
        outcomes = [ValueError("once"), 7]

        async def work() -> int:
            await asyncio.sleep(0)
            outcome = outcomes.pop(0)
            if isinstance(outcome, Exception):
                raise outcome
            return outcome

        flight = SingleFlight(work)
        first = asyncio.create_task(flight.shared())
        await asyncio.sleep(0)
        second = asyncio.create_task(flight.fresh())
        with pytest.raises(ValueError, match="once"):
            await first
        assert await second == 7

    asyncio.run(main())


# --- the listener -------------------------------------------------------------------------------------------------------


@with_kit(limits=WebLimits(connections=4))
async def test_beyond_its_capacity_it_takes_no_more_until_there_is_room(kit: Kit) -> None:
    held = [await asyncio.open_connection("127.0.0.1", kit.port) for _ in range(4)]
    await until(lambda: kit.web._listener.open_connections == 4)
    waiting = asyncio.create_task(kit.get("/health", token=None))
    await asyncio.sleep(0.1)
    assert not waiting.done(), "it waits in the kernel's queue, it is not refused"
    assert kit.web._listener.open_connections == 4
    held[0][1].close()
    assert (await waiting).status == 200
    for _, writer in held:
        writer.close()


@with_kit()
async def test_connections_of_every_kind_are_counted_until_they_are_gone(kit: Kit) -> None:
    agent, page = await kit.agent("a"), await kit.dashboard()
    await kit.get("/health")
    await until(lambda: kit.web._listener.open_connections == 2)
    agent.close()
    page.close()
    await until(lambda: kit.web._listener.open_connections == 0)


@with_kit()
async def test_running_out_of_files_is_waited_out_with_one_line(kit: Kit) -> None:
    class Exhausted:
        accepts = 0

        def fileno(self) -> int:
            return kit.web._socket.fileno()

        def accept(self) -> None:
            self.accepts += 1
            raise OSError(24, "Too many open files")

    listener, exhausted = kit.web._listener, Exhausted()
    listener._socket = exhausted  # type: ignore[assignment]
    _, writer = await asyncio.open_connection("127.0.0.1", kit.port)
    await asyncio.sleep(0.2)
    assert exhausted.accepts == 1, "and not once in every turn of the loop"
    listener._socket = kit.web._socket
    assert (await kit.get("/health", token=None)).status == 200
    writer.close()


# --- the process --------------------------------------------------------------------------------------------------------


def test_readiness_is_told_to_whoever_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(f"{folder}/notify")
        monkeypatch.setenv("NOTIFY_SOCKET", f"{folder}/notify")
        notify("READY=1")
        assert sock.recv(100) == b"READY=1"
    notify("READY=1")  # nobody listens any more
    monkeypatch.delenv("NOTIFY_SOCKET")
    notify("READY=1")


def test_a_real_process_serves_on_an_inherited_socket_and_stops_in_time() -> None:
    async def main() -> None:
        with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ready:
            ready.bind(f"{folder}/notify")
            ready.setblocking(False)
            hub = ScriptedHub(Path(folder) / "hub.sock")
            await hub.start()
            listening = socket.create_server(("127.0.0.1", 0))
            code = (
                "import sys; from web.process import run; from web.options import WebOptions;"
                f"sys.exit(run(WebOptions(listen_fd={listening.fileno()}, hub_socket={folder + '/hub.sock'!r}, web_id='w')))"
            )
            process = subprocess.Popen(
                [sys.executable, "-c", code],
                pass_fds=[listening.fileno()],
                env={**os.environ, "NOTIFY_SOCKET": f"{folder}/notify", "PYTHONPATH": str(REPOSITORY)},
                stderr=subprocess.PIPE,
            )
            try:
                loop = asyncio.get_running_loop()
                assert await asyncio.wait_for(loop.sock_recv(ready, 100), 20) == b"READY=1"
                reader, writer = await asyncio.open_connection(*listening.getsockname())
                writer.write(f"GET /health HTTP/1.1\r\nHost: 127.0.0.1:{listening.getsockname()[1]}\r\n\r\n".encode())
                assert b"200 OK" in await asyncio.wait_for(reader.readline(), 10)
                process.send_signal(signal.SIGTERM)
                assert await asyncio.to_thread(process.wait, 8) == 0
                writer.close()
            finally:
                process.kill()
                _, errors = process.communicate()
            assert b"Traceback" not in errors, errors.decode()
            await hub.stop()
            listening.close()

    asyncio.run(main())


@with_kit()
async def test_a_request_that_is_under_way_is_answered_while_stopping(kit: Kit) -> None:
    kit.hub.is_mute = True
    request = asyncio.create_task(kit.get("/api/tasks/stats"))
    await until(lambda: kit.web.services.requests_under_way)
    stopping = asyncio.create_task(kit.web.stop())
    await asyncio.sleep(0.05)
    [pending] = kit.web.services.link._pending.values()
    pending.set_result({"by_status": {}, "queued_by_priority": {}, "dead_letter": 0, "ready": 0})
    assert (await request).status == 200
    await stopping
