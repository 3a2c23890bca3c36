"""The notifier as a process among the others: when it runs, what a kill of it or of the hub costs, and what arrives outside."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from notifier import signing
from tests.harness.hub import Hub
from tests.harness.receiver import Receiver, status
from tests.harness.socket import Socket
from tests.harness.waiting import wait_for

FLAGS = ("--outgoing-network", "127.0.0.0/8", "--notify-retry", "500ms")


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    with Hub(tmp_path / "data", *FLAGS, web_processes=1) as started:
        yield started
        assert "Traceback" not in started.log(), started.log()[-6000:]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as started:
        yield started


def notifier_pid(hub: Hub) -> int | None:
    tree = hub.get("/api/system/tree").json["processes"]
    [group] = [child for child in tree["children"] if child["id"] == "outside"]
    return next((child["pid"] for child in group["children"] if child["state"] == "running"), None)


def add_webhook(hub: Hub, receiver: Receiver, *events: str) -> dict[str, Any]:
    answer = hub.post("/api/webhooks", {"url": f"{receiver.url}/hook", "events": list(events)})
    assert answer.status == 201, answer.json
    made: dict[str, Any] = answer.json
    return made


def deliveries(hub: Hub, webhook_id: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = hub.get(f"/api/webhooks/{webhook_id}/deliveries").json["deliveries"]
    return found


def give_up_a_task(hub: Hub) -> str:
    """A task that fails once and may not fail again."""
    agent = Socket(f"{hub.ws_url}/ws")
    agent.ask(type="identify", agent_id="clumsy", token=hub.agent_token("clumsy"))
    task_id = hub.submit("secret words", max_retries=1)
    assigned = agent.hear_type("task_assign")
    about = {"task_id": assigned["task_id"], "generation": assigned["generation"]}
    agent.say(type="task_accepted", **about)
    agent.say(type="task_failed", **about, error="secret error")
    hub.wait_for_status(task_id, "dead_letter")
    agent.close()
    return task_id


def test_nobody_to_tell_means_no_process_and_it_comes_back_with_the_hub(hub: Hub, receiver: Receiver) -> None:
    assert notifier_pid(hub) is None
    made = add_webhook(hub, receiver)
    wait_for(lambda: notifier_pid(hub), 20, "the notifier's start")
    hub.stop()
    hub.start()
    wait_for(lambda: notifier_pid(hub), 20, "the notifier's start with the hub")
    hub.post(f"/api/webhooks/{made['id']}/test")
    assert receiver.wait_for(1)[0].headers["webhook-id"].startswith("msg_")


def test_a_task_that_is_given_up_is_told_once_signed_and_without_its_text(hub: Hub, receiver: Receiver) -> None:
    made = add_webhook(hub, receiver, "dead_letters.new")
    wait_for(lambda: notifier_pid(hub), 20, "the notifier's start")
    hub.post(f"/api/webhooks/{made['id']}/test")
    receiver.wait_for(1)  # it has looked at the hub: what comes now is news
    task_id = give_up_a_task(hub)
    [_, told] = receiver.wait_for(2, 30)
    body = json.loads(told.body)
    assert body["type"] == "dead_letters.new" and body["data"]["task_ids"] == [task_id]
    assert "secret" not in told.body.decode()
    stamp = int(told.headers["webhook-timestamp"])
    expected = signing.signature(made["secret"], told.headers["webhook-id"], stamp, told.body)
    assert told.headers["webhook-signature"] == expected
    wait_for(lambda: [one["state"] for one in deliveries(hub, made["id"])] == ["delivered"] * 2, 10)


def test_a_hub_killed_between_two_attempts_delivers_under_the_same_id(hub: Hub, receiver: Receiver) -> None:
    receiver.answers = [status(503), status(503, Retry_After="3"), status(204)]
    made = add_webhook(hub, receiver)
    hub.post(f"/api/webhooks/{made['id']}/test")
    receiver.wait_for(2)
    before = hub.hub_pid
    os.kill(before, signal.SIGKILL)
    wait_for(lambda: hub.hub_pid != before, 20, "the next hub")
    requests = receiver.wait_for(3, 40)
    assert len({one.headers["webhook-id"] for one in requests}) == 1
    assert len({one.body for one in requests}) == 1
    wait_for(lambda: deliveries(hub, made["id"])[0]["state"] == "delivered", 20)


def test_a_notifier_killed_while_it_sends_sends_again_under_the_same_id(hub: Hub, receiver: Receiver) -> None:
    receiver.answers = [receiver.hang, status(204)]
    made = add_webhook(hub, receiver)
    hub.post(f"/api/webhooks/{made['id']}/test")
    receiver.wait_for(1)
    pid = notifier_pid(hub)
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    first, second = receiver.wait_for(2, 40)[:2]
    assert first.headers["webhook-id"] == second.headers["webhook-id"] and first.body == second.body
    wait_for(lambda: deliveries(hub, made["id"])[0]["state"] == "delivered", 20)
    assert hub.get("/health").status == 200


def test_a_receiver_that_hangs_holds_up_neither_the_others_nor_the_hub(hub: Hub, receiver: Receiver) -> None:
    receiver.answers = [receiver.hang]
    slow = add_webhook(hub, receiver)
    with Receiver() as good:
        quick = add_webhook(hub, good)
        hub.post(f"/api/webhooks/{slow['id']}/test")
        receiver.wait_for(1)
        hub.post(f"/api/webhooks/{quick['id']}/test")
        good.wait_for(1)
        assert hub.submit("work goes on")
    wait_for(lambda: deliveries(hub, slow["id"])[0]["error"], 20)
    assert deliveries(hub, slow["id"])[0]["error"].startswith("no complete answer within 5 s")


def test_a_webhook_that_moved_or_is_gone_is_not_followed_and_says_so(hub: Hub, receiver: Receiver) -> None:
    with Receiver() as inside:
        receiver.answers = [status(302, Location=f"{inside.url}/inside"), status(410)]
        made = add_webhook(hub, receiver)
        hub.post(f"/api/webhooks/{made['id']}/test")
        receiver.wait_for(2)
        wait_for(lambda: hub.get("/api/webhooks").json["webhooks"][0]["disabled_at"], 20)
        assert inside.received == []
    [shown] = hub.get("/api/webhooks").json["webhooks"]
    assert "410" in shown["disabled_because"]
    assert hub.post(f"/api/webhooks/{made['id']}/test").status == 409
    warned = lambda: "webhook_disabled" in [one["id"] for one in hub.get("/api/health").json["conditions"]]  # noqa: E731
    wait_for(warned, 20, "the warning")
    receiver.answers = [status(204)]
    assert hub.post(f"/api/webhooks/{made['id']}/enable").json["disabled_at"] is None
    wait_for(lambda: not warned(), 20, "the end of the warning")


def test_a_browser_is_told_over_a_restart_with_the_same_key_until_it_is_gone(hub: Hub, receiver: Receiver) -> None:
    """A92 and A93, without the browser's window."""
    pytest.importorskip("cryptography", reason="NOT TESTED: the extra 'push' is not installed")
    from tests.harness.push_browser import PushBrowser, check_vapid

    receiver.answers = [status(201), status(201), status(410)]
    key = hub.post("/api/push/key").json["public_key"]
    browser = PushBrowser()
    made = hub.post("/api/push/subscriptions", browser.subscription(f"{receiver.url}/push/1"))
    assert made.status == 201, made.json
    path = f"/api/push/subscriptions/{made.json['id']}"
    hub.post(f"{path}/test")
    receiver.wait_for(1)
    hub.stop()
    hub.start()
    assert hub.get("/api/push").json["public_key"] == key == hub.post("/api/push/key").json["public_key"]
    hub.post(f"{path}/test")
    for received in receiver.wait_for(2):
        assert json.loads(browser.read(received.body))["title"] == "AgentCom can reach you"
        assert check_vapid(received.headers["authorization"])["aud"] == receiver.url
        assert received.headers["authorization"].endswith(f"k={key}")
    hub.post(f"{path}/test")
    receiver.wait_for(3)
    wait_for(lambda: hub.get("/api/push").json["subscriptions"] == [], 20, "the subscription's end")
    assert hub.post(f"{path}/test").status == 404
