"""What a page on this machine may write without a token, and who else may not."""

from __future__ import annotations

from typing import Any

from tests.unit.web.kit import Kit, with_kit
from web.access import ACCESS

CANCEL = "/api/tasks/task-1/cancel"


def with_tasks(kit: Kit) -> None:
    kit.hub.ops["tasks.cancel"] = lambda task_id, cancelled_by: {"previous_status": "queued"}


async def cancel(kit: Kit, *, token: str | None = None, **headers: str) -> int:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return (await kit.post(CANCEL, headers=named, token=token)).status


def cancelled_by(kit: Kit) -> list[Any]:
    return [args["cancelled_by"] for op, args in kit.hub.calls if op == "tasks.cancel"]


@with_kit()
async def test_a_page_of_ours_on_this_machine_needs_no_token(kit: Kit) -> None:
    with_tasks(kit)
    assert await cancel(kit, Origin=kit.url) == 200
    assert await cancel(kit, Origin=kit.url, Sec_Fetch_Site="same-origin") == 200
    assert cancelled_by(kit) == ["dashboard", "dashboard"]


@with_kit(trusted_origins=("https://hub.example",))
async def test_nobody_else_writes_without_one(kit: Kit) -> None:
    with_tasks(kit)
    assert await cancel(kit) == 401
    assert await cancel(kit, Sec_Fetch_Site="same-origin") == 401
    assert await cancel(kit, Origin="https://hub.example") == 401
    for forwarding in ("Forwarded", "X_Forwarded_For", "X_Real_Ip", "Via"):
        assert await cancel(kit, Origin=kit.url, **{forwarding: "192.0.2.7"}) == 401
    for foreign in ("http://evil.test", "null", f"http://127.0.0.1:{kit.port + 1}", f"https://{kit.host}"):
        assert await cancel(kit, Origin=foreign) == 403
    assert await cancel(kit, Origin=kit.url, Sec_Fetch_Site="cross-site") == 403
    assert cancelled_by(kit) == []


@with_kit()
async def test_a_program_on_another_machine_writes_nothing_by_naming_our_origin(kit: Kit) -> None:
    """Nothing in a test comes from elsewhere, so the web process is told that this did."""
    with_tasks(kit)
    kit.web.services.is_local = lambda request: False  # type: ignore[method-assign]
    assert await cancel(kit, Origin=kit.url) == 401
    assert cancelled_by(kit) == []


@with_kit(dashboard_auth="token")
async def test_where_reading_needs_a_token_writing_needs_one_too(kit: Kit) -> None:
    with_tasks(kit)
    assert await cancel(kit, Origin=kit.url) == 401
    assert await cancel(kit, token=kit.hub.token("operator", "olga"), Origin=kit.url) == 200
    assert cancelled_by(kit) == ["olga"]


@with_kit()
async def test_a_token_that_was_sent_decides(kit: Kit) -> None:
    with_tasks(kit)
    assert await cancel(kit, token="hub_operator_nonsense_x", Origin=kit.url) == 401
    assert await cancel(kit, Origin=kit.url, Authorization="Basic eDp5") == 401
    assert await cancel(kit, token=kit.hub.token("agent", "anna"), Origin=kit.url) == 403
    assert cancelled_by(kit) == []


@with_kit()
async def test_it_reaches_no_route_that_is_not_marked_for_it(kit: Kit) -> None:
    kit.hub.calls.clear()
    for (method, route), access in ACCESS.items():
        if method == "GET" or access.is_for_page or access.is_open:
            continue
        body = None if method == "DELETE" else {}
        path = route.replace(":id", "task-1")
        answer = await kit.request(method, path, body, token=None, headers={"Origin": kit.url})
        assert answer.status == 401, (method, route)
    assert kit.hub.calls == []
