"""One page's frames with a clock that stands still: pace, merging, snapshots, gaps, and pages that do not read."""

from __future__ import annotations

import asyncio
import heapq
import json
from collections.abc import Awaitable, Callable
from itertools import pairwise
from typing import Any

from link.client import HubUnavailable
from link.messages import DashboardBatch, HealthUpdate, HubHello
from web.dashboard_feed import FRAMES_PER_S, DashboardFeed
from web.dashboard_page import DashboardPage
from web.options import WebLimits

LIMITS = WebLimits(unsent_bytes=1000)


class Timer:
    def __init__(self, when: float, callback: Callable[[], object]) -> None:
        self._when = when
        self.callback = callback
        self._cancelled = False

    def when(self) -> float:
        return self._when

    def cancelled(self) -> bool:
        return self._cancelled

    def cancel(self) -> None:
        self._cancelled = True

    def __lt__(self, other: Timer) -> bool:
        return self._when < other._when


class FakeLoop:
    """Time moves only by ``advance``."""

    def __init__(self) -> None:
        self.now = 1000.0
        self._timers: list[Timer] = []

    def time(self) -> float:
        return self.now

    def call_at(self, when: float, callback: Callable[[], object]) -> Any:
        timer = Timer(when, callback)
        heapq.heappush(self._timers, timer)
        return timer

    async def advance(self, seconds: float) -> None:
        until = self.now + seconds
        await settle()
        while self._timers and self._timers[0].when() <= until:
            timer = heapq.heappop(self._timers)
            self.now = max(self.now, timer.when())
            if not timer.cancelled():
                timer.callback()
            await settle()
        self.now = until
        await settle()


async def settle() -> None:
    """Let tasks that are ready run to their next wait."""
    for _ in range(20):
        await asyncio.sleep(0)


class Bench:
    """A feed with a scripted hub and one page."""

    def __init__(self) -> None:
        self.loop = FakeLoop()
        self.snapshot_seq = 0
        self.health_number = 0
        self.snapshot_calls = 0
        self.is_failing = False
        self.feed = DashboardFeed(self, LIMITS, self.loop)  # type: ignore[arg-type]
        self.sent: list[tuple[float, dict[str, Any]]] = []
        self.is_stuck = False
        self.stuck: list[asyncio.Future[None]] = []
        self.page = DashboardPage(self.feed, self.write, self.loop, LIMITS)

    async def call(self, op: str, timeout_s: float) -> dict[str, Any]:
        assert op == "dashboard.snapshot"
        self.snapshot_calls += 1
        await asyncio.sleep(0)
        if self.is_failing:
            raise HubUnavailable("no")
        return {
            "seq": self.snapshot_seq,
            "json": b'{"seq":%d}' % self.snapshot_seq,
            "health_number": self.health_number,
        }

    def write(self, frame: bytes) -> asyncio.Future[None]:
        self.sent.append((self.loop.now, decoded(frame)))
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self.is_stuck:
            self.stuck.append(future)
        else:
            future.set_result(None)
        return future

    def drain(self) -> None:
        self.is_stuck = False
        stuck, self.stuck = self.stuck, []
        for future in stuck:
            future.set_result(None)

    def open(self) -> None:
        self.feed.join(self.page)
        self.page.pump()

    def batch(self, *seqs: int) -> None:
        """Consecutive numbers, each an event that is shown."""
        self.snapshot_seq = max(self.snapshot_seq, seqs[-1])
        events = b",".join(b'{"type":"task_event","seq":%d}' % seq for seq in seqs)
        self.feed.take(DashboardBatch(seqs[0], seqs[-1], events))

    def health(self, number: int) -> None:
        """A change of health, of which snapshots from now on know."""
        self.health_number = number
        self.feed.take_health(HealthUpdate(number, b'{"status":"warning"}'))

    def kinds(self) -> list[str]:
        return [frame["type"] for _, frame in self.sent]

    def events(self) -> list[int]:
        """The numbers of all events, checking that each frame says what it covers."""
        numbers = []
        for _, frame in self.sent:
            if frame["type"] == "events":
                mine = [event["seq"] for event in frame["data"]]
                assert frame["first_seq"] <= mine[0] and mine[-1] <= frame["seq"]
                numbers += mine
        return numbers


def decoded(frame: bytes) -> dict[str, Any]:
    size, skip = frame[1], 2
    if size == 126:
        size, skip = int.from_bytes(frame[2:4], "big"), 4
    elif size == 127:
        size, skip = int.from_bytes(frame[2:10], "big"), 10
    assert frame[0] == 0x81 and len(frame) == size + skip
    content: dict[str, Any] = json.loads(frame[skip:])
    return content


def on_bench(test: Callable[[Bench], Awaitable[None]]) -> Callable[[], None]:
    def run() -> None:
        async def main() -> None:
            bench = Bench()
            await test(bench)

        asyncio.run(main())

    run.__name__, run.__doc__ = test.__name__, test.__doc__  # type: ignore[attr-defined]
    return run


def greeted(bench: Bench, boot_id: str = "b1") -> None:
    bench.feed.hub_is_back(HubHello(boot_id, 1, []))


@on_bench
async def test_the_first_frame_is_a_snapshot_and_events_follow_it(bench: Bench) -> None:
    greeted(bench)
    bench.snapshot_seq = 7
    bench.open()
    await settle()
    assert bench.sent[0][1] == {"type": "snapshot", "data": {"seq": 7}, "seq": 7, "boot_id": "b1"}
    bench.batch(8, 9)
    assert bench.sent[1][1] == {
        "type": "events",
        "seq": 9,
        "first_seq": 8,
        "boot_id": "b1",
        "data": [{"type": "task_event", "seq": 8}, {"type": "task_event", "seq": 9}],
    }


@on_bench
async def test_never_more_than_ten_frames_in_a_second_and_no_event_is_lost(bench: Bench) -> None:
    greeted(bench)
    bench.open()
    await settle()
    seq = 0
    for step in range(400):
        bench.batch(*range(seq + 1, seq + 6))
        seq += 5
        if step % 3 == 0:
            bench.page.ask_for_snapshot()
        if step % 7 == 0:
            bench.page.tell({"type": "retry_result", "task_id": str(step), "status": "requeued"})
        await bench.loop.advance(0.02)
    await bench.loop.advance(3)
    times = [at for at, _ in bench.sent]
    assert max(sum(start <= at < start + 1 for at in times) for start in times) <= 10
    last = 0
    for _, frame in bench.sent:
        if frame["type"] == "snapshot":
            assert frame["seq"] >= last, "a snapshot never goes back"
            last = frame["seq"]
        elif frame["type"] == "events":
            assert frame["first_seq"] == last + 1 and frame["data"][0]["seq"] == last + 1
            last = frame["seq"]
    assert last == seq
    assert bench.kinds().count("retry_result") == 400 // 7 + 1


@on_bench
async def test_many_requests_for_a_snapshot_become_one(bench: Bench) -> None:
    """Lesson 49: forty events made forty snapshots."""
    greeted(bench)
    bench.open()
    await settle()
    await bench.loop.advance(1)
    for _ in range(40):
        bench.page.ask_for_snapshot()
    await settle()
    await bench.loop.advance(2)
    assert bench.kinds() == ["snapshot", "snapshot"]


@on_bench
async def test_requested_snapshots_keep_their_distance_and_events_go_on_between_them(bench: Bench) -> None:
    greeted(bench)
    bench.open()
    await settle()
    for number in range(1, 21):
        bench.page.ask_for_snapshot()
        bench.batch(number)
        await bench.loop.advance(0.1)
    snapshots = [at for at, frame in bench.sent if frame["type"] == "snapshot"]
    assert all(later - earlier >= 0.25 for earlier, later in pairwise(snapshots))
    assert len(snapshots) <= 9 and "events" in bench.kinds()


@on_bench
async def test_a_gap_between_batches_ends_in_a_snapshot(bench: Bench) -> None:
    greeted(bench)
    bench.open()
    bench.batch(1, 2)
    await settle()
    await bench.loop.advance(1)
    bench.batch(5, 6)
    await settle()
    assert bench.kinds()[-1] == "snapshot" and bench.sent[-1][1]["seq"] == 6


@on_bench
async def test_a_snapshot_that_lags_behind_the_gap_is_asked_for_again(bench: Bench) -> None:
    """The state may be a little behind the events; an old snapshot would leave the hole open."""
    greeted(bench)
    bench.open()
    bench.batch(1)
    await settle()
    await bench.loop.advance(1)
    bench.feed.take(DashboardBatch(5, 5, b'{"type":"task_event","seq":5}'))
    await bench.loop.advance(1)
    assert bench.kinds().count("snapshot") == 1 and 10 <= bench.snapshot_calls <= 25
    bench.snapshot_seq = 4
    await bench.loop.advance(0.1)
    assert [frame["seq"] for _, frame in bench.sent[-2:]] == [4, 5]


@on_bench
async def test_a_snapshot_in_the_middle_of_a_batch_is_followed_by_the_rest(bench: Bench) -> None:
    greeted(bench)
    bench.snapshot_seq = 3
    bench.open()
    await settle()
    bench.batch(1, 2, 3, 4, 5)
    assert bench.events() == [4, 5] and bench.sent[-1][1]["first_seq"] == 4


@on_bench
async def test_a_hub_that_is_away_is_told_once_and_its_return_brings_a_snapshot(bench: Bench) -> None:
    greeted(bench)
    bench.open()
    bench.batch(1, 2)
    await settle()
    bench.feed.hub_is_away()
    bench.feed.hub_is_away()
    await bench.loop.advance(2)
    bench.snapshot_seq = 0
    greeted(bench, "b2")
    await settle()
    tail = [frame for _, frame in bench.sent][-3:]
    assert tail[0] == {"type": "hub_status", "status": "away"}
    assert tail[1] == {"type": "hub_status", "status": "back"}
    assert (tail[2]["type"], tail[2]["seq"], tail[2]["boot_id"]) == ("snapshot", 0, "b2")
    bench.batch(1)
    assert bench.sent[-1][1]["boot_id"] == "b2" and bench.sent[-1][1]["seq"] == 1


@on_bench
async def test_a_blink_of_the_hub_also_brings_a_snapshot(bench: Bench) -> None:
    """Events may have passed while the link was down, and no later one would show the hole."""
    greeted(bench)
    bench.open()
    await settle()
    bench.feed.hub_is_away()
    greeted(bench)
    await settle()
    assert bench.kinds()[-1] == "snapshot" and bench.kinds().count("snapshot") == 2


@on_bench
async def test_a_page_that_opens_while_the_hub_is_away_is_told_so(bench: Bench) -> None:
    bench.open()
    await settle()
    assert [frame for _, frame in bench.sent] == [{"type": "hub_status", "status": "away"}]
    greeted(bench)
    await settle()
    assert bench.kinds() == ["hub_status", "hub_status", "snapshot"]


@on_bench
async def test_a_snapshot_that_does_not_come_is_asked_for_again(bench: Bench) -> None:
    greeted(bench)
    bench.is_failing = True
    bench.open()
    await settle()
    assert bench.sent == []
    bench.is_failing = False
    await bench.loop.advance(1)
    assert bench.kinds() == ["snapshot"]


@on_bench
async def test_a_page_that_does_not_read_costs_bounded_memory_and_misses_nothing(bench: Bench) -> None:
    greeted(bench)
    bench.open()
    await settle()
    bench.is_stuck = True
    for seq in range(1, 3001):
        bench.batch(seq)
        await bench.loop.advance(0.2) if seq % 100 == 0 else None
    assert len(bench.stuck) <= 10
    await bench.loop.advance(10)
    unread = len(bench.stuck)
    assert unread <= 40 and not bench.page.is_deaf()
    await bench.loop.advance(51)
    assert bench.page.is_deaf()
    bench.drain()
    await settle()
    await bench.loop.advance(3)
    assert not bench.page.is_deaf()
    last = 0
    for _, frame in bench.sent:
        assert frame["type"] == "snapshot" or frame["first_seq"] == last + 1
        last = frame["seq"]
    assert last == 3000


@on_bench
async def test_all_pages_share_one_snapshot_call(bench: Bench) -> None:
    greeted(bench)
    frames: list[bytes] = []

    def write(frame: bytes) -> asyncio.Future[None]:
        frames.append(frame)
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        future.set_result(None)
        return future

    pages = [DashboardPage(bench.feed, write, bench.loop, LIMITS) for _ in range(50)]
    for page in pages:
        bench.feed.join(page)
        page.pump()
    await settle()
    assert bench.snapshot_calls == 1 and len(frames) == 50
    bench.batch(1, 2)
    assert len({id(frame) for frame in frames[50:]}) == 1, "built once for all"


@on_bench
async def test_many_pages_share_a_bound_of_frames_and_none_misses_an_event(bench: Bench) -> None:
    greeted(bench)
    others = FRAMES_PER_S - 1
    pages = [DashboardPage(bench.feed, lambda frame: None, bench.loop, LIMITS) for _ in range(others)]  # type: ignore[arg-type,return-value]
    for page in pages:
        bench.feed.join(page)
    bench.open()
    await settle()
    for number in range(1, 51):
        bench.batch(number)
        await bench.loop.advance(0.1)
    await bench.loop.advance(2)
    frames = [frame for _, frame in bench.sent if frame["type"] == "events"]
    assert len(frames) <= 7, "one frame a second and page"
    assert bench.events() == list(range(1, 51))


def new_page(bench: Bench) -> Bench:
    bench.page = DashboardPage(bench.feed, bench.write, bench.loop, LIMITS, speaks_of_views=True)
    bench.page.read_overview()
    bench.open()
    return bench


@on_bench
async def test_a_change_of_health_reaches_a_page_that_hears_of_no_event(bench: Bench) -> None:
    greeted(bench)
    new_page(bench)
    await settle()
    bench.health(7)
    assert bench.sent[-1][1] == {"type": "health", "health": {"status": "warning"}, "boot_id": "b1"}
    await bench.loop.advance(5)
    assert bench.kinds() == ["subscribed", "snapshot", "health"], "once"


@on_bench
async def test_a_page_of_the_first_protocol_is_never_sent_a_frame_about_health(bench: Bench) -> None:
    greeted(bench)
    bench.open()
    await settle()
    bench.health(7)
    await bench.loop.advance(5)
    assert bench.kinds() == ["snapshot"]


@on_bench
async def test_of_many_changes_of_health_a_page_that_does_not_read_gets_the_last(bench: Bench) -> None:
    greeted(bench)
    new_page(bench)
    await settle()
    await bench.loop.advance(1)
    for number in range(1, 51):
        bench.health(number)
    await bench.loop.advance(3)
    assert bench.kinds().count("health") <= 11


@on_bench
async def test_a_snapshot_never_takes_back_what_was_said_of_health(bench: Bench) -> None:
    """One that was under way when health changed is older than what pages know."""
    greeted(bench)
    new_page(bench)
    await settle()
    await bench.loop.advance(1)
    bench.page.ask_for_snapshot()
    bench.feed.take_health(HealthUpdate(7, b'{"status":"warning"}'))
    await bench.loop.advance(1)
    assert bench.kinds()[2:] == [], "no snapshot that does not know it"
    bench.health_number = 7
    await bench.loop.advance(1)
    assert bench.kinds()[2:] == ["snapshot"]


@on_bench
async def test_a_page_that_goes_on_where_it_was_hears_how_health_is_now(bench: Bench) -> None:
    greeted(bench)
    new_page(bench)
    bench.batch(1)
    await settle()
    bench.health(7)
    await bench.loop.advance(1)
    sent = len(bench.sent)
    bench.page.read_overview("b1", 1)
    await bench.loop.advance(1)
    assert [frame["type"] for _, frame in bench.sent[sent:]] == ["subscribed", "health"]


@on_bench
async def test_a_closed_page_gets_nothing(bench: Bench) -> None:
    greeted(bench)
    bench.open()
    bench.page.close()
    await settle()
    await bench.loop.advance(2)
    assert bench.sent == []


@on_bench
async def test_results_that_nobody_reads_do_not_pile_up(bench: Bench) -> None:
    greeted(bench)
    bench.open()
    await settle()
    for number in range(500):
        bench.page.tell({"type": "retry_result", "task_id": str(number), "status": "not_found"})
    await bench.loop.advance(60)
    assert len(bench.sent) < 50
