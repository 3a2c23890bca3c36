"""The life of the notifier: connect to the hub, look, deliver, and on SIGTERM finish what is under way."""

from __future__ import annotations

import asyncio
import logging
import signal
import time
from collections.abc import Awaitable, Callable

from link.client import HubLink, HubRefused, HubUnavailable
from link.notify import notify
from notifier.courier import Courier
from notifier.options import NotifierOptions
from notifier.watching import Watching

logger = logging.getLogger("agentcom.notifier")

#: For deliveries that are under way at the end; a little more than one may take.
FINISH_S = 5.5

#: After a fault of our own, so that it does not fill the log.
FAULT_PAUSE_S = 5.0

NAME = "notifier"


def run(options: NotifierOptions) -> int:
    """Until SIGTERM or SIGINT; the exit status."""
    asyncio.run(_run(options))
    return 0


async def _run(options: NotifierOptions) -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, stop.set)
    hub = HubLink(options.hub_socket, NAME)
    courier = Courier(hub, options)
    watching = Watching(hub)
    hub.start()
    loops = [
        asyncio.create_task(_again_and_again(lambda: _offer_key(hub), None)),
        asyncio.create_task(_again_and_again(lambda: _look(watching), options.look_s)),
        asyncio.create_task(_again_and_again(lambda: _deliver(courier, options.outbox_s), 0.0)),
    ]
    notify("READY=1")
    await stop.wait()
    for one in loops:
        one.cancel()
    await courier.finish(FINISH_S)
    await hub.close()


async def _again_and_again(step: Callable[[], Awaitable[None]], pause_s: float | None) -> None:
    """A step that fails because the hub is away, or through a fault of ours, is done again. ``pause_s`` None: once."""
    while True:
        try:
            await step()
            if pause_s is None:
                return
            await asyncio.sleep(pause_s)
        except (HubUnavailable, HubRefused) as error:
            logger.debug("the hub could not be asked: %s", error)
            await asyncio.sleep(0.5)
        except Exception:
            logger.exception("a step failed")
            await asyncio.sleep(FAULT_PAUSE_S)


async def _offer_key(hub: HubLink) -> None:
    """The key by which browsers know this hub is made once in its life; the hub keeps the first that it is offered."""
    try:
        from notifier import webpush
    except ImportError:
        return
    pair = webpush.new_key_pair()
    await hub.call("notify.keep_push_key", private_key=pair.private_key, public_key=pair.public_key)


async def _look(watching: Watching) -> None:
    await watching.look(time.time_ns() // 1_000_000)


async def _deliver(courier: Courier, pause_s: float) -> None:
    await courier.run_due()
    await courier.wait(pause_s)
