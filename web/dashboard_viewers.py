"""The dashboard sockets of this process: how many there are, whose token they showed, and which of them do not read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from web.agent_registry import REVOKED
from web.identities import Identities

TOO_SLOW = 1013


class Viewer(Protocol):
    @property
    def token_id(self) -> str | None:
        """Of the token that it showed, if it did."""

    def is_deaf(self) -> bool: ...

    @property
    def is_lagging(self) -> bool: ...

    def close_with(self, code: int, reason: str) -> None: ...


class DashboardViewers:
    def __init__(self, identities: Identities) -> None:
        self._identities = identities
        self._viewers: set[Viewer] = set()

    def __len__(self) -> int:
        return len(self._viewers)

    def __iter__(self) -> Iterator[Viewer]:
        return iter(list(self._viewers))

    def add(self, viewer: Viewer) -> None:
        self._viewers.add(viewer)

    def remove(self, viewer: Viewer) -> None:
        self._viewers.discard(viewer)

    def close_revoked(self) -> None:
        for viewer in self:
            if viewer.token_id is not None and not self._identities.has(viewer.token_id):
                viewer.close_with(REVOKED, "the token was revoked")

    def close_deaf(self) -> None:
        for viewer in self:
            if viewer.is_deaf():
                viewer.close_with(TOO_SLOW, "does not read")
