"""What one page was sent, what it is owed, and when it may have it. No I/O: frames go to ``write``, time comes from a loop.

Every frame counts against the pace, whatever its kind: status of the hub, results of commands, snapshots, events. What may
not go now is merged into what goes next: events grow together, two snapshots become one, a status replaces the one before.
A page that does not read is skipped until it does, and then goes on from the ring or with a snapshot.

A page reads the overview (snapshots and events) and views (``web.page_views``); which, it says itself, but one that never says
so reads the overview, as every page once did. When both have something, they take turns.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from web.dashboard_feed import DashboardFeed, Loop
from web.options import WebLimits
from web.pacing import FramePacer
from web.page_views import PageViews
from web.ws_frames import text_frame
from wire import codec

AWAY = "away"
BACK = "back"

OVERVIEW = "overview"

#: Results of commands that may wait; a page that sends more without reading gets no answer to the rest.
MAX_RESULTS = 32


#: Writes frames; the future is done when they left. None: the connection is closing.
Write = Callable[[bytes], "asyncio.Future[None] | None"]


class DashboardPage:
    """``pump`` may be called at any time and as often as one likes."""

    def __init__(
        self, feed: DashboardFeed, write: Write, loop: Loop, limits: WebLimits, *, speaks_of_views: bool = False
    ) -> None:
        self._feed = feed
        self.views = PageViews(feed, feed.output, self.pump, limits.views)
        self._reads_overview = not speaks_of_views
        self._hears_health = speaks_of_views
        """Between snapshots: a page of the first protocol would not know the frame."""
        self._is_views_turn = False
        self._write = write
        self._loop = loop
        self._limits = limits
        self._pacer = FramePacer(limits.frames_per_window, limits.frames_window_s)
        self._results: deque[bytes] = deque()
        self._status = BACK
        """What the page believes about the hub."""
        self._epoch = -1
        self._sent_seq = 0
        """The page knows every event up to here, when ``_epoch`` is the feed's."""
        self._sent_health = 0
        self._asked_at: float | None = None
        """When the page asked for a snapshot that it has not got."""
        self._snapshot_at = 0.0
        self._unsent = 0
        self._clogged_at: float | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False

    # --- what there is to send ----------------------------------------------------------------------------------------

    def read_overview(self, boot_id: str = "", seq: int = -1) -> None:
        """From event ``seq`` of that life of the hub on, if it is known what happened since; else with a snapshot.

        The page is told which, before anything else of the overview, however soon that is there.
        """
        self._reads_overview = True
        self._asked_at = None
        is_resumed = self._feed.continues(boot_id, seq)
        self._epoch, self._sent_seq = (self._feed.epoch, seq) if is_resumed else (-1, 0)
        self._sent_health = 0
        self.tell({"type": "subscribed", "view": OVERVIEW, "resumed": is_resumed})

    def leave_overview(self) -> None:
        self._reads_overview = False

    def ask_for_snapshot(self) -> None:
        """However often it is asked for before it goes, it goes once."""
        if self._asked_at is None:
            self._asked_at = self._loop.time()
        self.pump()

    def tell(self, result: dict[str, object]) -> None:
        """The answer to a frame of the page."""
        if len(self._results) < MAX_RESULTS:
            self._results.append(text_frame(codec.encode(result)))
            self.pump()

    def close(self) -> None:
        self._closed = True
        self.views.close_all()
        if self._timer is not None:
            self._timer.cancel()

    @property
    def is_lagging(self) -> bool:
        """Whether it has not taken all that it was sent."""
        return self._unsent > 0

    def is_deaf(self) -> bool:
        """Whether it has not taken anything for longer than is reasonable."""
        return self._clogged_at is not None and self._loop.time() - self._clogged_at > self._limits.deaf_s

    # --- sending ----------------------------------------------------------------------------------------------------

    def pump(self) -> None:
        while not self._closed and self._unsent <= self._limits.unsent_bytes:
            now = self._loop.time()
            wait_s = self._pacer.wait(now)
            if wait_s > 0:
                self._wake_at(now + wait_s)
                return
            frame = self._next_frame(now)
            if frame is None:
                return
            self._pacer.record(now)
            self._send(frame, now)

    def _next_frame(self, now: float) -> bytes | None:
        status = BACK if self._feed.is_hub_up else AWAY
        if status != self._status:
            self._status = status
            return text_frame(codec.encode({"type": "hub_status", "status": status}))
        if self._results:
            return self._results.popleft()
        if not self._feed.is_hub_up:
            return None
        frame = self.views.next_frame() if self._is_views_turn else None
        if frame is None and self._reads_overview:
            frame = self._overview(now)
            self._is_views_turn = True
        if frame is None:
            frame = self.views.next_frame()
            self._is_views_turn = False
        return frame

    def _overview(self, now: float) -> bytes | None:
        if self._epoch != self._feed.epoch or self._may_have_snapshot(now):
            return self._snapshot(now)
        health = self._feed.health
        if self._hears_health and health.number > self._sent_health:
            self._sent_health = health.number
            return health.frame
        frame = self._feed.events_after(self._sent_seq)
        if frame is None:
            return self._snapshot(now)
        self._sent_seq = max(self._sent_seq, self._feed.last_seq or 0)
        return frame or None

    def _may_have_snapshot(self, now: float) -> bool:
        """Whether the page asked for one and its last one is long enough ago. Until then events go on."""
        if self._asked_at is None:
            return False
        due_at = self._snapshot_at + self._limits.snapshot_gap_s
        if now < due_at:
            self._wake_at(due_at)
            return False
        return True

    def _snapshot(self, now: float) -> bytes | None:
        """Nothing else goes out until it is there, so that it is never older than what the page has."""
        is_continued = self._epoch == self._feed.epoch
        found = self._feed.snapshot_frame(
            not_before=self._asked_at if self._asked_at is not None else now - self._limits.snapshot_gap_s,
            min_seq=self._sent_seq if is_continued else 0,
        )
        if found is None:
            return None
        self._epoch = self._feed.epoch
        snapshot, frame = found
        self._sent_seq, self._sent_health = snapshot.seq, snapshot.health_number
        self._asked_at = None
        self._snapshot_at = now
        return frame

    def _send(self, frame: bytes, now: float) -> None:
        size = len(frame)
        self._feed.frames_sent += 1
        written = self._write(frame)
        if written is None:
            self.close()
            return
        if written.done():
            return
        self._unsent += size
        if self._clogged_at is None:
            self._clogged_at = now
        written.add_done_callback(lambda _: self._drained(size))

    def _drained(self, size: int) -> None:
        self._unsent -= size
        self._clogged_at = self._loop.time() if self._unsent else None
        self.pump()

    def _wake_at(self, when: float) -> None:
        """One timer is enough: ``pump`` finds out what else there is to wait for."""
        if self._timer is not None and not self._timer.cancelled() and self._timer.when() <= when:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(when, self._wake)

    def _wake(self) -> None:
        self._timer = None
        self.pump()
