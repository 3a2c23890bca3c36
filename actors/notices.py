"""Targets, notices and deliveries: what the queue's writer keeps for the notifier process.

Only rows, never a request to the outside. Everything is bounded: targets, what waits, and the log of what is over. A webhook
that has failed for as long as a delivery is tried is disabled, with a sentence that says why.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from actors.storage import NoticeStorage
from actors.vocabulary import notices as v
from actors.vocabulary.notices import PUSH, WEBHOOK, Delivery, DeliveryState, Errand, Notice, Webhook
from actors.vocabulary.tasks import Refusal, Refused
from wire.outgoing import host_shown

MAX_WEBHOOKS = 20
MAX_SUBSCRIPTIONS = 50

#: Deliveries that may wait; of more the oldest are given up, because newer news is better news.
MAX_WAITING = 2_000

#: Deliveries in the log.
KEPT = 1_000

#: After so many failed attempts in a row a webhook gets one attempt at a time: its oldest delivery is the probe, and the others
#: wait for as long as that one does.
PROBE_AFTER = 5

#: A delivery that is given up disables its webhook when the last so many attempts failed, those of other deliveries included.
DISABLE_AFTER = 9

#: Due deliveries of one target that are looked at, so that one with many does not hide the others.
PER_TARGET = 4

TEST = "test"


class Notices:
    """Runs inside the queue's transaction; answers as documented in ``actors.vocabulary.notices``."""

    def __init__(self, storage: NoticeStorage, new_id: Callable[[int], str]) -> None:
        self._storage = storage
        self._new_id = new_id
        self._handlers: dict[type, Callable[[Any, int], object]] = {
            v.ListTargets: self._list,
            v.CreateWebhook: self._create_webhook,
            v.EnableWebhook: self._enable,
            v.Subscribe: self._subscribe,
            v.RemoveTarget: lambda message, _: self._remove(message.target),
            v.SendTest: self._send_test,
            v.Redeliver: self._redeliver,
            v.ListDeliveries: self._deliveries,
            v.ReadWatch: self._read_watch,
            v.RecordNotices: self._record_notices,
            v.KeepPushKey: self._keep_push_key,
            v.ReadOutbox: self._outbox,
            v.RecordAttempt: self._record_attempt,
        }

    def handle(self, message: object, now: int) -> object:
        return self._handlers[type(message)](message, now)

    def disabled_webhooks(self) -> tuple[tuple[str, int], ...]:
        """(what people call it, since when), for health."""
        hooks = self._storage.webhooks()
        return tuple(
            (one.label or host_shown(one.url), one.disabled_at) for one in hooks if one.disabled_at is not None
        )

    # --- targets --------------------------------------------------------------------------------------------------

    def _list(self, _: v.ListTargets, __: int) -> v.Targets:
        public_key = self._push_key()[1]
        return v.Targets(self._storage.webhooks(), self._storage.subscriptions(), public_key)

    def _create_webhook(self, message: v.CreateWebhook, _: int) -> Webhook | Refused:
        if len(self._storage.webhooks()) >= MAX_WEBHOOKS:
            return Refused(Refusal.QUEUE_FULL, f"there are {MAX_WEBHOOKS} webhooks; remove one")
        self._storage.save_webhook(message.webhook)
        return message.webhook

    def _enable(self, message: v.EnableWebhook, _: int) -> Webhook | Refused:
        webhook = self._webhook(message.id)
        if webhook is None:
            return _unknown()
        webhook = replace(webhook, failures=0, disabled_at=None, disabled_because=None)
        self._storage.save_webhook(webhook)
        return webhook

    def _subscribe(self, message: v.Subscribe, _: int) -> v.PushSubscription | Refused:
        known = self._storage.subscriptions()
        is_new = all(one.id != message.subscription.id for one in known)
        if is_new and len(known) >= MAX_SUBSCRIPTIONS:
            return Refused(Refusal.QUEUE_FULL, f"{MAX_SUBSCRIPTIONS} browsers are subscribed; remove one")
        self._storage.save_subscription(message.subscription)
        return message.subscription

    def _remove(self, target: str) -> bool:
        kind, _, id_ = target.partition(":")
        remove = self._storage.remove_webhook if kind == WEBHOOK else self._storage.remove_subscription
        if not remove(id_):
            return False
        self._storage.give_up_waiting(target, "the target was removed")
        return True

    def _webhook(self, id_: str) -> Webhook | None:
        return next((one for one in self._storage.webhooks() if one.id == id_), None)

    def _subscription(self, id_: str) -> v.PushSubscription | None:
        return next((one for one in self._storage.subscriptions() if one.id == id_), None)

    def _fault_of(self, target: str) -> Refused | None:
        """Why nothing can be sent to ``target`` now."""
        kind, _, id_ = target.partition(":")
        if kind == PUSH:
            return None if self._subscription(id_) is not None else _unknown()
        webhook = self._webhook(id_)
        if webhook is None:
            return _unknown()
        if webhook.disabled_at is not None:
            return Refused(Refusal.INVALID_STATE, "the webhook is disabled; enable it first")
        return None

    # --- sending on request -------------------------------------------------------------------------------------------

    def _send_test(self, message: v.SendTest, now: int) -> Delivery | Refused:
        fault = self._fault_of(message.target)
        if fault is not None:
            return fault
        notice = Notice(f"msg_{self._new_id(12)}", TEST, message.body)
        self._storage.add_notice(notice, now)
        delivery = self._storage.add_delivery(notice.id, TEST, message.target, now)
        self._trim()
        return delivery

    def _deliveries(self, message: v.ListDeliveries, _: int) -> tuple[Delivery, ...] | Refused:
        """Those of a target that was removed too, for as long as the log holds them."""
        found = self._storage.deliveries(message.target, message.limit)
        fault = self._fault_of(message.target) if not found else None
        return fault if fault is not None and fault.reason is Refusal.NOT_FOUND else found

    def _redeliver(self, message: v.Redeliver, now: int) -> Delivery | Refused:
        delivery = self._storage.delivery(message.delivery_id)
        if delivery is None or delivery.target != message.target:
            return Refused(Refusal.NOT_FOUND, "there is no such delivery")
        fault = self._fault_of(message.target)
        if fault is not None:
            return fault
        again = replace(delivery, state=DeliveryState.WAITING, attempts=0, due_at=now)
        self._storage.save_delivery(again)
        return again

    # --- for the notifier ---------------------------------------------------------------------------------------------

    def _read_watch(self, message: v.ReadWatch, _: int) -> v.Watch:
        lost = self._storage.lost_agents(message.lost_before, message.limit)
        return v.Watch(self._storage.memory(v.MEMORY), lost)

    def _record_notices(self, message: v.RecordNotices, now: int) -> int:
        self._storage.remember(v.MEMORY, message.memory)
        added = 0
        for notice in message.notices:
            if self._storage.add_notice(notice, now):
                for target in self._targets_for(notice.kind):
                    self._storage.add_delivery(notice.id, notice.kind, target, now)
                    added += 1
        if message.notices:
            self._trim()
        return added

    def _targets_for(self, kind: str) -> list[str]:
        hooks = [one for one in self._storage.webhooks() if one.disabled_at is None]
        wanting = [f"{WEBHOOK}:{one.id}" for one in hooks if not one.events or kind in one.events]
        return wanting + [f"{PUSH}:{one.id}" for one in self._storage.subscriptions()]

    def _trim(self) -> None:
        too_many = self._storage.count_waiting() - MAX_WAITING
        if too_many > 0:
            for one in self._storage.oldest_waiting(too_many):
                gone = replace(one, state=DeliveryState.FAILED, error="too many deliveries wait")
                self._storage.save_delivery(gone)
        self._storage.trim(KEPT)

    def _keep_push_key(self, message: v.KeepPushKey, _: int) -> str:
        private_key, public_key = self._push_key()
        if private_key is None or public_key is None:
            public_key = message.public_key
            self._storage.remember(v.PUSH_KEY, [message.private_key, public_key])
        return public_key

    def _push_key(self) -> tuple[str | None, str | None]:
        stored = self._storage.memory(v.PUSH_KEY)
        return (stored[0], stored[1]) if stored is not None else (None, None)

    def _outbox(self, message: v.ReadOutbox, now: int) -> v.Outbox:
        due = self._storage.due(now, message.limit, PER_TARGET)
        if not due:
            return v.Outbox(())
        hooks = {f"{WEBHOOK}:{one.id}": one for one in self._storage.webhooks()}
        browsers = {f"{PUSH}:{one.id}": one for one in self._storage.subscriptions()}
        probing: set[str] = set()
        errands = []
        for delivery in due:
            hook, browser = hooks.get(delivery.target), browsers.get(delivery.target)
            body = self._storage.notice_body(delivery.notice_id)
            if body is None or (hook is None and browser is None):
                continue
            if hook is not None and hook.failures >= PROBE_AFTER:
                if delivery.target in probing:
                    continue
                probing.add(delivery.target)
            errands.append(Errand(delivery, body, hook, browser))
        return v.Outbox(tuple(errands), *self._push_key())

    def _record_attempt(self, message: v.RecordAttempt, now: int) -> bool:
        delivery = self._storage.delivery(message.delivery_id)
        if delivery is None or delivery.state is not DeliveryState.WAITING or delivery.attempts != message.attempt - 1:
            return False
        state = DeliveryState.DELIVERED if message.is_delivered else DeliveryState.FAILED
        if message.retry_at is not None and not message.is_delivered and not message.is_gone:
            state = DeliveryState.WAITING
        after = replace(
            delivery,
            state=state,
            attempts=message.attempt,
            due_at=message.retry_at
            if state is DeliveryState.WAITING and message.retry_at is not None
            else delivery.due_at,
            tried_at=now,
            status=message.status,
            error=message.error,
            duration_ms=message.duration_ms,
        )
        self._storage.save_delivery(after)
        kind, _, id_ = delivery.target.partition(":")
        if kind == WEBHOOK:
            self._judge_webhook(id_, message, state, now)
        elif message.is_gone:
            self._remove(delivery.target)
        return True

    def _judge_webhook(self, id_: str, message: v.RecordAttempt, state: DeliveryState, now: int) -> None:
        webhook = self._webhook(id_)
        if webhook is None:
            return
        failures = 0 if message.is_delivered else webhook.failures + 1
        because = None
        if message.is_gone:
            because = f"it answered {message.status}: it does not want to be told any more"
        elif state is DeliveryState.FAILED and failures >= DISABLE_AFTER:
            because = f"the last {failures} attempts failed; the last one: {message.error or 'no answer'}"
        if failures >= PROBE_AFTER and message.retry_at is not None:
            self._storage.hold(f"{WEBHOOK}:{id_}", message.retry_at)
        if because is None and failures == webhook.failures:
            return
        disabled_at = now if because is not None else webhook.disabled_at
        reason = because if because is not None else webhook.disabled_because
        self._storage.save_webhook(
            replace(webhook, failures=failures, disabled_at=disabled_at, disabled_because=reason)
        )
        if because is not None:
            self._storage.give_up_waiting(f"{WEBHOOK}:{id_}", "the webhook was disabled")


def _unknown() -> Refused:
    return Refused(Refusal.NOT_FOUND, "there is no such target")
