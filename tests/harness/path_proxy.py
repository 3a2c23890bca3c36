"""A proxy that serves a hub below a path and takes the path away, as a web server in front of it would."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import Self

HEAD_END = b"\r\n\r\n"
CHUNK = 65536


class PathProxy:
    """Use as a context manager. One request a connection; a connection that is upgraded stays. The hub sees its own name."""

    def __init__(self, target_port: int, prefix: str) -> None:
        self._target_port = target_port
        self._prefix = prefix.encode()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self.port = 0

    def __enter__(self) -> Self:
        self._thread.start()
        starting = asyncio.run_coroutine_threadsafe(self._start(), self._loop)
        self.port = starting.result(timeout=10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=10)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}{self._prefix.decode()}"

    async def _start(self) -> int:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return int(server.sockets[0].getsockname()[1])

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            head = await reader.readuntil(HEAD_END)
            there = await asyncio.open_connection("127.0.0.1", self._target_port)
            there[1].write(self._rewritten(head))
            await asyncio.wait(
                [
                    asyncio.create_task(_pass_on(reader, there[1])),
                    asyncio.create_task(_pass_on(there[0], writer)),
                ],
                return_when=asyncio.FIRST_COMPLETED,
            )
            there[1].close()
        writer.close()

    def _rewritten(self, head: bytes) -> bytes:
        hub = b"127.0.0.1:%d" % self._target_port
        lines = head.split(b"\r\n")
        method, path, version = lines[0].split(b" ")
        assert path.startswith(self._prefix), f"the browser asked for {path!r}, outside of {self._prefix!r}"
        first = b" ".join((method, path.removeprefix(self._prefix) or b"/", version))
        kept = [line for line in lines[1:] if not line.lower().startswith((b"host:", b"origin:", b"connection: keep"))]
        is_upgrade = any(line.lower().startswith(b"upgrade:") for line in kept)
        added = [b"Host: " + hub, b"Origin: http://" + hub] if is_upgrade else [b"Host: " + hub, b"Connection: close"]
        return b"\r\n".join([first, *added, *kept])


async def _pass_on(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await source.read(CHUNK):
            sink.write(data)
            await sink.drain()
