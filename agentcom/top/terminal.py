"""Runs ``agentcom top`` on a terminal: single keys, redrawing, and giving the terminal back as it was."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import termios
import time
import tty
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.live import Live

from agentcom.failures import ExitStatus, Failure
from agentcom.top import frame
from agentcom.top.feed import Feed
from agentcom.top.view import View

#: Least and most seconds between two drawings: changes show at once but not more often, and ages go on without changes.
LEAST_S = 0.2
MOST_S = 1.0

FIRST_LIMIT_S = 10.0


async def watch(url: str, token: str | None) -> int:
    """Until ``q`` or a signal; the exit status."""
    console = Console()
    view = View()
    feed = Feed(url, token, view)
    ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    redraw = feed.changed

    def press(key: str) -> None:
        match key:
            case "q" | "Q" | "\x04":
                _settle(ended, ExitStatus.OK)
            case "p" | " ":
                view.toggle_pause(time.monotonic())
            case "s":
                view.next_sort()
            case "r":
                feed.try_now()
        redraw.set()

    reading = asyncio.create_task(feed.run())
    reading.add_done_callback(lambda task: _settle_failed(ended, task))
    with _keys(press), _signals(ended, redraw), Live(console=console, screen=True, auto_refresh=False) as live:
        drawing = asyncio.create_task(_draw(live, console, view, url, redraw))
        try:
            return await ended
        finally:
            for task in (reading, drawing):
                task.cancel()


async def _draw(live: Live, console: Console, view: View, url: str, redraw: asyncio.Event) -> None:
    while True:
        redraw.clear()
        width, height = console.size
        live.update(frame.screen(view, url, time.monotonic(), width, height), refresh=True)
        await asyncio.sleep(LEAST_S)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(MOST_S - LEAST_S):
                await redraw.wait()


async def show_once(url: str, token: str | None) -> int:
    """The first snapshot that comes, on stdout."""
    view = View()
    feed = Feed(url, token, view)
    reading = asyncio.create_task(feed.run())
    first = asyncio.create_task(feed.first.wait())
    lost = asyncio.create_task(_until_lost(view, feed))
    try:
        async with asyncio.timeout(FIRST_LIMIT_S):
            await asyncio.wait({reading, first, lost}, return_when=asyncio.FIRST_COMPLETED)
    except TimeoutError:
        view.reason = view.reason or "no snapshot came in time"
    finally:
        for task in (reading, first, lost):
            task.cancel()
    if reading.done() and not reading.cancelled():
        reading.result()
    if view.snapshot is None:
        hint = "Start one:    agentcom up\nName another: --hub URL or AGENTCOM_HUB"
        raise Failure(f"no hub answers at {url} ({view.reason})", hint, ExitStatus.UNREACHABLE, "hub_unreachable")
    console = Console()
    console.print(frame.once(view, url, time.monotonic(), console.width))
    return ExitStatus.OK


async def _until_lost(view: View, feed: Feed) -> None:
    while view.lost_at_ms is None:
        feed.changed.clear()
        await feed.changed.wait()


# --- the terminal -------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _keys(press: Callable[[str], None]) -> Iterator[None]:
    """Each key alone and unseen, while this lasts."""
    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    loop = asyncio.get_running_loop()

    def read() -> None:
        typed = os.read(descriptor, 64)
        if not typed:  # the terminal is gone
            loop.remove_reader(descriptor)
            typed = b"q"
        for key in typed.decode(errors="ignore"):
            press(key)

    tty.setcbreak(descriptor)
    loop.add_reader(descriptor, read)
    try:
        yield
    finally:
        loop.remove_reader(descriptor)
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


@contextlib.contextmanager
def _signals(ended: asyncio.Future[int], redraw: asyncio.Event) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    actions: dict[int, Callable[[], None]] = {
        signal.SIGINT: lambda: _settle(ended, ExitStatus.INTERRUPTED),
        signal.SIGTERM: lambda: _settle(ended, 128 + signal.SIGTERM),
        signal.SIGHUP: lambda: _settle(ended, 128 + signal.SIGHUP),
        signal.SIGWINCH: redraw.set,
    }
    for signum, action in actions.items():
        loop.add_signal_handler(signum, action)
    try:
        yield
    finally:
        for signum in actions:
            loop.remove_signal_handler(signum)


def _settle(ended: asyncio.Future[int], status: int) -> None:
    if not ended.done():
        ended.set_result(int(status))


def _settle_failed(ended: asyncio.Future[int], task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None and not ended.done():
        ended.set_exception(error)
