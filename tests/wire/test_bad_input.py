"""Bad input gets a 4xx that names field and rule, never the value, and changes nothing."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from tests.harness.hub import Hub

SECRET = "s3cr3t-value-that-must-not-come-back"


def counts(hub: Hub) -> Any:
    queue = hub.snapshot()["queue"]
    return queue["by_status"], queue["dead_letter"]


BAD_TASKS: list[tuple[dict[str, Any], str]] = [
    ({}, "description"),
    ({"description": ""}, "description"),
    ({"description": 7}, "description"),
    ({"description": None}, "description"),
    ({"description": SECRET * 1000}, "description"),
    ({"description": "x", "needed_capabilities": "code"}, "needed_capabilities"),
    ({"description": "x", "needed_capabilities": [SECRET * 10]}, "needed_capabilities"),
    ({"description": "x", "needed_capabilities": [{"a": SECRET}]}, "needed_capabilities"),
    ({"description": "x", "max_retries": -1}, "max_retries"),
    ({"description": "x", "max_retries": "x"}, "max_retries"),
    ({"description": "x", "max_retries": 1.5}, "max_retries"),
    ({"description": "x", "max_retries": True}, "max_retries"),
    ({"description": "x", "priority": SECRET}, "priority"),
    ({"description": "x", "priority": 4}, "priority"),
    ({"description": "x", "priority": {}}, "priority"),
    ({"description": "x", "complete_by": SECRET}, "complete_by"),
    ({"description": "x", "complete_by": -5}, "complete_by"),
    ({"description": "x", "metadata": [SECRET]}, "metadata"),
    ({"description": "x", "metadata": SECRET}, "metadata"),
    ({"description": "x", "metadata": {"k": SECRET * 1000}}, "metadata"),
    ({"description": "x", "assign_to": "a b"}, "assign_to"),
]


@pytest.mark.parametrize(("body", "field"), BAD_TASKS)
def test_a_bad_field_is_named_and_its_value_is_not(hub: Hub, body: dict[str, Any], field: str) -> None:
    """Lessons 16 and 17: such values were stored and crashed the scheduler at every turn."""
    before = counts(hub)
    answer = hub.post("/api/tasks", body)
    assert (answer.status, answer.json["error"]) == (422, "validation_failed")
    assert any(error["field"].startswith(field) for error in answer.json["errors"]), answer.json
    assert SECRET.encode() not in answer.body and len(answer.body) < 2048
    assert counts(hub) == before


BAD_BODIES: list[tuple[bytes, int]] = [
    (b"not json", 400),
    (b"", 400),
    (b'{"description": NaN}', 400),
    (b'{"description": "x", "metadata": {"n": 1e999}}', 400),
    (b'{"description": "x", "metadata": {"n": %d}}' % 2**70, 400),
    (b'{"description": "\\ud800"}', 400),
    (b'{"description": "\xff"}', 400),
    (b'{"description": "x", "metadata": ' + b'{"a":' * 100 + b"1" + b"}" * 101, 400),
    (b'{"description": "x"} trailing', 400),
    (b"[]", 422),
    (b"7", 422),
    (b'{"description": "' + b"x" * 2_000_000 + b'"}', 413),
]


@pytest.mark.parametrize(("raw", "status"), BAD_BODIES)
def test_a_body_that_is_no_task_is_refused(hub: Hub, raw: bytes, status: int) -> None:
    before = counts(hub)
    answer = hub.post("/api/tasks", raw)
    assert answer.status == status and answer.json["error"]
    assert counts(hub) == before


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
def test_only_json_is_taken(hub: Hub, kind: str) -> None:
    answer = hub.post("/api/tasks", b'{"description": "x"}', headers={"Content-Type": kind})
    assert answer.status in (400, 415) and answer.json["error"]


@pytest.mark.parametrize(
    "host", ["evil.test", "127.0.0.1.evil.test", "localhost.", "user@localhost", "", "127.0.0.1:1"]
)
def test_a_foreign_host_reads_nothing(hub: Hub, host: str) -> None:
    """DNS rebinding: the page's origin is not ours although the address is."""
    for path in ("/api/dashboard/state", "/dashboard", "/health"):
        answer = hub.get(path, token=None, headers={"Host": host})
        assert answer.status in (400, 421), (host, path)
        assert b"uptime" not in answer.body


@pytest.mark.parametrize("origin", ["http://evil.test", "null", "http://127.0.0.1:1", "https://localhost"])
def test_a_foreign_origin_changes_nothing(hub: Hub, origin: str) -> None:
    before = counts(hub)
    answer = hub.post("/api/tasks", {"description": "x"}, headers={"Origin": origin})
    assert answer.status == 403
    assert counts(hub) == before


def raw_exchange(hub: Hub, data: bytes, timeout_s: float = 30.0) -> bytes:
    """Send bytes; everything that comes back until the hub closes."""
    host, port = hub.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=timeout_s) as connection:
        connection.sendall(data)
        received = b""
        while chunk := connection.recv(65536):
            received += chunk
        return received


def test_a_giant_body_is_refused_before_it_is_read(hub: Hub) -> None:
    head = "POST /api/tasks HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: 100000000\r\n\r\n"
    answer = raw_exchange(hub, (head % hub.url.removeprefix("http://")).encode())
    assert b" 413 " in answer.splitlines()[0] or b" 400 " in answer.splitlines()[0]


@pytest.mark.slow
def test_a_half_sent_request_is_cut_off(hub: Hub) -> None:
    host = hub.url.removeprefix("http://")
    assert raw_exchange(hub, f"GET /health HTTP/1.1\r\nHost: {host}\r\nX-Slow: ".encode()) == b""


SECURITY_HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


@pytest.mark.parametrize("path", ["/dashboard", "/health", "/api/dashboard/state", "/nothing", "/api/tasks"])
def test_every_answer_carries_the_security_headers(hub: Hub, path: str) -> None:
    headers = hub.get(path, token=None).headers
    assert {name: headers.get(name) for name in SECURITY_HEADERS} == SECURITY_HEADERS
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy
    assert "access-control-allow-origin" not in headers
