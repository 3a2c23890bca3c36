"""``/ws`` over a real socket: identification, frames to and from the hub, and a hub that goes away."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

from tornado.httpclient import HTTPRequest
from tornado.websocket import WebSocketClosedError, websocket_connect

from link.messages import IdentityUpdate, ToAgents
from tests.unit.web.kit import Kit, Socket, until, with_kit
from web.options import WebLimits
from wire import limits
from wire.frames import FRAMES


def frames_of(kit: Kit, type_: str) -> list[dict[str, Any]]:
    return [message.frame for message in kit.hub.frames if message.frame["type"] == type_]


# --- identify -----------------------------------------------------------------------------------------------------------


@with_kit()
async def test_an_agent_is_announced_with_what_it_said(kit: Kit) -> None:
    await kit.agent("a-1", name="Ägent", status="ready", capabilities=["code", {"name": "gpu", "n": 2}], presence=True)
    [up] = kit.hub.ups
    assert (up.agent_id, up.name, up.status, up.presence, up.resumed) == ("a-1", "Ägent", "ready", True, False)
    assert up.capabilities == ["code", {"name": "gpu", "n": 2}]
    assert up.connection.startswith("web-0-") and up.connected_at > 1.6e12


@with_kit()
async def test_defaults_of_identify(kit: Kit) -> None:
    await kit.agent("a-1")
    [up] = kit.hub.ups
    assert (up.name, up.status, up.capabilities, up.presence) == ("a-1", "connected", [], False)


@with_kit()
async def test_every_connection_has_an_id_of_its_own(kit: Kit) -> None:
    await kit.agent("a-1")
    await kit.agent("a-1")
    await until(lambda: len(kit.hub.ups) == 2)
    assert len({up.connection for up in kit.hub.ups}) == 2


@with_kit()
async def test_before_identify_everything_else_is_not_identified(kit: Kit) -> None:
    socket = await kit.socket("/ws")
    for raw in (
        '{"type":"ping"}',
        "[]",
        "42",
        "{}",
        '{"type":"identify"}',
        '{"type":"identify","agent_id":"a b"}',
        "null",
    ):
        answer = await socket.ask(raw)
        assert (answer["type"], answer["error"]) == ("error", "not_identified"), raw
    assert kit.hub.ups == kit.hub.frames == []


@with_kit()
async def test_a_field_given_twice_in_identify_is_refused(kit: Kit) -> None:
    socket = await kit.socket("/ws")
    token = kit.hub.token("agent", "a")
    answer = await socket.ask(f'{{"type":"identify","agent_id":"a","agent_id":"b","token":"{token}"}}')
    assert answer["error"] == "invalid_json"


@with_kit()
async def test_the_third_bad_token_closes_the_connection(kit: Kit) -> None:
    socket = await kit.socket("/ws")
    for _ in range(2):
        assert await socket.ask(type="identify", agent_id="a", token="hub_agent_wrong") == {
            "type": "error",
            "error": "invalid_token",
        }
    await socket.say(type="identify", agent_id="a", token="hub_agent_wrong")
    assert await socket.closed() == 4401


@with_kit()
async def test_somebody_who_keeps_guessing_gets_one_try_a_connection_and_the_agent_still_gets_in(kit: Kit) -> None:
    for _ in range(4):
        socket = await kit.socket("/ws")
        for _ in range(3):
            await socket.say(type="identify", agent_id="a", token="hub_agent_wrong")
        assert await socket.closed() == 4401
    socket = await kit.socket("/ws")
    await socket.say(type="identify", agent_id="a", token="hub_agent_wrong")
    assert await socket.closed() == 4401
    await kit.agent("a")


@with_kit()
async def test_a_token_works_for_its_own_agent_and_role_only(kit: Kit) -> None:
    other = kit.hub.token("agent", "other")
    socket = await kit.socket("/ws")
    answer = await socket.ask(type="identify", agent_id="a", token=other)
    assert answer["error"] == "token_agent_mismatch"
    answer = await socket.ask(type="identify", agent_id="admin", token=kit.admin)
    assert answer["error"] == "invalid_token"


@with_kit()
async def test_the_token_may_come_in_the_upgrade_and_both_are_checked(kit: Kit) -> None:
    good, other = kit.hub.token("agent", "a"), kit.hub.token("agent", "b")
    for header, field, outcome in [
        (good, None, None),
        (good, good, None),
        (None, None, "invalid_token"),
        ("nonsense", good, "invalid_token"),
        (good, "nonsense", "invalid_token"),
        (other, good, "token_agent_mismatch"),
    ]:
        socket = await kit.socket("/ws", {"Authorization": f"Bearer {header}"} if header else {})
        answer = await socket.ask(type="identify", agent_id="a", **({"token": field} if field else {}))
        assert answer.get("error") == outcome, (header, field)


@with_kit()
async def test_a_browser_cannot_be_an_agent(kit: Kit) -> None:
    for origin in (kit.url, "http://evil.test", "null"):
        assert await kit.upgrade_status("/ws", {"Origin": origin}) == 403


@with_kit(limits=WebLimits(identify_timeout_s=0.1))
async def test_a_connection_that_does_not_identify_is_closed(kit: Kit) -> None:
    assert await (await kit.socket("/ws")).closed() == 1008
    socket = await kit.socket("/ws")
    await socket.say(type="identify", agent_id="a", token="bad")
    assert await socket.closed() == 1008, "a bad try starts the time anew, once"
    assert kit.web.services.unidentified == 0


@with_kit(limits=WebLimits(unidentified_agents=3))
async def test_connections_that_do_not_identify_are_bounded(kit: Kit) -> None:
    for _ in range(3):
        await kit.socket("/ws")
    assert await kit.upgrade_status("/ws", {}) == 503


@with_kit()
async def test_a_first_frame_is_short(kit: Kit) -> None:
    socket = await kit.socket("/ws")
    filler = "x" * (limits.UNIDENTIFIED_FRAME_BYTES - len('{"pad":""}'))
    assert (await socket.ask(f'{{"pad":"{filler}"}}'))["error"] == "not_identified"
    await socket.say(f'{{"pad":"{filler}x"}}')
    assert await socket.closed() == 1009


@with_kit()
async def test_identifying_twice_changes_nothing(kit: Kit) -> None:
    """Lesson 69: ghosts and doubled subscriptions."""
    socket = await kit.agent("a")
    answer = await socket.ask(type="identify", agent_id="b", token=kit.hub.token("agent", "b"))
    assert answer["error"] == "already_identified"
    assert (await socket.ask(type="ping"))["type"] == "pong"
    assert [up.agent_id for up in kit.hub.ups] == ["a"]


@with_kit()
async def test_the_hub_closes_a_connection_that_a_newer_one_replaced(kit: Kit) -> None:
    old = await kit.agent("a")
    connection = kit.connection_of("a")
    new = await kit.agent("a")
    kit.hub.close_agent(connection, 4409, "replaced by a newer connection")
    assert await old.closed() == 4409
    await until(lambda: kit.hub.downs)
    assert (kit.hub.downs[0].connection, kit.hub.downs[0].clean) == (connection, False)
    assert (await new.ask(type="ping"))["type"] == "pong"


@with_kit()
async def test_a_revoked_agents_socket_is_closed(kit: Kit) -> None:
    """Lesson 71."""
    socket, other = await kit.agent("a"), await kit.agent("b")
    assert (await kit.request("DELETE", "/admin/tokens/a")).status == 200
    assert await socket.closed() == 4403
    assert (await other.ask(type="ping"))["type"] == "pong"


@with_kit()
async def test_goodbyes_are_told_from_losses(kit: Kit) -> None:
    for number, code in enumerate((1000, 1001, 4000, None)):
        socket = await kit.agent(f"a{number}")
        connection = kit.connection_of(f"a{number}")
        if code is None:
            protocol = socket.connection.protocol
            assert protocol is not None
            protocol.stream.close()
        else:
            socket.close(code)
        await until(lambda number=number: len(kit.hub.downs) == number + 1)
        assert (kit.hub.downs[-1].connection, kit.hub.downs[-1].clean) == (connection, code in (1000, 1001)), code


# --- frames to the hub --------------------------------------------------------------------------------------------------


@with_kit()
async def test_frames_are_handed_on_with_their_known_fields(kit: Kit) -> None:
    socket = await kit.agent("a")
    await socket.say(type="task_complete", task_id="t", generation=1, result={"a": 1}, protocol_version=1, junk=[1])
    await until(lambda: kit.hub.frames)
    assert kit.hub.frames[0].connection == kit.connection_of("a")
    assert kit.hub.frames[0].frame == {"type": "task_complete", "task_id": "t", "generation": 1, "result": {"a": 1}}


@with_kit()
async def test_ping_is_answered_here(kit: Kit) -> None:
    socket = await kit.agent("a")
    answer = await socket.ask(type="ping", protocol_version=1)
    assert answer["type"] == "pong" and answer["timestamp"] > 1.6e12
    assert kit.hub.frames == []


@with_kit()
async def test_list_agents_has_the_shape_of_the_protocol(kit: Kit) -> None:
    kit.hub.ops["agents.list"] = lambda: [
        {
            "agent_id": "x",
            "name": "X",
            "status": "s",
            "capabilities": ["c"],
            "connected_at": 1,
            "fsm_state": "idle",
            "flags": [],
        }
    ]
    answer = await (await kit.agent("a")).ask(type="list_agents")
    assert answer == {
        "type": "agents",
        "agents": [{"agent_id": "x", "name": "X", "status": "s", "capabilities": ["c"], "connected_at": 1}],
    }


@with_kit()
async def test_junk_is_answered_and_the_connection_lives(kit: Kit) -> None:
    """Lesson 72: an array, a number or a binary frame crashed the connection."""
    socket = await kit.agent("a")
    for raw, code in [
        ("not json", "invalid_json"),
        ("{", "invalid_json"),
        ('{"type": NaN}', "invalid_json"),
        ("[" * 40 + "]" * 40, "invalid_json"),
        (b"binary", "invalid_frame"),
        ("[1]", "invalid_frame"),
        ("7", "invalid_frame"),
    ]:
        answer = await socket.ask(raw)
        assert (answer["type"], answer["error"]) == ("error", code), raw
    assert (await socket.ask(type="ping"))["type"] == "pong"
    assert kit.hub.frames == []


@with_kit()
async def test_unknown_types_and_bad_fields_are_named(kit: Kit) -> None:
    socket = await kit.agent("a")
    answer = await socket.ask(type="s3cr3t")
    assert answer == {"type": "error", "error": "unknown_message_type", "known_types": sorted(FRAMES)}
    assert (await socket.ask('{"no":"type"}'))["error"] == "unknown_message_type"
    answer = await socket.ask(type="task_complete", task_id="t", generation="s3cr3t")
    assert (answer["error"], answer["message_type"], answer["task_id"]) == ("validation_failed", "task_complete", "t")
    assert answer["errors"][0]["field"] == "generation" and "s3cr3t" not in str(answer)


@with_kit()
async def test_what_this_hub_does_not_offer_is_no_violation(kit: Kit) -> None:
    socket = await kit.agent("a")
    for _ in range(12):
        answer = await socket.ask(type="message", payload={}, to="b")
        assert answer == {"type": "error", "error": "not_supported", "message_type": "message"}


@with_kit()
async def test_ten_violations_in_a_minute_close_the_connection(kit: Kit) -> None:
    socket = await kit.agent("a")
    for _ in range(9):
        assert (await socket.ask(type="no_such_type"))["type"] == "error"
    assert (await socket.ask(type="ping"))["type"] == "pong"
    await socket.say(type="no_such_type")
    assert await socket.closed() == 1008


@with_kit()
async def test_the_size_of_a_frame_is_limited_to_the_byte(kit: Kit) -> None:
    socket = await kit.agent("a")
    frame = '{"type":"task_failed","task_id":"t","generation":1,"error":"%s"}'
    room = limits.AGENT_FRAME_BYTES - len(frame % "")
    await socket.say(frame % ("x" * room))
    await until(lambda: kit.hub.frames)
    await socket.say(frame % ("x" * (room + 1)))
    assert await socket.closed() == 1009


@with_kit()
async def test_a_frame_far_beyond_the_limit_is_cut_off(kit: Kit) -> None:
    socket = await kit.agent("a")
    with suppress(WebSocketClosedError):  # it may be cut off before it is written
        await socket.say('{"x":"' + "x" * 8 * limits.AGENT_FRAME_BYTES + '"}')
    assert await socket.closed() in (1009, None)
    await until(lambda: kit.hub.downs)


# --- frames from the hub ------------------------------------------------------------------------------------------------


@with_kit()
async def test_pushes_go_to_the_agents_that_are_named_as_they_are(kit: Kit) -> None:
    first, second, third = await kit.agent("a"), await kit.agent("b"), await kit.agent("c")
    names = [kit.connection_of("a"), "unknown-connection", kit.connection_of("c")]
    kit.hub.send(ToAgents(names, b'{"type":"agent_joined","x":"\\u00e9"}'))
    kit.hub.to_agent(kit.connection_of("a"), type="task_assign", task_id="t", description="x" * 70_000)
    assert await first.hear() == {"type": "agent_joined", "x": "é"}
    assert len((await first.hear())["description"]) == 70_000
    assert await third.hear() == {"type": "agent_joined", "x": "é"}
    assert (await second.ask(type="ping"))["type"] == "pong"


@with_kit(limits=WebLimits(unsent_bytes=100_000))
async def test_an_agent_that_does_not_read_is_closed(kit: Kit) -> None:
    request = HTTPRequest(f"ws://{kit.host}/ws")
    deaf = await websocket_connect(request, on_message_callback=lambda message: None)
    token = kit.hub.token("agent", "deaf")
    await deaf.write_message(f'{{"type":"identify","agent_id":"deaf","token":"{token}"}}')
    await until(lambda: kit.hub.ups)
    deaf.protocol.stream.socket.setblocking(False)
    asyncio.get_running_loop().remove_reader(deaf.protocol.stream.fileno())
    for _ in range(400):
        kit.hub.to_agent(kit.connection_of("deaf"), type="task_assign", task_id="t", description="x" * 60_000)
        if kit.hub.downs:
            break
        await asyncio.sleep(0.005)
    await until(lambda: kit.hub.downs)
    assert kit.hub.downs[0].clean is False
    deaf.protocol.stream.close()


# --- signs of life ------------------------------------------------------------------------------------------------------


@with_kit(limits=WebLimits(seen_period_s=0.05, sweep_period_s=0.02, ping_after_s=0.05))
async def test_the_hub_is_told_who_shows_life_pongs_included(kit: Kit) -> None:
    await kit.agent("a")
    connection = kit.connection_of("a")
    await until(lambda: len([seen for seen in kit.hub.seen if connection in seen]) >= 3)


@with_kit(limits=WebLimits(sweep_period_s=0.02, ping_after_s=30.0, idle_s=0.3))
async def test_a_silent_agent_is_closed_with_1002(kit: Kit) -> None:
    """Lesson 67: what others say does not keep it alive."""
    silent, lively = await kit.agent("a"), await kit.agent("b")

    async def chatter() -> None:
        while True:
            await lively.ask(type="ping")
            kit.hub.to_agent(kit.connection_of("a"), type="agent_left", agent_id="x")
            await asyncio.sleep(0.05)

    chatting = asyncio.create_task(chatter())
    assert await silent.closed() == 1002
    chatting.cancel()
    await until(lambda: kit.hub.downs)
    assert kit.hub.downs[0].clean is False


# --- a hub that goes away -----------------------------------------------------------------------------------------------


@with_kit()
async def test_connections_survive_the_hub_and_are_announced_again(kit: Kit) -> None:
    socket = await kit.agent("a", capabilities=["code"])
    kit.hub.to_agent(kit.connection_of("a"), type="task_assign", task_id="t")
    await socket.hear()
    await kit.hub.stop()
    assert (await socket.ask(type="ping"))["type"] == "pong"
    await socket.say(type="status", status="thinking")
    kit.hub.ups.clear()
    await kit.hub.restart("boot-2")
    await until(lambda: kit.hub.ups)
    [up] = kit.hub.ups
    assert (up.agent_id, up.resumed, up.capabilities, up.status) == ("a", True, ["code"], "thinking")
    kit.hub.to_agent(up.connection, type="task_assign", task_id="t2")
    assert (await socket.hear())["task_id"] == "t2"


@with_kit()
async def test_an_agent_that_came_in_the_moment_the_hub_died_is_news_to_the_next(kit: Kit) -> None:
    """It may have lost its task in a crash of its own, so it is not said to go on with it."""
    await kit.agent("a")
    await kit.hub.stop()
    kit.hub.ups.clear()
    await kit.hub.restart("boot-2")
    await until(lambda: kit.hub.ups)
    assert kit.hub.ups[0].resumed is False


@with_kit()
async def test_what_is_said_while_the_hub_is_away_reaches_the_next_one_in_order(kit: Kit) -> None:
    socket = await kit.agent("a")
    await kit.hub.stop()
    await until(lambda: not kit.web.services.link.is_up)
    await socket.say(type="task_accepted", task_id="t", generation=1)
    await socket.say(type="task_progress", task_id="t", progress=50)
    await socket.say(type="task_complete", task_id="t", generation=1, result=1)
    assert (await socket.ask(type="list_agents"))["error"] == "hub_unavailable"
    await kit.hub.restart("boot-2")
    await until(lambda: len(kit.hub.frames) == 3)
    assert [message.frame["type"] for message in kit.hub.frames] == ["task_accepted", "task_progress", "task_complete"]


@with_kit()
async def test_a_result_that_died_with_the_hub_is_sent_to_the_next_until_it_is_answered(kit: Kit) -> None:
    """The agent's connection survives, so the agent would wait for its answer for ever."""
    socket = await kit.agent("a")
    await socket.say(type="task_complete", task_id="t", generation=1)
    await until(lambda: frames_of(kit, "task_complete"))
    kit.hub.frames.clear()
    await kit.hub.restart("boot-2")
    await until(lambda: frames_of(kit, "task_complete"))
    kit.hub.to_agent(kit.connection_of("a"), type="task_ack", task_id="t", status="complete", generation=1)
    assert (await socket.hear())["status"] == "complete"
    kit.hub.frames.clear()
    kit.hub.ups.clear()
    await kit.hub.restart("boot-3")
    await until(lambda: kit.hub.ups)
    assert (await socket.ask(type="ping"))["type"] == "pong"
    assert kit.hub.frames == []


@with_kit()
async def test_what_does_not_fit_while_the_hub_is_away_is_refused_plainly(kit: Kit) -> None:
    socket = await kit.agent("a")
    await kit.hub.stop()
    await until(lambda: not kit.web.services.link.is_up)
    for number in range(64):
        await socket.say(type="task_complete", task_id=f"t{number}", generation=1)
    answer = await socket.ask(type="task_complete", task_id="t64", generation=1)
    assert answer == {"type": "error", "error": "hub_unavailable", "task_id": "t64"}
    await kit.hub.restart("boot-2")
    await until(lambda: len(kit.hub.frames) == 64)


@with_kit(with_hub=False)
async def test_identify_waits_for_a_hub_that_is_away(kit: Kit) -> None:
    socket = await kit.socket("/ws")
    await socket.say(type="identify", agent_id="a", token=kit.hub.token("agent", "a", tell=False))
    assert await socket.is_silent()
    await kit.hub.start()
    assert await socket.hear() == {"type": "identified", "agent_id": "a"}
    await until(lambda: kit.hub.ups)
    assert kit.hub.ups[0].resumed is False


@with_kit(with_hub=False, limits=WebLimits(hub_wait_s=0.1))
async def test_identify_does_not_wait_for_ever(kit: Kit) -> None:
    socket = await kit.socket("/ws")
    await socket.say(type="identify", agent_id="a", token=kit.hub.token("agent", "a", tell=False))
    assert await socket.closed() == 1013


@with_kit(with_hub=False)
async def test_an_agent_that_leaves_while_it_waits_is_not_there_afterwards(kit: Kit) -> None:
    socket = await kit.socket("/ws")
    await socket.say(type="identify", agent_id="a", token=kit.hub.token("agent", "a", tell=False))
    protocol = socket.connection.protocol
    assert protocol is not None
    protocol.stream.close()
    await asyncio.sleep(0.05)
    await kit.hub.start()
    await kit.web.wait_for_greeting(5)
    await until(lambda: len(kit.hub.downs) == len(kit.hub.ups) == 1)
    assert kit.web.services.unidentified == len(kit.web.services.agents) == 0


@with_kit()
async def test_stopping_says_goodbye_and_is_no_leave(kit: Kit) -> None:
    socket: Socket = await kit.agent("a")
    stopping = asyncio.create_task(kit.web.stop())
    assert await socket.closed() == 1001
    await stopping
    assert not any(down.clean for down in kit.hub.downs)
    kit.hub.send(IdentityUpdate([]))
