"""Webhooks: who is told of what happens, and what became of each delivery. The notifier process does the sending.

A webhook's address often is a secret of its own, so after its creation only the host is shown; so is its signing key, once.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Awaitable
from datetime import UTC, datetime
from typing import Any

from link.client import HubRefused
from link.notify import start_notifier
from web.errors import ApiError
from web.handlers.base import ApiHandler
from wire import codec
from wire.bodies import WebhookBody
from wire.errors import FieldError, Invalid
from wire.notices import TEST
from wire.outgoing import Refused, host_shown
from wire.queries import PageQuery

#: Of a signing key (Standard Webhooks asks for 24 to 64).
SECRET_BYTES = 24

ID_BYTES = 6

#: More digits are no delivery of ours.
DELIVERY_ID_DIGITS = 15


class Webhooks(ApiHandler):
    route = "/api/webhooks"

    async def on_get(self) -> None:
        targets = await self.call("notify.targets")
        self.answer({"webhooks": [shown_webhook(one) for one in targets["webhooks"]]})

    async def on_post(self) -> None:
        body = self.body_as(WebhookBody, unique_keys=True)
        try:
            self.services.outgoing.check_url(body.url)
        except Refused as refused:
            raise Invalid([FieldError("url", "forbidden_target", str(refused))]) from None
        start_notifier()
        webhook = {
            "id": f"wh_{secrets.token_hex(ID_BYTES)}",
            "url": body.url,
            "secret": "whsec_" + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode(),
            "events": sorted({kind.value for kind in body.events}),
            "created_at": self.services.now_ms(),
            "created_by": self.caller_name,
            "label": body.label or "",
        }
        created = await self.call("notify.create_webhook", webhook=webhook)
        self.answer({**shown_webhook(created), "url": created["url"], "secret": created["secret"]}, 201)


class OneWebhook(ApiHandler):
    route = "/api/webhooks/:id"

    async def on_delete(self, id_: str) -> None:
        if not await self.call("notify.remove", target=f"webhook:{id_}"):
            raise unknown_target()
        self.answer({"status": "removed", "id": id_})


class WebhookEnable(ApiHandler):
    """After it was disabled for its failures."""

    route = "/api/webhooks/:id/enable"

    async def on_post(self, id_: str) -> None:
        self.answer(shown_webhook(await found(self.call("notify.enable_webhook", id=id_))))


class WebhookTest(ApiHandler):
    route = "/api/webhooks/:id/test"

    async def on_post(self, id_: str) -> None:
        start_notifier()
        self.answer(await send_test(self, f"webhook:{id_}"), 202)


class WebhookDeliveries(ApiHandler):
    """Newest first; of deliveries that are over the hub keeps the last thousand."""

    route = "/api/webhooks/:id/deliveries"

    async def on_get(self, id_: str) -> None:
        limit = self.query_as(PageQuery).page_size
        deliveries = await found(self.call("notify.deliveries", target=f"webhook:{id_}", limit=limit))
        self.answer({"deliveries": [shown_delivery(one) for one in deliveries]})


class WebhookRedeliver(ApiHandler):
    """Once more, under the same ``webhook-id``."""

    route = "/api/webhooks/:id/deliveries/:delivery/redeliver"

    async def on_post(self, id_: str, delivery: str) -> None:
        if not (delivery.isascii() and delivery.isdigit() and len(delivery) <= DELIVERY_ID_DIGITS):
            raise unknown_target()
        start_notifier()
        again = self.call("notify.redeliver", target=f"webhook:{id_}", delivery_id=int(delivery))
        self.answer(shown_delivery(await found(again)), 202)


# --- shared with the handlers of Web Push -------------------------------------------------------------------------------


async def send_test(handler: ApiHandler, target: str) -> dict[str, Any]:
    """Queue a notice that says that it is a test."""
    data = {
        "title": "AgentCom can reach you",
        "text": "This is a test. Somebody asked for it on the settings page or the command line.",
        "path": "/settings",
    }
    body = codec.encode({"type": TEST, "timestamp": _now_text(), "data": data}).decode()
    return shown_delivery(await found(handler.call("notify.test", target=target, body=body)))


def shown_delivery(delivery: dict[str, Any]) -> dict[str, Any]:
    """``message_id`` is what travels as ``webhook-id``."""
    shown = {key: value for key, value in delivery.items() if key not in ("target", "notice_id")}
    return {"message_id": delivery["notice_id"], **shown}


def shown_webhook(webhook: dict[str, Any]) -> dict[str, Any]:
    shown = {key: value for key, value in webhook.items() if key not in ("secret", "url")}
    return {**shown, "url": host_shown(webhook["url"])}


async def found(answer: Awaitable[Any]) -> Any:
    """``answer``, or 404 when the hub knows no such target. Raises ``ApiError``."""
    try:
        return await answer
    except HubRefused as refused:
        if refused.code == "not_found":
            raise unknown_target() from None
        raise


def unknown_target() -> ApiError:
    return ApiError(404, "target_not_found", "there is no such webhook, browser or delivery")


def _now_text() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
