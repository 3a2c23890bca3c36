"""Counts what agents and clients sent against the rules, and tells the hub once a second: health warns of much of it."""

from __future__ import annotations

import asyncio

from link.client import HubLink
from link.messages import InputRejected

#: Seconds from the first message that is counted to the one that says how many there were.
TOLD_AFTER_S = 1.0


class RejectedInput:
    def __init__(self, link: HubLink, loop: asyncio.AbstractEventLoop) -> None:
        self._link = link
        self._loop = loop
        self._messages = 0

    def add(self) -> None:
        if self._messages == 0:
            self._loop.call_later(TOLD_AFTER_S, self._tell)
        self._messages += 1

    def _tell(self) -> None:
        """A hub that is away does not hear of them; nobody's work depends on it."""
        self._link.send(InputRejected(self._messages))
        self._messages = 0
