"""Looks at the hub every few seconds and has the hub write down what is worth telling.

What was told is remembered by the hub in the same step, so a death of this process or of the hub at any moment tells nothing
twice and forgets nothing. Each look costs the hub the same, whatever it holds: three short reads.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any, Protocol

from notifier.facts import Fact, Seen, body_of, look

#: Dead letters that are read when there is a new one.
DEAD_READ = 50

#: An agent that vanished is given so long to come back, over a restart of the hub too, before anybody is told.
LOST_FOR_MS = 30_000


class Hub(Protocol):
    """Calls to the hub (``link.client.HubLink``)."""

    async def call(self, op: str, timeout_s: float = 5.0, **args: Any) -> Any: ...


class Watching:
    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    async def look(self, now_ms: int) -> int:
        """How many facts were told. Raises ``HubUnavailable`` or ``HubRefused``; then the next look does it."""
        watch = await self._hub.call("notify.watch", lost_before=now_ms - LOST_FOR_MS)
        health = await self._hub.call("dashboard.health")
        dead = await self._dead_letters(watch["memory"])
        told = look(Seen(now_ms, health["conditions"], watch["lost"], dead, DEAD_READ), watch["memory"])
        if told.memory != watch["memory"]:
            notices = [_notice(fact, now_ms) for fact in told.facts]
            await self._hub.call("notify.record", memory=told.memory, notices=notices)
        return len(told.facts)

    async def _dead_letters(self, memory: Mapping[str, Any] | None) -> list[dict[str, Any]]:
        """The newest alone, unless it is news."""
        newest: list[dict[str, Any]] = (await self._hub.call("tasks.dead_letter", limit=1))["tasks"]
        if not newest or memory is None or newest[0]["updated_at"] <= memory["dead_until"]:
            return newest
        page: list[dict[str, Any]] = (await self._hub.call("tasks.dead_letter", limit=DEAD_READ))["tasks"]
        return page


def _notice(fact: Fact, now_ms: int) -> dict[str, str]:
    return {"id": f"msg_{secrets.token_hex(12)}", "kind": fact.kind.value, "body": body_of(fact, now_ms)}
