"""The same actors for xoscar."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import xoscar


class Sink(xoscar.Actor):  # type: ignore[misc]
    def __init__(self) -> None:
        self.seen = 0

    def take(self, _: int) -> int:
        self.seen += 1
        return self.seen


class Link(xoscar.Actor):  # type: ignore[misc]
    def __init__(self) -> None:
        self.after: Any = None
        self.is_over = False

    def join(self, after: Any) -> None:
        self.after = after

    async def hop(self, left: int) -> None:
        if left > 0:
            await self.after.hop.tell(left - 1)
        else:
            self.is_over = True

    def is_done(self) -> bool:
        return self.is_over


async def tell(address: str, count: int) -> float:
    sink = await xoscar.create_actor(Sink, address=address, uid="sink")
    started = time.perf_counter()
    for _ in range(count):
        await sink.take.tell(1)
    while await sink.take(1) <= count:
        await asyncio.sleep(0)
    return count / (time.perf_counter() - started)


async def ring(address: str, count: int, size: int) -> float:
    count -= count % size  # so that it ends where somebody waits
    links = [await xoscar.create_actor(Link, address=address, uid=f"link-{number}") for number in range(size)]
    for link, after in zip(links, [*links[1:], links[0]], strict=True):
        await link.join(after)
    started = time.perf_counter()
    await links[0].hop.tell(count)
    while not await links[0].is_done():
        await asyncio.sleep(0)
    return count / (time.perf_counter() - started)


async def spawn(address: str, count: int) -> float:
    started = time.perf_counter()
    for number in range(count):
        await xoscar.create_actor(Sink, address=address, uid=f"sink-{number}")
    return count / (time.perf_counter() - started)
