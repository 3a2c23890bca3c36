"""Tells the hub what this process serves, when that is another than it was: a process where nothing happens says nothing."""

from __future__ import annotations

from msgspec import structs

from link.client import HubLink
from link.messages import Sockets


class SocketReport:
    def __init__(self, link: HubLink) -> None:
        self._link = link
        self._told: Sockets | None = None
        self._frames = 0
        self._counted_at: float | None = None

    def hub_is_back(self) -> None:
        """It knows nothing of what was said before."""
        self._told = None

    def report(self, now: float, frames: int, sockets: Sockets) -> None:
        """``frames``: sent to dashboards so far; the pace is that since the last call."""
        passed_s = now - self._counted_at if self._counted_at is not None else 0.0
        pace = round((frames - self._frames) / passed_s) if passed_s > 0 else 0
        self._frames, self._counted_at = frames, now
        found = structs.replace(sockets, frames_per_s=pace)
        if found != self._told and self._link.is_up:
            self._told = found
            self._link.send(found)
