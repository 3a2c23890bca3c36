"""The courier against a hub that is scripted and receivers that are real: order, pace, and outcomes that are never lost."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import pytest

import notifier
from link.client import HubUnavailable
from notifier import retries, signing
from notifier.courier import AT_ONCE, Courier
from notifier.options import NotifierOptions
from notifier.sending import Outcome, Sender
from tests.harness.receiver import Receiver, status
from wire.outgoing import Policy, parse_networks

POLICY = Policy(parse_networks(["127.0.0.0/8"]))
SECRET = signing.secret_of(b"k" * 24)


class Hub:
    """Has ``errands`` until their outcome is recorded. ``away``: how many calls find nobody."""

    def __init__(self) -> None:
        self.errands: list[dict[str, Any]] = []
        self.recorded: list[dict[str, Any]] = []
        self.away = 0
        self.keys: tuple[str | None, str | None] = (None, None)

    def add(self, target: str, url: str, attempts: int = 0) -> None:
        number = len(self.errands) + 1
        delivery = {"id": number, "notice_id": f"msg_{number}", "kind": "test", "target": target, "attempts": attempts}
        body = json.dumps({"type": "test", "data": {"title": "T", "text": "B", "path": "/"}})
        webhook = {"url": url, "secret": SECRET}
        self.errands.append({"delivery": delivery, "body": body, "webhook": webhook, "subscription": None})

    async def call(self, op: str, timeout_s: float = 5.0, **args: Any) -> Any:
        if self.away:
            self.away -= 1
            raise HubUnavailable("away")
        if op == "notify.attempt":
            self.recorded.append(args)
            self.errands = [one for one in self.errands if one["delivery"]["id"] != args["delivery_id"]]
            return True
        assert op == "notify.outbox"
        private_key, public_key = self.keys
        return {"errands": list(self.errands), "push_private_key": private_key, "push_public_key": public_key}


class Slow(Sender):
    """Counts how many are under way, and lets them go when told."""

    def __init__(self) -> None:
        super().__init__(POLICY)
        self.urls: list[str] = []
        self.go = asyncio.Event()

    async def post(self, url: str, body: bytes, headers: Any) -> Outcome:
        self.urls.append(url)
        await self.go.wait()
        return Outcome(200, None, 1)


async def run_until(courier: Courier, condition: Callable[[], object], timeout_s: float = 10.0) -> None:
    async with asyncio.timeout(timeout_s):
        while not condition():
            with suppress(HubUnavailable):
                await courier.run_due()
            await courier.wait(0.01)


def with_receiver(*answers: Any) -> Callable[[Callable[[Hub, Courier, Receiver], Awaitable[None]]], Callable[[], None]]:
    def decorate(test: Callable[[Hub, Courier, Receiver], Awaitable[None]]) -> Callable[[], None]:
        def run() -> None:
            with Receiver(*answers) as receiver:
                hub = Hub()
                asyncio.run(test(hub, Courier(hub, NotifierOptions("", POLICY)), receiver))  # type: ignore[arg-type]

        run.__name__ = test.__name__
        return run

    return decorate


@with_receiver()
async def test_a_message_is_signed_over_exactly_what_arrives(hub: Hub, courier: Courier, receiver: Receiver) -> None:
    hub.add("webhook:a", receiver.url)
    body = hub.errands[0]["body"]
    await run_until(courier, lambda: hub.recorded)
    [received] = receiver.received
    stamp = int(received.headers["webhook-timestamp"])
    assert abs(stamp - time.time()) < 300
    assert received.body.decode() == body and received.headers["content-type"] == "application/json"
    assert received.headers["webhook-id"] == "msg_1"
    assert received.headers["webhook-signature"] == signing.signature(SECRET, "msg_1", stamp, received.body)
    [outcome] = hub.recorded
    assert (outcome["attempt"], outcome["is_delivered"], outcome["status"], outcome["retry_at"]) == (1, True, 204, None)


@with_receiver(status(503, Retry_After="77"))
async def test_a_failure_is_recorded_with_the_time_of_the_next_attempt(
    hub: Hub, courier: Courier, receiver: Receiver
) -> None:
    hub.add("webhook:a", receiver.url)
    before = time.time()
    await run_until(courier, lambda: hub.recorded)
    [outcome] = hub.recorded
    assert (outcome["is_delivered"], outcome["status"], outcome["error"]) == (False, 503, "answered 503")
    assert 77 <= outcome["retry_at"] / 1000 - before < 77 + 10


@with_receiver(status(500))
async def test_the_last_attempt_has_no_next_one(hub: Hub, courier: Courier, receiver: Receiver) -> None:
    hub.add("webhook:a", receiver.url, attempts=retries.ATTEMPTS - 1)
    await run_until(courier, lambda: hub.recorded)
    assert hub.recorded[0]["retry_at"] is None and hub.recorded[0]["attempt"] == retries.ATTEMPTS


@with_receiver(status(410))
async def test_a_receiver_that_is_gone_is_not_asked_again(hub: Hub, courier: Courier, receiver: Receiver) -> None:
    hub.add("webhook:a", receiver.url)
    await run_until(courier, lambda: hub.recorded)
    assert hub.recorded[0]["is_gone"] and hub.recorded[0]["retry_at"] is None


@with_receiver()
async def test_an_outcome_waits_for_a_hub_that_is_away(hub: Hub, courier: Courier, receiver: Receiver) -> None:
    hub.add("webhook:a", receiver.url)
    await courier.run_due()
    hub.away = 3
    await run_until(courier, lambda: hub.recorded)
    assert len(receiver.received) == 1, "sent once, although its outcome could not be written down at once"


@with_receiver()
async def test_a_secret_or_address_that_cannot_be_used_is_an_outcome(hub: Hub, courier: Courier, _: Receiver) -> None:
    hub.add("webhook:a", "https://10.0.0.1/")
    hub.add("webhook:b", "https://example.org/")
    hub.errands[1]["webhook"]["secret"] = "nonsense"
    await run_until(courier, lambda: len(hub.recorded) == 2)
    assert sorted(one["error"].partition(":")[0] for one in hub.recorded) == ["not sent", "not sent"]


def test_few_are_under_way_at_once_and_only_one_to_each_target() -> None:
    async def main() -> None:
        hub, sender = Hub(), Slow()
        courier = Courier(hub, NotifierOptions("", POLICY), sender)
        for number in range(3):
            hub.add("webhook:same", f"same-{number}")
        for number in range(10):
            hub.add(f"webhook:{number}", f"other-{number}")
        for _ in range(5):
            await courier.run_due()
            await courier.wait(0.01)
        assert sender.urls == ["same-0", "other-0", "other-1", "other-2"] and len(sender.urls) == AT_ONCE
        sender.go.set()
        await run_until(courier, lambda: len(hub.recorded) == 13)
        assert [url for url in sender.urls if url.startswith("same")] == ["same-0", "same-1", "same-2"]

    asyncio.run(main())


@with_receiver(status(201))
async def test_a_browser_is_told_in_secret_and_by_us(hub: Hub, courier: Courier, receiver: Receiver) -> None:
    pytest.importorskip("cryptography", reason="NOT TESTED: the extra 'push' is not installed")
    from notifier import webpush
    from tests.harness.push_browser import PushBrowser, check_vapid

    browser, keys = PushBrowser(), webpush.new_key_pair()
    hub.keys = (keys.private_key, keys.public_key)
    hub.add("push:b", "")
    hub.errands[0]["subscription"] = {"endpoint": f"{receiver.url}/p", "p256dh": browser.p256dh, "auth": browser.auth}
    await run_until(courier, lambda: hub.recorded)
    [received] = receiver.received
    assert json.loads(browser.read(received.body)) == {
        "id": "msg_1",
        "tag": "test",
        "title": "T",
        "body": "B",
        "path": "/",
    }
    assert received.headers["content-encoding"] == "aes128gcm" and int(received.headers["ttl"]) > 0
    assert len(received.headers["topic"]) <= 32
    assert check_vapid(received.headers["authorization"])["aud"] == receiver.url
    assert hub.recorded[0]["is_delivered"]


@pytest.mark.parametrize("code", [404, 410])
def test_a_browser_that_is_gone_is_told_nothing_more(code: int) -> None:
    """A93, the sender's half."""
    pytest.importorskip("cryptography", reason="NOT TESTED: the extra 'push' is not installed")
    from notifier import webpush
    from tests.harness.push_browser import PushBrowser

    @with_receiver(status(code))
    async def run(hub: Hub, courier: Courier, receiver: Receiver) -> None:
        browser, keys = PushBrowser(), webpush.new_key_pair()
        hub.keys = (keys.private_key, keys.public_key)
        hub.add("push:b", "")
        hub.errands[0]["subscription"] = browser.subscription(receiver.url)["keys"] | {"endpoint": receiver.url}
        await run_until(courier, lambda: hub.recorded)
        assert hub.recorded[0]["is_gone"] and hub.recorded[0]["retry_at"] is None

    run()


@with_receiver()
async def test_without_the_library_a_browser_waits_and_the_log_says_what_to_install(
    hub: Hub, courier: Courier, receiver: Receiver
) -> None:
    hub.add("push:b", "")
    hub.errands[0]["subscription"] = {"endpoint": receiver.url, "p256dh": "p", "auth": "a"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "notifier.webpush", None)
        patch.delattr(notifier, "webpush", raising=False)
        await run_until(courier, lambda: hub.recorded)
    assert "agentcom[push]" in hub.recorded[0]["error"] and hub.recorded[0]["retry_at"] is not None
