"""A page that says what it looks at: it gets that and nothing else, at its pace, and never a queue that grows."""

from __future__ import annotations

import json

from link.messages import DashboardBatch, TaskPrinted, WatchOutput
from tests.unit.web.test_web_dashboard_page import Bench, greeted, on_bench, settle
from web.dashboard_page import DashboardPage
from web.options import WebLimits
from web.page_views import MAX_WAITING

LIMITS = WebLimits()


class ViewBench(Bench):
    """A page that gets what it subscribes to. The feed's link remembers what the hub was told."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[WatchOutput] = []
        self.page = DashboardPage(self.feed, self.write, self.loop, LIMITS, speaks_of_views=True)

    def send(self, message: WatchOutput) -> None:
        self.told.append(message)

    def printed(self, first: int, count: int = 1, *, task: str = "t", generation: int = 1, width: int = 1) -> None:
        lines = ",".join(json.dumps(["out", str(seq).ljust(width)]) for seq in range(first, first + count)).encode()
        self.feed.output.take(TaskPrinted(task, generation, first, first + count - 1, lines))

    def about(self, seq: int, task_id: str) -> None:
        self.snapshot_seq = seq
        events = b'{"type":"task_event","seq":%d,"task_id":"%b"}' % (seq, task_id.encode())
        self.feed.take(DashboardBatch(seq, seq, events))

    def outputs(self) -> list[int]:
        """The numbers of all lines shown."""
        return [
            part["first_seq"] + offset
            for _, frame in self.sent
            if frame["type"] == "output"
            for part in frame["parts"]
            for offset in range(len(part["lines"]))
        ]


def opened() -> ViewBench:
    bench = ViewBench()
    greeted(bench)
    bench.open()
    return bench


@on_bench
async def test_a_page_that_has_not_subscribed_gets_nothing(_: Bench) -> None:
    bench = opened()
    bench.about(1, "t")
    bench.printed(1)
    await bench.loop.advance(5)
    assert bench.sent == []


@on_bench
async def test_the_hub_is_told_what_pages_show_once_a_change_and_again_when_it_is_back(_: Bench) -> None:
    bench = opened()
    bench.page.views.open("output", "b")
    bench.page.views.open("output", "a")
    await bench.loop.advance(0)
    assert bench.told == [WatchOutput(["a", "b"])]
    bench.page.views.close("output", "b")
    await bench.loop.advance(0)
    greeted(bench, "b2")
    assert bench.told[1:] == [WatchOutput(["a"]), WatchOutput(["a"])]
    bench.page.close()
    await bench.loop.advance(0)
    assert bench.told[-1] == WatchOutput([])


@on_bench
async def test_lines_come_in_order_and_never_in_more_than_ten_frames_a_second(_: Bench) -> None:
    bench = opened()
    bench.page.views.open("output", "t")
    for number in range(300):
        bench.printed(1 + 3 * number, 3)
        bench.printed(1 + 3 * number, 3, task="other")
        await bench.loop.advance(0.02)
    await bench.loop.advance(2)
    times = [at for at, _ in bench.sent]
    assert max(sum(start <= at < start + 1 for at in times) for start in times) <= 10
    assert bench.outputs() == list(range(1, 901))


@on_bench
async def test_a_page_that_is_too_slow_for_the_lines_is_told_that_it_missed_some(_: Bench) -> None:
    bench = opened()
    bench.page.views.open("output", "t")
    bench.is_stuck = True
    seq = 1
    for _number in range(40):
        bench.printed(seq, 100, width=1000)
        seq += 100
    waiting = bench.page.views._views["output:t"]
    assert waiting._size <= MAX_WAITING  # type: ignore[attr-defined]
    bench.drain()
    await bench.loop.advance(3)
    missed = [frame for _, frame in bench.sent if frame["missed"]]
    assert missed
    bench.printed(seq)
    await bench.loop.advance(1)
    assert bench.outputs()[-1] == seq


@on_bench
async def test_a_new_hub_may_have_printed_what_nobody_saw(_: Bench) -> None:
    bench = opened()
    bench.page.views.open("output", "t")
    greeted(bench, "b2")
    await bench.loop.advance(1)
    frames = [frame for _, frame in bench.sent if frame["type"] == "output"]
    assert [(frame["missed"], frame["parts"]) for frame in frames] == [(True, [])]


@on_bench
async def test_a_page_of_one_task_hears_of_that_task_only_and_of_all_after_a_gap(_: Bench) -> None:
    bench = opened()
    bench.page.views.open("task", "t")
    bench.about(1, "other")
    await bench.loop.advance(1)
    assert bench.sent == []
    bench.about(2, "t")
    bench.about(3, "t")
    await bench.loop.advance(1)
    seen = [frame["seq"] for _, frame in bench.sent]
    assert set(bench.kinds()) == {"task"} and seen[-1] == 3
    bench.about(9, "other")  # 4 to 8 were never seen
    await bench.loop.advance(1)
    assert bench.sent[-1][1]["seq"] == 9


@on_bench
async def test_overview_and_output_take_turns(_: Bench) -> None:
    bench = opened()
    bench.page.read_overview()
    bench.page.views.open("output", "t")
    await settle()
    for seq in range(1, 100):
        bench.about(seq, "other")
        bench.printed(seq)
        await bench.loop.advance(0.05)
    kinds = bench.kinds()
    assert 0.3 < kinds.count("output") / len(kinds) < 0.7


@on_bench
async def test_a_page_that_comes_back_goes_on_where_it_was(_: Bench) -> None:
    bench = opened()
    for seq in range(1, 6):
        bench.batch(seq)
    bench.page.read_overview("b1", 3)
    await bench.loop.advance(1)
    assert bench.kinds() == ["subscribed", "events"] and bench.events() == [4, 5]


@on_bench
async def test_it_gets_a_snapshot_where_that_is_not_known(_: Bench) -> None:
    for boot_id, seq, there in (("b0", 3, True), ("b1", 0, True), ("b1", 3, False)):
        bench = opened()
        if there:
            for number in range(2, 6):
                bench.batch(number)
        bench.page.read_overview(boot_id, seq)
        await bench.loop.advance(1)
        assert bench.kinds() == ["subscribed", "snapshot"], (boot_id, seq, there)


@on_bench
async def test_it_is_told_that_it_gets_a_snapshot_before_one_that_is_there_already(_: Bench) -> None:
    bench = opened()
    bench.page.read_overview()
    await bench.loop.advance(0.1)
    assert bench.kinds() == ["subscribed", "snapshot"]
    bench.sent.clear()
    bench.page.read_overview()
    await bench.loop.advance(1)
    assert bench.kinds() == ["subscribed", "snapshot"]


@on_bench
async def test_a_page_that_leaves_the_overview_hears_no_more_of_it_and_may_come_back(_: Bench) -> None:
    bench = opened()
    bench.page.read_overview()
    await bench.loop.advance(1)
    bench.page.leave_overview()
    bench.batch(1, 2)
    await bench.loop.advance(1)
    assert bench.kinds() == ["subscribed", "snapshot"]
    bench.page.read_overview("b1", 1)
    await bench.loop.advance(1)
    assert bench.events() == [2]


@on_bench
async def test_a_page_looks_at_a_bounded_number_of_things(_: Bench) -> None:
    bench = opened()
    assert all(bench.page.views.open("task", f"t{number}") for number in range(LIMITS.views))
    assert not bench.page.views.open("task", "one more")
    assert bench.page.views.open("task", "t0"), "it looks at that already"
    bench.page.views.close("task", "t0")
    assert bench.page.views.open("task", "one more")
