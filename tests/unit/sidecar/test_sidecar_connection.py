"""The end of a connection that is just coming about."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from sidecar import connection
from sidecar.connection import Connection, Listener
from sidecar.options import SidecarOptions


def nothing(*_: object, **__: object) -> None:
    pass


class Socket:
    """One that stays open until it is closed."""

    close_code = close_reason = None

    def __init__(self) -> None:
        self.closed = asyncio.Event()

    def close(self, *_: object) -> None:
        self.closed.set()

    async def read_message(self) -> None:
        await self.closed.wait()


@pytest.mark.parametrize("says_goodbye", [True, False])
def test_a_stop_in_the_moment_of_connecting_is_not_lost(
    make_options: Callable[..., SidecarOptions], monkeypatch: pytest.MonkeyPatch, says_goodbye: bool
) -> None:
    """A sidecar that was told to stop went on with a new connection for ever: the cancellation came with the socket."""

    async def stop_while_connecting() -> None:
        connecting: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        monkeypatch.setattr(connection, "websocket_connect", lambda *_, **__: connecting)
        listener = Listener(nothing, nothing, nothing, nothing, nothing)
        one = Connection(make_options(hub_url="http://127.0.0.1:1"), listener)
        task = asyncio.create_task(one.keep_open())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        connecting.set_result(Socket())
        if says_goodbye:
            await one.close()
        task.cancel()
        done, _ = await asyncio.wait({task}, timeout=10)
        assert done

    asyncio.run(stop_while_connecting())
