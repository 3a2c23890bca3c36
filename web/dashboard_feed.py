"""What all dashboards of this process share: the events, the snapshot, and whether the hub is there.

Every frame is built once, however many pages get it. At most one snapshot is asked of the hub at a time.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from link.client import HubLink, HubRefused, HubUnavailable
from link.messages import DashboardBatch, HealthUpdate, HubHello
from web.event_ring import EventRing
from web.options import WebLimits
from web.output_feed import OutputFeed
from web.single_flight import SingleFlight
from web.ws_frames import text_frame
from wire import codec

logger = logging.getLogger("agentcom.web.dashboard")

#: A snapshot of this age in seconds still serves another page.
SNAPSHOT_FRESH_S = 0.1

#: Least time from one question for a snapshot to the next, after an answer and after none.
SNAPSHOT_RETRY_S = 0.05
SNAPSHOT_FAILED_S = 0.5

#: Beyond this a snapshot is smaller than the events that it replaces.
MAX_EVENTS_BYTES = 256 * 1024

#: Event frames that this process sends in a second, to all its pages together: a write costs some 50 µs, so this is a tenth
#: of a core. Up to 20 pages get every batch; 250 get two frames a second that hold several batches each.
FRAMES_PER_S = 500
FRAMES_PER_S_OF_A_PAGE = 10


@dataclass(frozen=True, slots=True)
class Snapshot:
    """``json`` is true for event ``seq`` of the hub's life ``boot_id``; ``read_at`` in seconds of the loop's clock."""

    seq: int
    json: bytes
    boot_id: str
    read_at: float
    health_number: int

    def frame(self) -> bytes:
        return text_frame(
            b'{"type":"snapshot","data":%b,"seq":%d,"boot_id":%b}' % (self.json, self.seq, codec.encode(self.boot_id))
        )


@dataclass(frozen=True, slots=True)
class HealthNews:
    """What pages of the second protocol are told when health changed; ``number`` orders it against snapshots."""

    number: int
    frame: bytes


class Loop(Protocol):
    """What is needed of an event loop's clock."""

    def time(self) -> float: ...

    def call_at(self, when: float, callback: Callable[[], object]) -> asyncio.TimerHandle: ...


class Page(Protocol):
    """One dashboard. ``pump`` sends what there is to send, if it may now."""

    def pump(self) -> None: ...


class TaskWatcher(Protocol):
    """Somebody who looks at one task."""

    def changed(self) -> None: ...


class DashboardFeed:
    def __init__(self, link: HubLink, limits: WebLimits, loop: Loop) -> None:
        self._link = link
        self._limits = limits
        self._loop = loop
        self._ring = EventRing(limits.ring_batches, limits.ring_bytes)
        self.output = OutputFeed(link, lambda callback: loop.call_at(loop.time(), callback))
        self._pages: set[Page] = set()
        self._task_watchers: dict[str, set[TaskWatcher]] = {}
        self._events_frames: dict[int, bytes | None] = {}
        """By the number after which they begin; for the newest batch only."""
        self._snapshot: Snapshot | None = None
        self._snapshot_frame = b""
        self.health = HealthNews(0, b"")
        """Number 0: nothing was said in this life of the hub."""
        self._snapshots = SingleFlight(self._read_snapshot)
        self._fetching: asyncio.Task[None] | None = None
        self._retry: asyncio.TimerHandle | None = None
        self._spread: asyncio.TimerHandle | None = None
        """Set while events wait, so that many pages do not take the processor from the work that they show."""
        self._pumped_at = -1.0
        self.boot_id = ""
        self.epoch = 0
        """Grows each time the hub was away: what a page was sent before is not continued."""
        self.is_hub_up = False
        self.frames_sent = 0
        """To all pages, ever."""

    # --- pages ------------------------------------------------------------------------------------------------------

    @property
    def page_count(self) -> int:
        return len(self._pages)

    def join(self, page: Page) -> None:
        self._pages.add(page)

    def leave(self, page: Page) -> None:
        self._pages.discard(page)

    def watch_task(self, task_id: str, watcher: TaskWatcher) -> None:
        self._task_watchers.setdefault(task_id, set()).add(watcher)

    def unwatch_task(self, task_id: str, watcher: TaskWatcher) -> None:
        watchers = self._task_watchers.get(task_id, set())
        watchers.discard(watcher)
        if not watchers:
            self._task_watchers.pop(task_id, None)

    def _tell_watchers(self, batch: DashboardBatch | None) -> None:
        """Of tasks in ``batch``; None, and also after a gap, because nobody knows what was in it: of all."""
        if not self._task_watchers:
            return
        for task_id, watchers in list(self._task_watchers.items()):
            if batch is None or f'"{task_id}"'.encode() in batch.events:
                for watcher in list(watchers):
                    watcher.changed()

    def _pump_all(self) -> None:
        for page in list(self._pages):
            page.pump()

    # --- from the hub -----------------------------------------------------------------------------------------------

    def hub_is_back(self, hello: HubHello) -> None:
        self._ring.clear()
        self._events_frames.clear()
        self._snapshot = None
        self.health = HealthNews(0, b"")
        self.boot_id = hello.boot_id
        self.epoch += 1
        self.is_hub_up = True
        self.output.hub_is_back()
        self._tell_watchers(None)
        self._pump_all()

    def hub_is_away(self) -> None:
        self.is_hub_up = False
        self._pump_all()

    def take(self, batch: DashboardBatch) -> None:
        is_gap = self._ring.last_seq is not None and batch.first_seq != self._ring.last_seq + 1
        self._ring.push(batch)
        self._events_frames.clear()
        self._tell_watchers(None if is_gap else batch)
        if self._spread is None:
            self._pump_spread()

    def take_health(self, update: HealthUpdate) -> None:
        head = b'{"type":"health","health":%b,"boot_id":%b}'
        self.health = HealthNews(update.number, text_frame(head % (update.json, codec.encode(self.boot_id))))
        self._pump_all()

    def _pump_spread(self) -> None:
        """Pages get the events together, so that one frame is built for all of them; the more pages, the less often."""
        self._spread = None
        now = self._loop.time()
        rest_s = len(self._pages) / FRAMES_PER_S
        due_at = self._pumped_at + rest_s
        if rest_s > 1 / FRAMES_PER_S_OF_A_PAGE and now < due_at:
            self._spread = self._loop.call_at(due_at, self._pump_spread)
            return
        self._pumped_at = now
        self._pump_all()

    # --- frames -----------------------------------------------------------------------------------------------------

    @property
    def last_seq(self) -> int | None:
        """The newest event that a batch brought."""
        return self._ring.last_seq

    def continues(self, boot_id: str, seq: int) -> bool:
        """Whether a page that knows this life of the hub up to ``seq`` can go on from the ring."""
        return self.is_hub_up and boot_id == self.boot_id and self._ring.continues(seq)

    def events_after(self, seq: int) -> bytes | None:
        """One frame with every event after ``seq``; empty when there is none to show; None when only a snapshot helps."""
        if seq not in self._events_frames:
            self._events_frames[seq] = self._build_events(seq)
        return self._events_frames[seq]

    def _build_events(self, seq: int) -> bytes | None:
        if not self._ring.covers(seq):
            return None
        events = self._ring.after(seq)
        if len(events) > MAX_EVENTS_BYTES:
            return None
        if not events:
            return b""
        last_seq = self._ring.last_seq
        head = b'{"type":"events","seq":%d,"first_seq":%d,"boot_id":%b,"data":['
        return text_frame(head % (last_seq, seq + 1, codec.encode(self.boot_id)) + events + b"]}")

    def snapshot_frame(self, *, not_before: float, min_seq: int) -> tuple[Snapshot, bytes] | None:
        """A snapshot that is no older than either nor than what was said of health, and its frame; None: not yet, pages are
        pumped when it is there."""
        snapshot = self._snapshot
        is_fresh = snapshot is not None and snapshot.read_at >= not_before - SNAPSHOT_FRESH_S
        # The state may lag behind the events that we have: then this one would leave a hole.
        if (
            snapshot is not None
            and is_fresh
            and snapshot.seq >= min_seq
            and snapshot.health_number >= self.health.number
            and self.events_after(snapshot.seq) is not None
        ):
            return snapshot, self._snapshot_frame
        self._fetch_at(snapshot.read_at + SNAPSHOT_RETRY_S if snapshot is not None else self._loop.time())
        return None

    def _fetch_at(self, when: float) -> None:
        if self._retry is not None or (self._fetching is not None and not self._fetching.done()):
            return
        if when > self._loop.time():
            self._retry = self._loop.call_at(when, self._fetch_now)
        else:
            self._fetch_now()

    def _fetch_now(self) -> None:
        self._retry = None
        self._fetching = asyncio.create_task(self._fetch())

    async def _fetch(self) -> None:
        """One task for all pages that wait; those that still do after it ask again."""
        try:
            await self._snapshots.shared()
        except (HubUnavailable, HubRefused) as error:
            if self.is_hub_up:
                logger.warning("no snapshot: %s", error)
            self._loop.call_at(self._loop.time() + SNAPSHOT_FAILED_S, self._pump_all)
        else:
            # When this task is done, so that a page that needs another one can start it.
            asyncio.get_running_loop().call_soon(self._pump_all)

    async def read_snapshot(self) -> Snapshot:
        """A snapshot that knows everything before this call. Raises ``HubUnavailable`` or ``HubRefused``."""
        return await self._snapshots.fresh()

    async def _read_snapshot(self) -> Snapshot:
        epoch, read_at = self.epoch, self._loop.time()
        value = await self._link.call("dashboard.snapshot", self._limits.call_timeout_s)
        snapshot = Snapshot(value["seq"], value["json"], self.boot_id, read_at, value["health_number"])
        if epoch == self.epoch:
            self._snapshot = snapshot
            self._snapshot_frame = snapshot.frame()
        return snapshot
