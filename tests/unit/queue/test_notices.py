"""Targets, notices and deliveries in the queue's database: what is kept, what is bounded, and what a death cannot undo."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from actors import notices as rules
from actors.vocabulary import notices as n
from actors.vocabulary import tasks as v
from actors.vocabulary.notices import DeliveryState
from actors.vocabulary.tasks import Refusal, Refused
from tests.unit.queue.conftest import Queue


def webhook(id_: str = "wh_1", *events: str) -> n.Webhook:
    return n.Webhook(id_, f"https://example.org/{id_}", "whsec_AAAA", events, 1, "me", label="one")


def browser(id_: str = "b1") -> n.PushSubscription:
    return n.PushSubscription(id_, f"https://fcm.googleapis.com/{id_}", "key", "auth", 1, "mine")


def notice(id_: str = "msg_1", kind: str = "agent.offline") -> n.Notice:
    return n.Notice(id_, kind, "{}")


def outbox(queue: Queue) -> list[n.Errand]:
    answer = queue.ask(n.ReadOutbox())
    assert isinstance(answer, n.Outbox)
    return list(answer.errands)


def deliveries(queue: Queue, target: str = "webhook:wh_1") -> list[n.Delivery]:
    return list(queue.ask(n.ListDeliveries(target)))


def fail(
    queue: Queue, errand: n.Errand, *, retry_in_s: float | None = 5.0, is_gone: bool = False, status: int = 500
) -> bool:
    now_ms = queue.runtime.clock.time_ms()
    retry_at = round(now_ms + retry_in_s * 1000) if retry_in_s is not None else None
    attempt = errand.delivery.attempts + 1
    told: bool = queue.ask(
        n.RecordAttempt(errand.delivery.id, attempt, False, status, f"answered {status}", 7, retry_at, is_gone)
    )
    return told


def test_a_notice_goes_to_everybody_who_wants_its_kind(queue: Queue) -> None:
    queue.ask(n.CreateWebhook(webhook("wh_1")))
    queue.ask(n.CreateWebhook(webhook("wh_2", "dead_letters.new")))
    queue.ask(n.Subscribe(browser()))
    assert queue.ask(n.RecordNotices({"seen": 1}, (notice(),))) == 2
    assert {one.delivery.target for one in outbox(queue)} == {"webhook:wh_1", "push:b1"}
    assert queue.ask(n.ReadWatch(0)).memory == {"seen": 1}


def test_what_was_told_and_that_it_was_told_are_one_step(queue: Queue) -> None:
    """A notifier that dies before it hears the answer finds its memory, and tells nothing twice."""
    queue.ask(n.CreateWebhook(webhook()))
    queue.ask(n.RecordNotices({"seen": 1}, (notice(),)))
    queue.reopen()
    assert queue.ask(n.ReadWatch(0)).memory == {"seen": 1}
    assert queue.ask(n.RecordNotices({"seen": 1}, (notice(),))) == 0, "the same message again"
    assert [one.delivery.notice_id for one in outbox(queue)] == ["msg_1"]


def test_a_delivery_waits_for_its_time_and_keeps_its_id(queue: Queue) -> None:
    queue.ask(n.CreateWebhook(webhook()))
    queue.ask(n.RecordNotices({}, (notice(),)))
    [errand] = outbox(queue)
    assert fail(queue, errand, retry_in_s=5) and outbox(queue) == []
    queue.reopen()
    assert outbox(queue) == []
    queue.wait(5)
    [again] = outbox(queue)
    assert (again.delivery.notice_id, again.delivery.attempts, again.body) == ("msg_1", 1, "{}")
    assert queue.ask(n.RecordAttempt(again.delivery.id, 2, True, 200, None, 9))
    [done] = deliveries(queue)
    assert (done.state, done.attempts, done.status, done.error) == (DeliveryState.DELIVERED, 2, 200, None)
    assert queue.ask(n.ListTargets()).webhooks[0].failures == 0


def test_an_outcome_is_counted_once_however_often_it_is_reported(queue: Queue) -> None:
    queue.ask(n.CreateWebhook(webhook()))
    queue.ask(n.RecordNotices({}, (notice(),)))
    [errand] = outbox(queue)
    assert fail(queue, errand) and not fail(queue, errand)
    assert queue.ask(n.ListTargets()).webhooks[0].failures == 1
    assert not queue.ask(n.RecordAttempt(999, 1, True))


def test_a_failing_webhook_gets_one_attempt_at_a_time_and_a_success_frees_it(queue: Queue) -> None:
    queue.ask(n.CreateWebhook(replace(webhook(), failures=rules.PROBE_AFTER)))
    queue.ask(n.CreateWebhook(webhook("wh_2")))
    queue.ask(n.RecordNotices({}, tuple(notice(f"msg_{number}") for number in range(3))))
    targets = [one.delivery.target for one in outbox(queue)]
    assert targets.count("webhook:wh_1") == 1 and targets.count("webhook:wh_2") == 3
    [probe] = [one for one in outbox(queue) if one.delivery.target == "webhook:wh_1"]
    fail(queue, probe, retry_in_s=60)
    assert "webhook:wh_1" not in [one.delivery.target for one in outbox(queue)], "the others wait with the probe"
    queue.wait(60)
    [again] = [one for one in outbox(queue) if one.delivery.target == "webhook:wh_1"]
    assert again.delivery.id == probe.delivery.id
    queue.ask(n.RecordAttempt(again.delivery.id, 2, True, 200))
    assert [one.delivery.target for one in outbox(queue)].count("webhook:wh_1") == 2


def test_one_target_with_many_deliveries_does_not_hide_the_others(queue: Queue) -> None:
    queue.ask(n.CreateWebhook(webhook("wh_1", "agent.offline")))
    queue.ask(n.RecordNotices({}, tuple(notice(f"msg_{number}") for number in range(100))))
    queue.ask(n.CreateWebhook(webhook("wh_2", "health.worse")))
    queue.ask(n.RecordNotices({}, (notice("late", "health.worse"),)))
    assert [one.delivery.notice_id for one in outbox(queue) if one.delivery.target == "webhook:wh_2"] == ["late"]


def test_a_webhook_that_failed_for_as_long_as_a_delivery_lasts_is_disabled_with_the_reason(queue: Queue) -> None:
    queue.ask(n.CreateWebhook(webhook()))
    queue.ask(n.RecordNotices({}, (notice("msg_1"), notice("msg_2"))))
    for attempt in range(1, rules.DISABLE_AFTER + 1):
        [errand, *_] = [one for one in outbox(queue) if one.delivery.notice_id == "msg_1"]
        fail(queue, errand, retry_in_s=0 if attempt < rules.DISABLE_AFTER else None)
    [disabled] = queue.ask(n.ListTargets()).webhooks
    assert disabled.disabled_at is not None and "9 attempts failed" in disabled.disabled_because
    assert {one.state for one in deliveries(queue)} == {DeliveryState.FAILED} and outbox(queue) == []
    queue.ask(n.RecordNotices({}, (notice("msg_3"),)))
    assert len(deliveries(queue)) == 2, "nothing more is queued for it"
    assert queue.ask(n.SendTest("webhook:wh_1", "{}")) == Refused(
        Refusal.INVALID_STATE, "the webhook is disabled; enable it first"
    )
    assert queue.ask(n.EnableWebhook("wh_1")).disabled_at is None
    assert isinstance(queue.ask(n.SendTest("webhook:wh_1", "{}")), n.Delivery)


def test_one_message_that_nobody_can_take_does_not_disable_a_webhook_that_takes_others(queue: Queue) -> None:
    queue.ask(n.CreateWebhook(webhook()))
    queue.ask(n.RecordNotices({}, (notice("bad"),)))
    for attempt in range(1, rules.DISABLE_AFTER + 1):
        [errand, *_] = [one for one in outbox(queue) if one.delivery.notice_id == "bad"]
        fail(queue, errand, retry_in_s=0 if attempt < rules.DISABLE_AFTER else None, status=400)
        if attempt == 4:
            other = queue.ask(n.SendTest("webhook:wh_1", "{}"))
            queue.ask(n.RecordAttempt(other.id, 1, True, 200))
    [still] = queue.ask(n.ListTargets()).webhooks
    assert still.disabled_at is None and still.failures == 5


def test_a_browser_that_is_gone_is_forgotten_and_a_webhook_that_says_so_is_disabled(queue: Queue) -> None:
    queue.ask(n.CreateWebhook(webhook()))
    queue.ask(n.Subscribe(browser()))
    queue.ask(n.RecordNotices({}, (notice("msg_1"), notice("msg_2"))))
    for target in ("push:b1", "webhook:wh_1"):
        [first, *_] = [one for one in outbox(queue) if one.delivery.target == target]
        fail(queue, first, is_gone=True, retry_in_s=None, status=410)
    targets = queue.ask(n.ListTargets())
    assert targets.subscriptions == () and "410" in targets.webhooks[0].disabled_because
    assert outbox(queue) == []


def test_what_was_sent_can_be_sent_again_under_the_same_id(queue: Queue) -> None:
    queue.ask(n.CreateWebhook(webhook()))
    sent = queue.ask(n.SendTest("webhook:wh_1", '{"a":1}'))
    queue.ask(n.RecordAttempt(sent.id, 1, True, 200))
    again = queue.ask(n.Redeliver("webhook:wh_1", sent.id))
    [errand] = outbox(queue)
    assert (again.attempts, errand.delivery.notice_id, errand.body) == (0, sent.notice_id, '{"a":1}')
    for wrong in (n.Redeliver("webhook:wh_1", 999), n.Redeliver("webhook:other", sent.id)):
        assert queue.ask(wrong).reason is Refusal.NOT_FOUND


def test_the_key_of_this_hub_is_made_once_and_stays(queue: Queue) -> None:
    assert queue.ask(n.ListTargets()).push_public_key is None
    assert queue.ask(n.KeepPushKey("private-1", "public-1")) == "public-1"
    queue.reopen()
    assert queue.ask(n.KeepPushKey("private-2", "public-2")) == "public-1"
    queue.ask(n.Subscribe(browser()))
    queue.ask(n.SendTest("push:b1", "{}"))
    box = queue.ask(n.ReadOutbox())
    assert (box.push_private_key, box.push_public_key) == ("private-1", "public-1")


def test_targets_are_bounded_and_the_same_browser_counts_once(queue: Queue) -> None:
    for number in range(rules.MAX_WEBHOOKS):
        assert isinstance(queue.ask(n.CreateWebhook(webhook(f"wh_{number}"))), n.Webhook)
    assert queue.ask(n.CreateWebhook(webhook("wh_more"))).reason is Refusal.QUEUE_FULL
    for number in range(rules.MAX_SUBSCRIPTIONS):
        queue.ask(n.Subscribe(browser(f"b{number}")))
    assert queue.ask(n.Subscribe(browser("more"))).reason is Refusal.QUEUE_FULL
    assert queue.ask(n.Subscribe(replace(browser("b0"), auth="new"))).auth == "new"
    assert len(queue.ask(n.ListTargets()).subscriptions) == rules.MAX_SUBSCRIPTIONS


def test_the_log_and_what_waits_are_bounded(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "MAX_WAITING", 5)
    monkeypatch.setattr(rules, "KEPT", 8)
    queue.ask(n.CreateWebhook(webhook()))
    for number in range(20):
        queue.ask(n.RecordNotices({}, (notice(f"msg_{number}"),)))
    kept = deliveries(queue)
    waiting = [one for one in kept if one.state is DeliveryState.WAITING]
    assert [one.notice_id for one in waiting] == [f"msg_{number}" for number in (19, 18, 17, 16, 15)]
    assert len(kept) == 8 and {one.error for one in kept[5:]} == {"too many deliveries wait"}


def test_a_removed_target_gets_nothing_more_and_its_log_stays(queue: Queue) -> None:
    queue.ask(n.CreateWebhook(webhook()))
    queue.ask(n.RecordNotices({}, (notice(),)))
    assert queue.ask(n.RemoveTarget("webhook:wh_1")) and not queue.ask(n.RemoveTarget("webhook:wh_1"))
    assert outbox(queue) == []
    assert [one.error for one in deliveries(queue)] == ["the target was removed"]
    assert queue.ask(n.ListDeliveries("webhook:never")).reason is Refusal.NOT_FOUND


def test_agents_that_vanished_are_known_by_when(queue: Queue) -> None:
    start = queue.runtime.clock.time_ms()
    for name, presence in (("a", "lost"), ("b", "left"), ("c", "lost"), ("d", "online")):
        queue.wait(1)
        queue.ask(v.RecordPresence(name, name.upper(), v.AgentPresence(presence)))
    assert [one.agent_id for one in queue.ask(n.ReadWatch(start + 60_000)).lost] == ["c", "a"]
    assert [one.agent_id for one in queue.ask(n.ReadWatch(start + 1_500)).lost] == ["a"]


def test_text_that_the_database_cannot_hold_changes_nothing(queue: Queue, tmp_path: Path) -> None:
    assert isinstance(queue.ask(n.CreateWebhook(replace(webhook(), label="\ud800"))), Refused)
    assert queue.ask(n.ListTargets()).webhooks == ()
