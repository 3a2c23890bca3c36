"""``/ws/dashboard`` over a real socket: who may open it, who may command, and that junk changes nothing."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.unit.web.kit import Kit, Refuse, with_kit
from web.options import WebLimits


@with_kit()
async def test_a_snapshot_comes_first_and_events_follow(kit: Kit) -> None:
    page = await kit.dashboard()
    frame = await page.hear()
    assert frame == {"type": "snapshot", "data": kit.hub.snapshot(), "seq": 0, "boot_id": "boot-1"}
    kit.hub.batch(1, 2, task_id="t")
    frame = await page.hear()
    assert (frame["type"], frame["first_seq"], frame["seq"]) == ("events", 1, 2)
    assert [event["seq"] for event in frame["data"]] == [1, 2]


@with_kit()
async def test_only_pages_of_ours_and_programs_may_open_it(kit: Kit) -> None:
    for headers in (
        {"Origin": "http://evil.test"},
        {"Origin": "null"},
        {"Origin": f"http://127.0.0.1:{kit.port + 1}"},
        {"Origin": kit.url, "Sec-Fetch-Site": "cross-site"},
    ):
        assert await kit.upgrade_status("/ws/dashboard", headers) == 403, headers
    assert (await (await kit.socket("/ws/dashboard")).hear())["type"] == "snapshot"


def commands(kit: Kit) -> None:
    def retry(task_id: str, requested_by: str) -> dict[str, Any]:
        if task_id != "t":
            raise Refuse("not_found")
        return {"task_id": task_id, "priority": 2}

    kit.hub.ops["tasks.retry"] = retry
    kit.hub.ops["tasks.cancel"] = lambda task_id, cancelled_by: {"task_id": task_id, "previous_status": "queued"}


@with_kit()
async def test_a_page_on_this_machine_may_command(kit: Kit) -> None:
    commands(kit)
    page = await kit.dashboard()
    await page.hear()
    await page.say(type="retry_task", task_id="t")
    assert await page.hear() == {"type": "retry_result", "task_id": "t", "status": "requeued"}
    await page.say(type="retry_task", task_id="other")
    assert await page.hear() == {"type": "retry_result", "task_id": "other", "status": "not_found"}
    await page.say(type="cancel_task", task_id="t")
    assert await page.hear() == {"type": "cancel_result", "task_id": "t", "status": "cancelled"}
    names = [
        args.get("requested_by") or args.get("cancelled_by") for op, args in kit.hub.calls if op.startswith("tasks.")
    ]
    assert names == ["dashboard"] * 3


@with_kit()
async def test_nobody_else_may_without_an_operators_token(kit: Kit) -> None:
    """No Origin is no page of ours; a forwarding header means that somebody else is behind the address."""
    commands(kit)
    for headers in (
        {},
        {"Origin": kit.url, "X-Forwarded-For": "1.2.3.4"},
        {"Origin": kit.url, "Forwarded": "for=1.2.3.4"},
    ):
        page = await kit.socket("/ws/dashboard", headers)
        await page.hear()
        await page.say(type="retry_task", task_id="t")
        assert (await page.hear())["status"] == "forbidden"
        await page.say(type="auth", token="nonsense")
        assert await page.hear() == {"type": "auth_result", "status": "refused"}
        await page.say(type="auth", token=kit.hub.token("submitter", "sub"))
        assert (await page.hear())["status"] == "ok"
        await page.say(type="retry_task", task_id="t")
        assert (await page.hear())["status"] == "forbidden"
        await page.say(type="auth", token=kit.hub.token("operator", "olga"))
        assert await page.hear() == {"type": "auth_result", "status": "ok", "role": "operator"}
        await page.say(type="retry_task", task_id="t")
        assert (await page.hear())["status"] == "requeued"
    assert {args["requested_by"] for op, args in kit.hub.calls if op == "tasks.retry"} == {"olga"}


@with_kit()
async def test_three_bad_tokens_close_the_connection(kit: Kit) -> None:
    page = await kit.dashboard()
    for _ in range(3):
        await page.say(type="auth", token="nonsense")
    assert await page.closed() == 4401


@with_kit()
async def test_what_it_does_not_understand_it_ignores(kit: Kit) -> None:
    page = await kit.dashboard()
    await page.hear()
    for junk in (
        "not json",
        "[]",
        '{"type":"nonsense"}',
        "7",
        "null",
        '{"type":["x"]}',
        b"\x00\x01",
        '{"type":"retry_task"}',
    ):
        await page.say(junk)
    for task_id in (7, "", "a b", "x" * 65, None, ["t"], "\u0000"):
        await page.say(type="cancel_task", task_id=task_id)
    assert await page.is_silent()
    await asyncio.sleep(0.3)
    await page.say(type="request_snapshot")
    assert (await page.hear())["type"] == "snapshot"
    assert {op for op, _ in kit.hub.calls} == {"dashboard.snapshot"}


@with_kit()
async def test_a_giant_message_closes_the_connection(kit: Kit) -> None:
    page = await kit.dashboard()
    await page.say('{"x":"' + "x" * 17_000 + '"}')
    assert await page.closed() == 1009


@with_kit()
async def test_a_command_while_the_hub_is_away_says_so(kit: Kit) -> None:
    page = await kit.dashboard()
    await page.hear()
    await kit.hub.stop()
    assert await page.hear() == {"type": "hub_status", "status": "away"}
    await page.say(type="retry_task", task_id="t")
    assert await page.hear() == {"type": "retry_result", "task_id": "t", "status": "unavailable"}
    await kit.hub.restart("boot-2")
    assert await page.hear() == {"type": "hub_status", "status": "back"}
    frame = await page.hear()
    assert (frame["type"], frame["boot_id"]) == ("snapshot", "boot-2")


@with_kit(dashboard_auth="token")
async def test_a_closed_dashboard_shows_nothing_until_a_token_came(kit: Kit) -> None:
    page = await kit.dashboard()
    await page.say(type="request_snapshot")
    await page.say(type="retry_task", task_id="t")
    assert await page.is_silent()
    await page.say(type="auth", token=kit.hub.token("agent", "a"))
    assert (await page.hear())["status"] == "ok"
    assert (await page.hear())["type"] == "snapshot"


@with_kit(dashboard_auth="token")
async def test_a_revoked_viewer_is_closed(kit: Kit) -> None:
    page = await kit.dashboard()
    await page.say(type="auth", token=kit.hub.token("operator", "olga"))
    await page.hear_type("snapshot")
    await kit.request("DELETE", "/admin/tokens/olga")
    assert await page.closed() == 4403


@with_kit(limits=WebLimits(dashboards=2))
async def test_dashboards_are_bounded(kit: Kit) -> None:
    first = await kit.dashboard()
    await kit.dashboard()
    assert await kit.upgrade_status("/ws/dashboard", {"Origin": kit.url}) == 503
    first.close()
    await first.closed()
    await kit.dashboard()


@with_kit()
async def test_a_page_that_asks_all_the_time_gets_no_more_than_ten_frames_a_second(kit: Kit) -> None:
    page = await kit.dashboard()
    loop = asyncio.get_running_loop()
    start, arrivals, seq = loop.time(), [], 0
    while loop.time() - start < 1.5:
        seq += 1
        kit.hub.batch(seq)
        await page.say(type="request_snapshot")
        try:
            await page.hear(0.01)
            arrivals.append(loop.time())
        except TimeoutError:
            continue
    assert len(arrivals) <= 20


@with_kit()
async def test_many_pages_cost_one_snapshot(kit: Kit) -> None:
    pages = await asyncio.gather(*(kit.dashboard() for _ in range(20)))
    frames = await asyncio.gather(*(page.hear() for page in pages))
    assert all(frame["type"] == "snapshot" for frame in frames)
    assert len([op for op, _ in kit.hub.calls if op == "dashboard.snapshot"]) <= 4
