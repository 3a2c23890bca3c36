"""The readiness protocol with a real socket at the other end."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from supervision import notify as module
from supervision.notify import notify
from supervision.process_notify import NotifySocket, seconds


@pytest.fixture
def listener(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[NotifySocket]:
    made = NotifySocket(tmp_path / "notify")
    monkeypatch.setenv("NOTIFY_SOCKET", made.path)
    yield made
    made.close()


def test_what_is_said_arrives_with_the_pid_that_said_it(listener: NotifySocket) -> None:
    assert notify("READY=1\nSTATUS=warm = hot") and notify("WATCHDOG=1")
    assert listener.read() == [
        (os.getpid(), {"READY": "1", "STATUS": "warm = hot"}),
        (os.getpid(), {"WATCHDOG": "1"}),
    ]


def test_an_address_in_the_abstract_namespace_is_understood(monkeypatch: pytest.MonkeyPatch) -> None:
    """As systemd gives it to containers."""
    name = f"agentcom-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(f"\0{name}")
        monkeypatch.setenv("NOTIFY_SOCKET", f"@{name}")
        assert notify("STOPPING=1")
        assert sock.recv(100) == b"STOPPING=1"


@pytest.mark.parametrize("address", [None, "", "/nobody/listens/here"])
def test_without_anybody_who_listens_it_is_false_and_no_error(
    address: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    if address is not None:
        monkeypatch.setenv("NOTIFY_SOCKET", address)
    assert not notify("READY=1")


def test_a_listener_that_stands_still_holds_nobody_up(listener: NotifySocket, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its queue is full after a few hundred at most; a sign of life is given up at once, everything else after its limit."""
    monkeypatch.setattr(module, "SEND_LIMIT_S", 0.05)
    sent = 0
    while notify("WATCHDOG=1"):
        sent += 1
        assert sent < 100_000
    assert not notify("READY=1")
    assert len(listener.read()) == sent
    assert notify("READY=1"), "when it reads again everything is as before"


def test_a_datagram_that_is_no_protocol_says_nothing(listener: NotifySocket) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        for data in (b"", b"\xff\xfe", b"READY", b"x" * 10_000):
            sock.sendto(data, listener.path)
    assert [said for _, said in listener.read()] == [{}, {}, {}, {}]


@pytest.mark.parametrize(
    ("said", "found"),
    [("1500000", 1.5), ("0", 0.0), ("", None), ("-1", None), ("1e6", None), ("9" * 30, None), ("٣", None)],
)
def test_a_number_of_the_protocol_is_one_or_none(said: str, found: float | None) -> None:
    assert seconds(said) == found
