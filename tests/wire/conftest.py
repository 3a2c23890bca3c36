"""One real hub for the whole folder: two web processes, as a user would have it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count

import pytest

from tests.harness.hub import Hub
from tests.harness.socket import Socket

_numbers = count(1)


@pytest.fixture(scope="session")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    with Hub(tmp_path_factory.mktemp("wire") / "data") as started:
        yield started
        log = started.log()
    assert "Traceback" not in log, log[-6000:]


@pytest.fixture
def agent_id() -> str:
    """A name that no other test uses."""
    return f"agent-{next(_numbers)}"


@pytest.fixture
def connect(hub: Hub) -> Iterator[Callable[..., Socket]]:
    """Opens an identified agent socket; closed after the test."""
    opened: list[Socket] = []

    def open_socket(agent_id: str, *capabilities: object, token: str | None = None, **fields: object) -> Socket:
        socket = Socket(f"{hub.ws_url}/ws")
        opened.append(socket)
        answer = socket.ask(
            type="identify",
            agent_id=agent_id,
            token=token or hub.agent_token(agent_id),
            capabilities=list(capabilities),
            protocol_version=1,
            client_type="test",
            **fields,
        )
        assert answer == {"type": "identified", "agent_id": agent_id}
        return socket

    yield open_socket
    for socket in opened:
        socket.close()
