"""What every request passes: Host, size and type, origin, token, role. Bad input gets a 4xx with a body and no traceback."""

from __future__ import annotations

import asyncio
import gzip
import json

import pytest

from tests.unit.web.kit import Kit, with_kit
from web.access import ACCESS
from web.headers import SECURITY_HEADERS
from web.options import WebLimits
from wire import limits
from wire.roles import Role

JSON = {"Content-Type": "application/json"}


def path_of(route: str) -> str:
    return route.replace(":path*", "app.js").replace(":id", "task-1")


def check_refusal(body: bytes) -> None:
    content = json.loads(body)
    assert isinstance(content["error"], str) and isinstance(content["detail"], str)
    assert content.keys() <= {"error", "detail", "hint", "errors", "task_id", "agent_id", "results"}


# --- Host and Origin ----------------------------------------------------------------------------------------------------


@with_kit()
async def test_a_foreign_host_reaches_no_route(kit: Kit) -> None:
    for method, route in ACCESS:
        for host in ("evil.test", f"127.0.0.1.evil.test:{kit.port}", "127.0.0.1:1", "localhost"):
            body = None if method in ("GET", "DELETE") else {}
            answer = await kit.request(method, path_of(route), body, headers={"Host": host})
            assert answer.status == 421, (method, route, host)
            assert answer.json["error"] == "misdirected_request"
    assert kit.hub.calls == []


@with_kit()
async def test_a_rebinding_page_cannot_open_a_socket(kit: Kit) -> None:
    """Its browser sends Sec-Fetch-Site: same-origin, because by name it is."""
    for path in ("/ws", "/ws/dashboard"):
        headers = {"Host": f"evil.test:{kit.port}", "Sec-Fetch-Site": "same-origin"}
        assert await kit.upgrade_status(path, headers) == 421


@with_kit()
async def test_an_absolute_address_in_the_request_line_changes_nothing(kit: Kit) -> None:
    head = f"GET http://evil.test/health HTTP/1.1\r\nHost: {kit.host}\r\nConnection: close\r\n\r\n"
    assert (await kit.raw(head.encode())).split(b"\r\n")[0].split()[1] in (b"200", b"404", b"400")
    head = f"GET http://{kit.host}/health HTTP/1.1\r\nHost: evil.test\r\nConnection: close\r\n\r\n"
    assert b" 421 " in (await kit.raw(head.encode())).split(b"\r\n")[0]


@with_kit()
async def test_a_foreign_page_changes_nothing(kit: Kit) -> None:
    for method, route in ACCESS:
        if method == "GET":
            continue
        for headers in (
            {"Origin": "http://evil.test"},
            {"Origin": "null"},
            {"Origin": f"http://127.0.0.1:{kit.port + 1}"},
            {"Origin": kit.url, "Sec-Fetch-Site": "cross-site"},
            {"Sec-Fetch-Site": "same-site"},
        ):
            answer = await kit.request(method, path_of(route), None if method == "DELETE" else {}, headers=headers)
            assert (answer.status, answer.json["error"]) == (403, "forbidden_origin"), (method, route, headers)
    assert kit.hub.calls == []


@with_kit(trusted_origins=("https://hub.example",), allowed_hosts=("hub.example",))
async def test_a_configured_origin_and_host_are_ours(kit: Kit) -> None:
    kit.hub.ops["settings.write"] = lambda key, value: None
    headers = {"Origin": "https://hub.example", "Host": "hub.example"}
    answer = await kit.request("PUT", "/api/config/heartbeat-interval", {"heartbeat_interval_ms": 5}, headers=headers)
    assert answer.status == 200


@with_kit()
async def test_no_answer_allows_other_origins_to_read_it(kit: Kit) -> None:
    for headers in ({"Origin": "http://evil.test"}, {"Origin": kit.url}):
        for path in ("/health", "/api/dashboard/state", "/nothing"):
            answer = await kit.get(path, headers=headers)
            assert not [name for name in answer.headers if name.lower().startswith("access-control")]


# --- size and type ------------------------------------------------------------------------------------------------------


@with_kit()
async def test_only_json_is_taken(kit: Kit) -> None:
    kinds = (
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/jsonx",
        "",
    )
    for kind in kinds:
        answer = await kit.post("/api/tasks", b'{"description":"x"}', headers={"Content-Type": kind})
        assert (answer.status, answer.json["error"]) == (415, "unsupported_media_type"), kind
    packed = gzip.compress(b'{"description":"x"}')
    answer = await kit.post("/api/tasks", packed, headers={"Content-Encoding": "gzip"})
    assert answer.status == 415
    for kind in ("application/json; charset=utf-8", "Application/JSON"):
        answer = await kit.post("/api/tasks", {}, headers={"Content-Type": kind})
        assert answer.status == 422, kind
    assert kit.hub.calls == []


@with_kit()
async def test_the_size_of_a_body_is_limited_to_the_byte(kit: Kit) -> None:
    padding = b" " * (limits.HTTP_BODY_BYTES - 2)
    assert (await kit.post("/api/tasks", b"{" + padding + b"}")).status == 422
    answer = await kit.post("/api/tasks", b"{" + padding + b" }")
    assert (answer.status, answer.json["error"]) == (413, "body_too_large")


@with_kit()
async def test_a_giant_body_is_refused_before_it_is_read(kit: Kit) -> None:
    head = (
        f"POST /api/tasks HTTP/1.1\r\nHost: {kit.host}\r\nContent-Type: application/json\r\n"
        "Expect: 100-continue\r\nContent-Length: 90000000\r\n\r\n"
    )
    answer = await kit.raw(head.encode())
    assert b" 413 " in answer.split(b"\r\n")[0] and b"body_too_large" in answer and b"100 (Continue)" not in answer


@with_kit()
async def test_a_chunked_body_is_counted_as_it_comes(kit: Kit) -> None:
    chunk = b"10000\r\n" + b"x" * 65536 + b"\r\n"
    head = (
        f"POST /api/tasks HTTP/1.1\r\nHost: {kit.host}\r\nContent-Type: application/json\r\nConnection: close\r\n"
        f"Authorization: Bearer {kit.admin}\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    answer = await kit.raw(head.encode() + chunk * 20 + b"0\r\n\r\n")
    assert b" 413 " in answer.split(b"\r\n")[0]
    assert await endless(kit, head.encode(), chunk) < 16 * 2**20


async def endless(kit: Kit, head: bytes, chunk: bytes) -> int:
    """How much the server takes of a body that never ends."""
    reader, writer = await asyncio.open_connection("127.0.0.1", kit.port)
    writer.write(head)
    sent = 0
    try:
        while not reader.at_eof() and sent < 2**26:
            writer.write(chunk)
            await writer.drain()
            sent += len(chunk)
    except ConnectionError:
        pass
    writer.close()
    return sent


BAD_BODIES: list[tuple[bytes, int, str]] = [
    (b"not json", 400, "invalid_json"),
    (b"", 400, "invalid_json"),
    (b'{"description": NaN}', 400, "invalid_json"),
    (b'{"description": "x", "metadata": {"n": 1e999}}', 400, "invalid_json"),
    (b'{"description": "x", "metadata": {"n": %d}}' % 2**70, 400, "invalid_json"),
    (b'{"description": "\\ud800"}', 400, "invalid_json"),
    (b'{"description": "\xff"}', 400, "invalid_json"),
    (b'{"description": "x", "metadata": ' + b'{"a":' * 100 + b"1" + b"}" * 101, 400, "invalid_json"),
    (b'{"description": "x"} trailing', 400, "invalid_json"),
    (b"[]", 422, "validation_failed"),
    (b"7", 422, "validation_failed"),
    (b"null", 422, "validation_failed"),
]


@with_kit()
async def test_a_body_that_is_no_task_is_refused_with_a_reason(kit: Kit) -> None:
    for raw, status, code in BAD_BODIES:
        answer = await kit.post("/api/tasks", raw)
        assert (answer.status, answer.json["error"]) == (status, code), raw[:40]
        check_refusal(answer.body)
    assert kit.hub.calls == []


@with_kit()
async def test_garbage_gets_a_400_or_nothing(kit: Kit) -> None:
    for raw in (
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"x" * 100 + b"\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"POST /api/tasks HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
        b"POST /api/tasks HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST /api/tasks HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        b"POST /api/tasks HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999999\r\n\r\n",
        b"POST /api/tasks HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"FOO / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    ):
        answer = await kit.raw(raw)
        assert answer == b"" or answer.split(b"\r\n")[0].split()[1] in (b"400", b"404", b"413", b"421"), raw


@with_kit(limits=WebLimits(header_timeout_s=0.2, body_timeout_s=0.2))
async def test_a_half_sent_request_is_cut_off(kit: Kit) -> None:
    assert await kit.raw(f"GET /health HTTP/1.1\r\nHost: {kit.host}\r\nX-Slow: ".encode()) == b""
    half = f"POST /api/tasks HTTP/1.1\r\nHost: {kit.host}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{{"
    assert await kit.raw(half.encode()) == b""


# --- tokens and roles ---------------------------------------------------------------------------------------------------

PROTECTED = [row for row, access in ACCESS.items() if not access.is_open and not access.is_dashboard]


@with_kit()
async def test_without_a_good_token_there_is_only_401(kit: Kit) -> None:
    for method, route in PROTECTED:
        for token in (None, "nonsense", "hub_admin_" + "A" * 16 + "_" + "A" * 43):
            answer = await kit.request(method, path_of(route), None if method in ("GET", "DELETE") else {}, token=token)
            assert (answer.status, answer.json["error"]) == (401, "unauthorized"), (method, route)
            assert answer.json["hint"] == "provide Authorization: Bearer <token>"
    assert {op for op, _ in kit.hub.calls} <= {"identities.list"}


@with_kit()
async def test_the_scheme_word_is_of_any_case(kit: Kit) -> None:
    kit.hub.ops["tasks.stats"] = lambda: {"by_status": {}, "queued_by_priority": {}, "dead_letter": 0, "ready": 0}
    for scheme in ("bearer", "BEARER", "Bearer"):
        headers = {"Authorization": f"{scheme} {kit.admin}"}
        assert (await kit.get("/api/tasks/stats", token=None, headers=headers)).status == 200
    for header in (kit.admin, f"Basic {kit.admin}", f"Bearer{kit.admin}"):
        assert (await kit.get("/api/tasks/stats", token=None, headers={"Authorization": header})).status == 401


@with_kit()
async def test_each_role_reaches_its_routes_and_no_others(kit: Kit) -> None:
    tokens = {role: kit.hub.token(role.value, f"some-{role.value}") for role in Role}
    for op in ("tasks.list", "tasks.stats"):
        kit.hub.ops[op] = lambda **_: 1 / 0  # never reached where the role does not allow it
    for method, route in PROTECTED:
        access = ACCESS[method, route]
        for role, token in tokens.items():
            if role in access.roles or role in access.own:
                continue
            answer = await kit.request(method, path_of(route), None if method in ("GET", "DELETE") else {}, token=token)
            assert (answer.status, answer.json["error"]) == (403, "forbidden"), (method, route, role)
    assert {op for op, _ in kit.hub.calls} <= {"identities.list"}


@with_kit()
async def test_a_token_in_the_address_is_refused_everywhere(kit: Kit) -> None:
    """Lesson 81: it ends in logs and histories."""
    for _, route in (row for row in ACCESS if row[0] == "GET" and row[1] not in ("/ws", "/ws/dashboard")):
        answer = await kit.get(f"{path_of(route)}?token={kit.admin}", token=None)
        assert (answer.status, answer.json["error"]) == (400, "token_in_url"), route
    assert await kit.upgrade_status(f"/ws?token={kit.admin}", {}) == 400


@with_kit()
async def test_a_token_that_another_process_made_is_good_at_once(kit: Kit) -> None:
    kit.hub.ops["tasks.stats"] = lambda: {"by_status": {}, "queued_by_priority": {}, "dead_letter": 0, "ready": 0}
    token = kit.hub.token("agent", "new", tell=False)
    assert (await kit.get("/api/tasks/stats", token=token)).status == 200


@with_kit()
async def test_guessing_tokens_does_not_load_the_hub(kit: Kit) -> None:
    bad = "hub_agent_" + "A" * 16 + "_" + "A" * 43
    answers = await asyncio.gather(*(kit.get("/api/tasks/stats", token=bad) for _ in range(10)))
    assert {answer.status for answer in answers} == {401}
    assert len([op for op, _ in kit.hub.calls if op == "identities.list"]) <= 5


@with_kit(dashboard_auth="token")
async def test_reading_the_dashboard_can_be_closed(kit: Kit) -> None:
    for path in ("/api/dashboard/state", "/api/agents"):
        assert (await kit.get(path, token=None)).status == 401
        assert (await kit.get(path, token=kit.hub.token("agent", "a"))).status == 200
    for path in ("/dashboard", "/health"):
        assert (await kit.get(path, token=None)).status == 200


@with_kit(with_hub=False)
async def test_without_a_hub_nobody_is_let_in_and_nobody_is_turned_away(kit: Kit) -> None:
    """503 and not 401: the token may be good."""
    answer = await kit.get("/api/tasks/stats")
    assert (answer.status, answer.json["error"], answer.headers["Retry-After"]) == (503, "hub_unavailable", "1")
    assert (await kit.get("/api/tasks/stats", token="nonsense")).status == 503
    assert (await kit.get("/health", token=None)).status == 503
    assert (await kit.get("/dashboard", token=None)).status == 200


# --- answers ------------------------------------------------------------------------------------------------------------


@with_kit()
async def test_every_answer_carries_the_security_headers(kit: Kit) -> None:
    paths = ["/dashboard", "/static/app.js", "/health", "/api/dashboard/state", "/nothing", "/api/tasks", "/ws", "/"]
    answers = [await kit.get(path, token=None) for path in paths]
    answers += [await kit.post("/api/tasks", b"x"), await kit.get("/health", headers={"Host": "evil.test"})]
    for answer in answers:
        for name in SECURITY_HEADERS:
            assert name in answer.headers, (answer.status, name)
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy and "*" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "Server" not in answer.headers
    assert f"ws://{kit.host}" in answers[0].headers["Content-Security-Policy"]
    assert "evil.test" not in answers[-1].headers["Content-Security-Policy"]


@with_kit()
async def test_unknown_paths_and_methods_are_not_found(kit: Kit) -> None:
    """Never 405: the protocol has no such answer."""
    for method, path in [
        ("GET", "/nothing"),
        ("POST", "/health"),
        ("PUT", "/api/tasks"),
        ("DELETE", "/api/tasks/task-1"),
        ("PATCH", "/api/tasks"),
        ("OPTIONS", "/api/tasks"),
        ("POST", "/ws"),
        ("GET", "/api/tasks/a/b/c"),
        ("GET", "/API/tasks"),
        ("GET", "//health"),
        ("GET", "/static/"),
        ("GET", "/api/tasks/%ff"),
    ]:
        answer = await kit.request(method, path, {} if method in ("POST", "PUT", "PATCH") else None)
        assert answer.status in (404, 400) and answer.json["error"] in ("not_found", "bad_request"), (method, path)


@with_kit()
async def test_head_is_get_without_the_body(kit: Kit) -> None:
    answer = await kit.request("HEAD", "/health")
    assert answer.status == 200 and answer.body == b""
    assert (await kit.request("HEAD", "/admin/tokens/x")).status == 404


def test_a_fault_of_ours_is_a_500_that_says_nothing_and_one_line_in_the_log() -> None:
    async def main() -> None:
        kit = Kit()
        with pytest.raises(AssertionError, match="tasks/stats failed"):
            async with kit:
                kit.hub.ops["tasks.stats"] = lambda: {"unexpected": "s3cr3t"}
                answer = await kit.get("/api/tasks/stats")
                assert answer.status == 500
                assert answer.json == {"error": "internal_error", "detail": "the hub made a mistake; its log says more"}
        assert len(kit.errors.lines) == 1

    asyncio.run(main())
