"""The link over a real Unix socket: many messages a write, any cut of the bytes, garbage refused, nothing lost or reordered."""

from __future__ import annotations

import asyncio
import os
import stat
from pathlib import Path

import pytest

from link.connection import LinkConnection
from link.framing import FrameError, FrameReader, encode_frame
from link.messages import AgentsSeen, Call, FromHub, FromWeb, Reply, WebHello
from link.server import LinkServer

MESSAGES = [WebHello("web-0", 7), Call(1, "tasks.get", {"task_id": "x", "n": [1, None]}), AgentsSeen(["a", "b"])]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 10_000])
def test_messages_survive_every_cut_of_the_stream(size: int) -> None:
    stream = encode_frame(MESSAGES) + encode_frame(MESSAGES[:1])
    reader: FrameReader[FromWeb] = FrameReader(FromWeb)
    got: list[FromWeb] = []
    for start in range(0, len(stream), size):
        got += reader.feed(stream[start : start + size])
    assert got == [*MESSAGES, MESSAGES[0]]


@pytest.mark.parametrize("garbage", [b"\xff\xff\xff\xff", b"\0\0\0\2\xc1\xc1", b"\0\0\0\1\x01", b"GET / HTTP/1.1\r\n"])
def test_garbage_is_refused(garbage: bytes) -> None:
    with pytest.raises(FrameError):
        FrameReader[FromWeb](FromWeb).feed(garbage)


class WebEnd:
    """The other end, for the test."""

    def __init__(self) -> None:
        self.got: list[FromHub] = []
        self.lost = asyncio.Event()
        self.connection: LinkConnection[FromHub] | None = None

    async def connect(self, path: Path) -> WebEnd:
        loop = asyncio.get_running_loop()
        _, self.connection = await loop.create_unix_connection(
            lambda: LinkConnection(FromHub, on_messages=self.got.extend, on_lost=self.lost.set), str(path)
        )
        return self


async def until(condition: object, timeout_s: float = 5.0) -> None:
    async with asyncio.timeout(timeout_s):
        while not condition():  # type: ignore[operator]
            await asyncio.sleep(0.005)


def test_both_directions_keep_order_and_the_socket_is_private(tmp_path: Path) -> None:
    async def scenario() -> None:
        path = tmp_path / "hub.sock"
        server = LinkServer(path)
        got: list[FromWeb] = []
        lost: list[int] = []
        server.on_messages = lambda peer, messages: got.extend(messages)
        server.on_lost = lost.append
        await server.start()
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
        web = await WebEnd().connect(path)
        assert web.connection is not None
        for number in range(1000):
            web.connection.send(Call(number, "op", {}))
        await until(lambda: len(got) == 1000)
        assert [call.call_id for call in got if isinstance(call, Call)] == list(range(1000))
        await asyncio.to_thread(lambda: [server.send(1, Reply(number)) for number in range(1000)])
        await until(lambda: len(web.got) == 1000)
        assert [reply.call_id for reply in web.got if isinstance(reply, Reply)] == list(range(1000))
        web.connection.close()
        await until(lambda: lost == [1])
        await server.close()

    asyncio.run(scenario())


def test_a_peer_that_speaks_garbage_is_cut_off(tmp_path: Path) -> None:
    async def scenario() -> None:
        server = LinkServer(tmp_path / "hub.sock")
        await server.start()
        reader, writer = await asyncio.open_unix_connection(str(tmp_path / "hub.sock"))
        writer.write(b"GET / HTTP/1.1\r\n\r\n")
        async with asyncio.timeout(5):
            assert await reader.read() == b""
        writer.close()
        await server.close()

    asyncio.run(scenario())


def test_disconnecting_all_lets_every_peer_know(tmp_path: Path) -> None:
    async def scenario() -> None:
        server = LinkServer(tmp_path / "hub.sock")
        await server.start()
        webs = [await WebEnd().connect(tmp_path / "hub.sock") for _ in range(2)]
        await until(lambda: len(server._peers) == 2)
        await asyncio.to_thread(server.disconnect_all)
        async with asyncio.timeout(5):
            await asyncio.gather(*(web.lost.wait() for web in webs))
        await server.close()

    asyncio.run(scenario())


def test_what_goes_over_a_connection_is_counted_at_both_ends(tmp_path: Path) -> None:
    async def scenario() -> None:
        path = tmp_path / "hub.sock"
        server = LinkServer(path)
        got: list[FromWeb] = []
        server.on_messages = lambda peer, messages: got.extend(messages)
        await server.start()
        web = await WebEnd().connect(path)
        assert web.connection is not None
        for message in MESSAGES:
            web.connection.send(message)
        await until(lambda: len(got) == 3)
        server.send(1, Reply(1, "x" * 1000))
        await until(lambda: len(web.got) == 1)
        mine, its = web.connection.traffic(), server.traffic()[1]
        assert (mine.messages_out, mine.messages_in) == (its.messages_in, its.messages_out) == (3, 1)
        assert (mine.bytes_out, mine.bytes_in) == (its.bytes_in, its.bytes_out)
        assert its.bytes_in == len(encode_frame(MESSAGES)) and its.bytes_out > 1000 and its.unsent_bytes == 0
        web.connection.close()
        await until(lambda: server.traffic() == {})
        await server.close()

    asyncio.run(scenario())


def test_a_peer_that_does_not_read_shows_in_what_is_unsent(tmp_path: Path) -> None:
    async def scenario() -> None:
        path = tmp_path / "hub.sock"
        server = LinkServer(path)
        await server.start()
        reader, writer = await asyncio.open_unix_connection(str(path))
        await until(lambda: 1 in server.traffic())
        reader._transport.pause_reading()  # type: ignore[attr-defined]
        server.send(1, Reply(1, "x" * 8_000_000))
        await until(lambda: server.traffic()[1].unsent_bytes > 1_000_000)
        writer.close()
        await server.close()

    asyncio.run(scenario())
