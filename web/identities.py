"""Who a token belongs to. The table is the hub's and complete, so that a request costs no round trip to it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from link.client import HubLink, HubRefused, HubUnavailable
from link.messages import IdentityEntry
from wire import tokens

#: Compared with for an unknown token id, so that such a token takes as long as one with a wrong secret.
_NOBODY = bytes(32)

#: Least time between two readings of the table that unknown tokens cause, so that guessing does not load the hub.
REFRESH_GAP_S = 0.1


class Identities:
    """The table as this process knows it. ``is_known`` is False until the hub has sent it once."""

    def __init__(self) -> None:
        self._by_token_id: dict[str, IdentityEntry] = {}
        self.is_known = False

    def replace(self, entries: Iterable[IdentityEntry]) -> None:
        self._by_token_id = {entry.token_id: entry for entry in entries}
        self.is_known = True

    def add(self, entry: IdentityEntry) -> None:
        """One that this process made itself; the complete table follows."""
        self._by_token_id[entry.token_id] = entry

    def has(self, token_id: str) -> bool:
        return token_id in self._by_token_id

    def authenticate(self, token: str) -> IdentityEntry | None:
        parsed = tokens.parse(token)
        if parsed is None:
            return None
        token_id, secret_sha256 = parsed
        entry = self._by_token_id.get(token_id)
        stored = entry.secret_sha256 if entry is not None else _NOBODY
        return entry if tokens.matches(stored, secret_sha256) and entry is not None else None


class Authenticator:
    """Checks tokens; asks the hub again before it refuses one.

    A token that was made a moment ago through another web process may be used here before the news of it came.
    """

    def __init__(self, identities: Identities, link: HubLink) -> None:
        self._identities = identities
        self._link = link
        self._refreshing: asyncio.Task[None] | None = None
        self._refreshed_at = 0.0

    async def authenticate(self, token: str) -> IdentityEntry | None:
        """Raises ``HubUnavailable`` when there is no table yet and nobody to ask for it."""
        entry = self._identities.authenticate(token)
        if entry is None and tokens.parse(token) is not None:
            await self._refresh()
            entry = self._identities.authenticate(token)
        if entry is None and not self._identities.is_known:
            raise HubUnavailable("no table of identities yet")
        return entry

    async def _refresh(self) -> None:
        """Read the table, beginning not before now. Those who ask at the same time share one reading."""
        running = self._refreshing
        if running is not None and not running.done():
            await asyncio.shield(running)  # it may have begun too early
        if self._refreshing is None or self._refreshing.done():
            self._refreshing = asyncio.create_task(self._read_table())
        await asyncio.shield(self._refreshing)

    async def _read_table(self) -> None:
        loop = asyncio.get_running_loop()
        await asyncio.sleep(max(0.0, self._refreshed_at + REFRESH_GAP_S - loop.time()))
        self._refreshed_at = loop.time()
        try:
            entries = await self._link.call("identities.list")
        except (HubUnavailable, HubRefused):
            return  # what we have is all there is
        self._identities.replace(_entry(one) for one in entries)


def _entry(identity: dict[str, Any]) -> IdentityEntry:
    return IdentityEntry(identity["token_id"], identity["name"], identity["role"], identity["secret_sha256"])
