"""Browsers that want to be told although no page of ours is open in them (Web Push)."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
from importlib.util import find_spec
from typing import Any

from link.client import HubUnavailable
from link.notify import start_notifier
from web.errors import ApiError
from web.handlers.base import ApiHandler
from web.handlers.webhooks import send_test, unknown_target
from wire.bodies import PushSubscriptionBody
from wire.errors import FieldError, Invalid
from wire.outgoing import Refused, host_shown
from wire.p256 import is_point

#: What to type when the library is not there.
INSTALL = "pip install 'agentcom[push]'"

AUTH_BYTES = 16

#: Characters of a subscription's id, which is the beginning of the hash of its endpoint.
ID_CHARS = 16

#: The first time the key is made by the notifier, which has to start for it.
KEY_LOOK_S = 0.1
KEY_LOOKS = 100


def is_available() -> bool:
    """Whether the library that Web Push needs is installed. Looked for and not imported: only the notifier uses it."""
    return find_spec("cryptography") is not None


class Push(ApiHandler):
    route = "/api/push"

    async def on_get(self) -> None:
        targets = await self.call("notify.targets")
        self.answer(
            {
                "available": is_available(),
                "install": None if is_available() else INSTALL,
                "public_key": targets["push_public_key"],
                "subscriptions": [_shown(one) for one in targets["subscriptions"]],
            }
        )


class PushKey(ApiHandler):
    """The key that a browser subscribes with: made once in the life of a data directory, and then always the same."""

    route = "/api/push/key"

    async def on_post(self) -> None:
        if not is_available():
            raise ApiError(409, "push_not_installed", "Web Push needs a library that is not installed", INSTALL)
        start_notifier()
        for _ in range(KEY_LOOKS):
            public_key = (await self.call("notify.targets"))["push_public_key"]
            if public_key is not None:
                self.answer({"public_key": public_key})
                return
            await asyncio.sleep(KEY_LOOK_S)
        raise HubUnavailable("the notifier has not made a key yet")


class PushSubscriptions(ApiHandler):
    route = "/api/push/subscriptions"

    async def on_post(self) -> None:
        body = self.body_as(PushSubscriptionBody)
        self._check(body)
        start_notifier()
        subscription = {
            "id": hashlib.sha256(body.endpoint.encode()).hexdigest()[:ID_CHARS],
            "endpoint": body.endpoint,
            "p256dh": body.keys.p256dh.rstrip("="),
            "auth": body.keys.auth.rstrip("="),
            "created_at": self.services.now_ms(),
            "label": body.label or "",
        }
        self.answer(_shown(await self.call("notify.subscribe", subscription=subscription)), 201)

    def _check(self, body: PushSubscriptionBody) -> None:
        faults = []
        try:
            self.services.outgoing.check_push_endpoint(body.endpoint)
        except Refused as refused:
            faults.append(FieldError("endpoint", "forbidden_target", str(refused)))
        if not is_point(_decoded(body.keys.p256dh)):
            faults.append(FieldError("keys.p256dh", "bad_format", "must be a public key of P-256 in base64url"))
        if len(_decoded(body.keys.auth)) != AUTH_BYTES:
            faults.append(FieldError("keys.auth", "bad_format", f"must be {AUTH_BYTES} bytes in base64url"))
        if faults:
            raise Invalid(faults)


class OnePushSubscription(ApiHandler):
    route = "/api/push/subscriptions/:id"

    async def on_delete(self, id_: str) -> None:
        if not await self.call("notify.remove", target=f"push:{id_}"):
            raise unknown_target()
        self.answer({"status": "removed", "id": id_})


class PushTest(ApiHandler):
    route = "/api/push/subscriptions/:id/test"

    async def on_post(self, id_: str) -> None:
        start_notifier()
        self.answer(await send_test(self, f"push:{id_}"), 202)


def _shown(subscription: dict[str, Any]) -> dict[str, Any]:
    """The endpoint is the browser's secret: whoever knows it could write to it."""
    kept = {key: subscription[key] for key in ("id", "label", "created_at")}
    return {**kept, "service": host_shown(subscription["endpoint"])}


def _decoded(text: str) -> bytes:
    """Empty for what is not base64url."""
    try:
        return base64.b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return b""
