"""Delivers what is due: a few at a time, one at a time for each target, and has the hub write down what became of it.

A message is sent at least once: when this process or the hub dies between the sending and the writing down it is sent again,
under the same id. An outcome that the hub cannot take now is kept until it can.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from link.client import HubRefused, HubUnavailable
from notifier import retries, signing
from notifier.facts import push_message
from notifier.options import NotifierOptions
from notifier.sending import Outcome, Sender
from notifier.watching import Hub
from wire.outgoing import Refused

logger = logging.getLogger("agentcom.notifier")

#: Deliveries under way.
AT_ONCE = 4

#: Deliveries asked for: more than may go, so that a busy target does not hide the others.
ASKED_FOR = 40

#: Between two attempts to have an outcome written down while the hub is away.
RECORD_RETRY_S = 0.5

NO_LIBRARY = "not sent: Web Push needs the extra 'push' (pip install 'agentcom[push]')"

#: Answers by which a receiver says that it is gone for good.
GONE_WEBHOOK = frozenset({410})
GONE_PUSH = frozenset({404, 410})


@dataclass(frozen=True, slots=True)
class Letter:
    """What is sent, and where to."""

    url: str
    body: bytes
    headers: Mapping[str, str]


class Courier:
    def __init__(self, hub: Hub, options: NotifierOptions, sender: Sender | None = None) -> None:
        self._hub = hub
        self._options = options
        self._sender = sender or Sender(options.policy)
        self._under_way: dict[str, asyncio.Task[None]] = {}
        """By target."""

    async def run_due(self) -> None:
        """Start what may go now. Raises ``HubUnavailable`` or ``HubRefused``."""
        if len(self._under_way) >= AT_ONCE:
            return
        outbox = await self._hub.call("notify.outbox", limit=ASKED_FOR)
        for errand in outbox["errands"]:
            target = errand["delivery"]["target"]
            if target not in self._under_way and len(self._under_way) < AT_ONCE:
                self._under_way[target] = asyncio.create_task(self._deliver(target, errand, outbox))

    async def wait(self, timeout_s: float) -> None:
        """Until one delivery is over, or ``timeout_s`` passed."""
        if self._under_way:
            await asyncio.wait(self._under_way.values(), timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        else:
            await asyncio.sleep(timeout_s)

    async def finish(self, timeout_s: float) -> None:
        """Let what is under way come to its end."""
        if self._under_way:
            await asyncio.wait(self._under_way.values(), timeout=timeout_s)

    async def _deliver(self, target: str, errand: dict[str, Any], outbox: dict[str, Any]) -> None:
        try:
            outcome = await self._attempt(errand, outbox)
            await self._record(errand["delivery"], outcome, is_push=errand["subscription"] is not None)
        except Exception:
            logger.exception("a delivery to %s failed in an unexpected way", target)
        finally:
            del self._under_way[target]

    async def _attempt(self, errand: dict[str, Any], outbox: dict[str, Any]) -> Outcome:
        now_s = int(time.time())
        try:
            if errand["subscription"] is not None:
                letter = self._for_browser(errand, outbox, now_s)
            else:
                letter = _for_webhook(errand, now_s)
        except ImportError:
            return Outcome(None, NO_LIBRARY, 0)
        except (Refused, ValueError) as error:
            return Outcome(None, f"not sent: {error}", 0)
        return await self._sender.post(letter.url, letter.body, letter.headers)

    def _for_browser(self, errand: dict[str, Any], outbox: dict[str, Any], now_s: int) -> Letter:
        from notifier import webpush

        subscription = errand["subscription"]
        self._options.policy.check_push_endpoint(subscription["endpoint"])
        private_key, public_key = outbox["push_private_key"], outbox["push_public_key"]
        if private_key is None or public_key is None:
            raise ValueError("there is no key for push services yet")
        message = push_message(errand["body"], errand["delivery"]["notice_id"])
        keys = webpush.KeyPair(private_key, public_key)
        kind = errand["delivery"]["kind"]
        headers = {
            "Content-Type": "application/octet-stream",
            "Content-Encoding": "aes128gcm",
            "TTL": str(webpush.TTL_S),
            "Topic": webpush.encode(hashlib.sha256(kind.encode()).digest()[:18]),
            "Authorization": webpush.authorization(subscription["endpoint"], keys, self._options.contact, now_s),
        }
        return Letter(
            subscription["endpoint"], webpush.encrypt(message, subscription["p256dh"], subscription["auth"]), headers
        )

    async def _record(self, delivery: dict[str, Any], outcome: Outcome, *, is_push: bool) -> None:
        attempt = delivery["attempts"] + 1
        is_gone = outcome.status in (GONE_PUSH if is_push else GONE_WEBHOOK)
        wait_s = None
        if not outcome.is_delivered and not is_gone:
            asked_s = retries.asked_wait_s(outcome.retry_after)
            wait_s = retries.wait_s(attempt, self._options.first_retry_s, random.random(), asked_s)  # noqa: S311
        while True:
            try:
                await self._hub.call(
                    "notify.attempt",
                    delivery_id=delivery["id"],
                    attempt=attempt,
                    is_delivered=outcome.is_delivered,
                    status=outcome.status,
                    error=outcome.error,
                    duration_ms=outcome.duration_ms,
                    retry_at=round((time.time() + wait_s) * 1000) if wait_s is not None else None,
                    is_gone=is_gone,
                )
                return
            except HubUnavailable:
                await asyncio.sleep(RECORD_RETRY_S)
            except HubRefused as refused:
                logger.error("the hub does not take an outcome: %s", refused)
                return


def _for_webhook(errand: dict[str, Any], now_s: int) -> Letter:
    body = errand["body"].encode()
    webhook, message_id = errand["webhook"], errand["delivery"]["notice_id"]
    signed = signing.headers(webhook["secret"], message_id, now_s, body)
    return Letter(webhook["url"], body, {"Content-Type": "application/json", **signed})
