"""The live protocol: hello, views, going on after a reconnection; and a client of the first protocol, which notices nothing."""

from __future__ import annotations

from typing import Any

from tests.harness.hub import Hub
from tests.harness.socket import Socket

OLD = "/ws/dashboard"
NEW = "/ws/dashboard?protocol=2"


def connect(hub: Hub, path: str = NEW, **headers: str) -> Socket:
    return Socket(f"{hub.ws_url}{path}", {"Origin": hub.url, **headers})


def hear_all(socket: Socket, seconds: float = 0.4) -> list[dict[str, Any]]:
    """Everything that comes until nothing came for a while."""
    frames = []
    try:
        while True:
            frames.append(socket.hear(seconds))
    except TimeoutError:
        return frames


def test_hello_says_which_hub_this_is_and_what_this_page_may_do(hub: Hub) -> None:
    ours, foreign = connect(hub), connect(hub, **{"X-Forwarded-For": "10.0.0.1"})
    hello = ours.hear()
    assert hello == {
        "type": "hello",
        "protocol": 2,
        "boot_id": hub.snapshot()["boot_id"],
        "seq": hello["seq"],
        "server_time": hello["server_time"],
        "hub": "back",
        "role": None,
        "may_write": True,
    }
    assert hello["server_time"] > 1_600_000_000_000
    assert foreign.hear()["may_write"] is False
    assert ours.silent(), "and nothing else before it is asked for"
    ours.close()
    foreign.close()


def test_a_page_that_comes_back_gets_what_it_missed_and_no_snapshot(hub: Hub) -> None:
    page = connect(hub)
    page.hear()
    page.say(type="subscribe", view="overview")
    assert page.hear_type("subscribed")["resumed"] is False
    snapshot = page.hear_type("snapshot")
    first = hub.submit("before", assign_to="nobody")
    seen = page.hear_until(lambda frame: _names(frame, first))
    page.close()
    missed = hub.submit("while away", assign_to="nobody")
    back = connect(hub)
    back.hear()
    back.say(type="subscribe", view="overview", boot_id=snapshot["boot_id"], seq=seen["seq"])
    frames = [back.hear()]
    while not _names(frames[-1], missed):
        frames.append(back.hear())
    assert {frame["type"] for frame in frames} - {"health"} == {"subscribed", "events"}
    assert next(frame for frame in frames if frame["type"] == "subscribed")["resumed"] is True
    assert not any(_names(frame, first) for frame in frames), "nothing twice"
    back.close()


def _names(frame: dict[str, Any], task_id: str) -> bool:
    return frame["type"] == "events" and any(event.get("task_id") == task_id for event in frame["data"])


def test_a_page_of_another_life_of_the_hub_gets_a_snapshot(hub: Hub) -> None:
    page = connect(hub)
    page.hear()
    page.say(type="subscribe", view="overview", boot_id="another", seq=1)
    assert page.hear_type("subscribed")["resumed"] is False
    assert page.hear()["type"] == "snapshot"
    page.close()


def test_a_page_of_a_task_hears_when_something_happens_to_it_and_of_nothing_else(hub: Hub) -> None:
    task_id = hub.submit("watched", assign_to="nobody")
    page = connect(hub)
    page.hear()
    page.say(type="subscribe", view=f"task:{task_id}")
    hear_all(page)
    hub.submit("another", assign_to="nobody")
    assert page.silent()
    hub.post(f"/api/tasks/{task_id}/cancel")
    frame = page.hear()
    assert (frame["type"], frame["view"]) == ("task", f"task:{task_id}")
    page.say(type="unsubscribe", view=f"task:{task_id}")
    page.close()


def test_views_that_there_are_not_are_refused_and_too_many_too(hub: Hub) -> None:
    page = connect(hub)
    page.hear()
    for view in ("everything", "task:", "output:bad id", 7, None, ["overview"]):
        assert page.ask(type="subscribe", view=view) == {"type": "subscribe_result", "status": "unknown_view"}
    for number in range(16):
        page.say(type="subscribe", view=f"task:task-{number}")
    answer = page.ask(type="subscribe", view="task:one-too-many")
    assert answer["status"] == "too_many_views"
    page.close()


def test_a_change_of_health_reaches_every_new_page_and_no_old_one(hub: Hub) -> None:
    """Rejected input makes no event, so nothing else would tell them. The page is on any of the web processes."""
    new, old = connect(hub), connect(hub, OLD)
    new.hear()
    new.say(type="subscribe", view="overview")
    new.hear_type("snapshot")
    old.hear_type("snapshot")
    for _ in range(60):
        hub.post("/api/tasks", {"description": ""})
    heard = new.hear_until(lambda frame: frame["type"] == "health" and "rejected_input" in _condition_ids(frame))
    assert set(heard) == {"type", "health", "boot_id"}
    assert set(heard["health"]) == set(hub.snapshot()["health"])
    assert hub.post("/api/health/rejected_input/acknowledge", {"note": "a test"}).status == 200
    heard = new.hear_until(lambda frame: frame["type"] == "health")
    [condition] = [one for one in heard["health"]["details"] if one["id"] == "rejected_input"]
    assert condition["acknowledged"]["note"] == "a test"
    assert {frame["type"] for frame in hear_all(old)} <= {"snapshot", "events"}
    new.close()
    old.close()


def _condition_ids(frame: dict[str, Any]) -> set[str]:
    return {one["id"] for one in frame["health"]["details"]}


def test_a_client_of_the_first_protocol_sees_what_it_always_saw(hub: Hub) -> None:
    """It knows snapshot, events and the results of its commands, and sends what it always sent."""
    old = connect(hub, OLD)
    first = old.hear()
    assert set(first) == {"type", "data", "seq", "boot_id"} and first["type"] == "snapshot"
    task_id = hub.submit("for the old page", assign_to="nobody")
    events = old.hear_type("events")
    assert set(events) == {"type", "data", "seq", "first_seq", "boot_id"}
    [event] = [one for one in events["data"] if one.get("task_id") == task_id]
    assert (event["type"], event["event"]) == ("task_event", "task_submitted")
    old.say(type="request_snapshot")
    assert old.hear_type("snapshot")["data"]["queue"]["by_status"]["queued"] >= 1
    old.say(type="cancel_task", task_id=task_id)
    assert old.hear_type("cancel_result") == {"type": "cancel_result", "task_id": task_id, "status": "cancelled"}
    old.say("not json")
    old.say(type="something of the future")
    kinds = {frame["type"] for frame in hear_all(old)}
    assert kinds <= {"events", "snapshot"}
    old.close()
