"""The hub process: all actors, and the only connection to the database that ever writes.

Started by the root with its options in the environment (``process_options``). It says ``READY=1`` when every actor
is up and the link to the web processes listens. Exit status 0 after SIGTERM; 1 when the tree gave up; 70 after a disk error
whose outcome is unknown. The root starts it again.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import cast

import msgspec

from actors.agent_fsm import AgentOptions
from actors.health import HealthOptions
from actors.task_queue import TaskQueueOptions
from actors.vocabulary import names
from actors.vocabulary.dashboard import Boot
from actors.vocabulary.gateway import FromPeer, PeerLost, PeerUp
from actors.vocabulary.notices import ListTargets, Targets
from actors.vocabulary.tasks import CreateIdentity, Identity, ListIdentities
from agentcom import data_dir
from agentcom.logs import configure_logging
from agentcom.process_options import HUB_VARIABLE, HubOptions
from agentcom.stopped_clock import UPTIME_S, StoppedClock
from agentcom.tree import TreeOptions, hub_children, hub_flags
from link.server import LinkServer
from supervision.cell import Cell
from supervision.clock import SystemClock
from supervision.future import ActorFuture
from supervision.notify import notify
from supervision.posix import die_with_parent
from supervision.runtime import Runtime
from supervision.supervisor import Supervisor
from supervision.watcher import ReadAlarms
from wire import tokens
from wire.roles import Role

logger = logging.getLogger("agentcom.hub")

ADMIN = "admin"


def main() -> int:
    options = msgspec.json.decode(os.environ[HUB_VARIABLE], type=HubOptions)
    die_with_parent(signal.SIGKILL, options.parent_pid)
    os.umask(0o077)
    configure_logging("hub", options.log_level)
    # What is loaded now stays; and a hub makes many objects that live long, so looking for cycles at each 700 finds none.
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    return asyncio.run(Hub(options).run())


#: Handlers of ended actors that may still occupy a thread; more end the process.
MAX_ABANDONED = 16


#: How often the root hears of us; its patience is many times this.
LIFE_PERIOD_S = 5.0


class Hub:
    """Owns the runtime, the link server and the top of the tree for one life of the process."""

    def __init__(self, options: HubOptions) -> None:
        self._options = options
        self._data_dir = Path(options.data_dir)
        stopped = StoppedClock(Path(options.clock_file)) if options.clock_file is not None else None
        self._runtime = Runtime(
            stopped,
            timer_clock=SystemClock(),
            max_abandoned=MAX_ABANDONED,
            on_too_many_abandoned=self._too_many_abandoned,
        )
        self._server = LinkServer(Path(options.link_socket))
        self._server.on_up = lambda peer: self._to_gateway(PeerUp(peer))
        self._server.on_messages = lambda peer, messages: self._to_gateway(FromPeer(peer, messages))
        self._server.on_lost = lambda peer: self._to_gateway(PeerLost(peer))
        self._over = asyncio.Event()
        self._stop_requested = False
        self._loop: asyncio.AbstractEventLoop

    async def run(self) -> int:
        loop = self._loop = asyncio.get_running_loop()
        top = self._create_tree(loop)
        for signum in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(signum, self._request_stop, top)
        try:
            await _started(top, loop)
            await asyncio.to_thread(self._ensure_admin_token)
            is_notifier_wanted = await asyncio.to_thread(self._somebody_wants_to_be_told)
            await self._server.start()
            notify("READY=1")
            if is_notifier_wanted:
                notify("START=notifier")
            logger.info("ready")
            self._show_life()
            await self._over.wait()
        finally:
            await self._server.close()
            self._runtime.close()
        if self._stop_requested:
            return 0
        logger.error("the tree gave up: %s", top.reason or "too many handlers hang")
        return 1

    def _create_tree(self, loop: asyncio.AbstractEventLoop) -> Cell:
        clock = self._runtime.clock
        age_s = UPTIME_S if isinstance(clock, StoppedClock) else 0.0
        started_at_ms, started_s = clock.time_ms() - int(age_s * 1000), clock.monotonic() - age_s
        boot = Boot(self._runtime.new_id(8), started_at_ms, started_s, self._options.environment)
        options = tree_options(self._options)
        children = hub_children(options, self._server, boot, os.getpid())
        return self._runtime.create(
            Supervisor,
            (hub_flags(options), children),
            name=names.HUB_SUPERVISOR,
            on_exit=lambda *_: _wake(loop, self._over.set),
        )

    def _request_stop(self, top: Cell) -> None:
        self._stop_requested = True
        top.stop()

    def _show_life(self) -> None:
        """To the root's watchdog, by way of an actor: a loop that turns while no actor moves is not life."""
        watcher = self._runtime.names.whereis(names.WATCHER)
        if watcher is not None and watcher.is_alive():
            answer = cast("ActorFuture[object]", watcher.ask(ReadAlarms(), block=False))
            answer.on_done(_say_alive)
        self._loop.call_later(LIFE_PERIOD_S, self._show_life)

    def _too_many_abandoned(self, abandoned: int) -> None:
        """Threads cannot be killed. The root starts this process again, and nothing that was acknowledged is lost."""
        logger.critical("%d handlers hang although their actors were ended: giving up", abandoned)
        _wake(self._loop, self._over.set)

    def _to_gateway(self, message: object) -> None:
        """While the gateway is away this is lost on purpose: when it is back, every web process announces itself anew."""
        ref = self._runtime.names.whereis(names.GATEWAY)
        if ref is not None and ref.is_alive():
            ref.tell(message)

    def _ensure_admin_token(self) -> None:
        """``<data>/admin.token`` exists, is private, and is a valid token. Raises ``DataDirError``."""
        path = self._data_dir / data_dir.ADMIN_TOKEN_FILE
        content = data_dir.read_private(path)
        parsed = tokens.parse(content.decode().strip()) if content is not None else None
        if parsed is None:
            minted = tokens.mint(Role.ADMIN.value)
            data_dir.write_private(path, f"{minted.token}\n".encode())
            parsed = (minted.token_id, minted.secret_sha256)
        token_id, secret_sha256 = parsed
        queue = self._runtime.names.whereis(names.TASK_QUEUE)
        assert queue is not None
        known: tuple[Identity, ...] = queue.ask(ListIdentities(), block=True, timeout=10)
        if not any(one.token_id == token_id and one.secret_sha256 == secret_sha256 for one in known):
            created_at = self._runtime.clock.time_ms()
            identity = Identity(token_id, ADMIN, Role.ADMIN, secret_sha256, created_at)
            queue.ask(CreateIdentity(identity, rotate=True), timeout=10)

    def _somebody_wants_to_be_told(self) -> bool:
        """A web process asks for the notifier when the first one comes; after a start of the hub nobody else would."""
        queue = self._runtime.names.whereis(names.TASK_QUEUE)
        assert queue is not None
        targets: Targets = queue.ask(ListTargets(), block=True, timeout=10)
        return bool(targets.webhooks or targets.subscriptions)


def _say_alive(_: object) -> None:
    notify("WATCHDOG=1")


def tree_options(options: HubOptions) -> TreeOptions:
    return TreeOptions(
        database=Path(options.data_dir) / data_dir.DATABASE_FILE,
        queue=TaskQueueOptions(
            lease_s=options.lease_s,
            boot_grace_s=options.boot_grace_s,
            retry_base_s=options.retry_base_s,
            retry_cap_s=options.retry_cap_s,
            max_reclaims=options.max_reclaims,
            retention_days=options.retention_days,
            max_queued=options.max_queued,
        ),
        agents=AgentOptions(acceptance_timeout_s=options.acceptance_timeout_s, grace_s=options.grace_s),
        max_restarts=options.max_restarts,
        period_s=options.max_seconds,
        health=HealthOptions(
            start_grace_s=options.boot_grace_s,
            offline_after_s=options.offline_after_s,
            stuck_after_s=options.stuck_after_s,
            wait_targets_s=options.wait_targets_s,
        ),
    )


def _started(top: Cell, loop: asyncio.AbstractEventLoop) -> asyncio.Future[None]:
    """The tree's start as something to await; raises what stopped it from starting."""
    ready: asyncio.Future[None] = loop.create_future()

    def settle(outcome: object) -> None:
        if isinstance(outcome, BaseException):
            ready.set_exception(RuntimeError(str(outcome)))
        else:
            ready.set_result(None)

    top.start().on_done(lambda future: _wake(loop, settle, future.outcome()))
    return ready


def _wake(loop: asyncio.AbstractEventLoop, callback: Callable[..., None], *args: object) -> None:
    loop.call_soon_threadsafe(callback, *args)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (data_dir.DataDirError, RuntimeError) as error:
        logging.getLogger("agentcom.hub").critical("cannot start: %s", error)
        sys.exit(1)
