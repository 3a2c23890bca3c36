"""Many ask for the same thing at the same time: one of them does the work, all of them get the outcome."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class SingleFlight(Generic[T]):
    """At most one run of ``work`` at a time."""

    def __init__(self, work: Callable[[], Coroutine[Any, Any, T]]) -> None:
        self._work = work
        self._running: asyncio.Task[T] | None = None

    async def fresh(self) -> T:
        """The outcome of a run that began after this call, so that it knows everything that happened before."""
        if self._running is not None and not self._running.done():
            with suppress(Exception):  # those who wait for that run are told
                await asyncio.shield(self._running)
        return await self.shared()

    async def shared(self) -> T:
        """The outcome of the run that is under way, or of a new one."""
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._work())
        return await asyncio.shield(self._running)
